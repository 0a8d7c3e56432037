"""
A network of its own for a trial, and one more for the product, with a cable
between the two that can be made to swallow packets.

All of it ends with the processes in it, and the machine's own network and
firewall are not touched. Packets are dropped where they arrive, as on a real
way: a sender whose own firewall drops them is told so.
"""
import os
import shutil
import subprocess
import time

HOST, GUEST = "198.18.0.1", "198.18.0.2"
PREFIX_LENGTH = "30"
TOOLS = ("unshare", "nsenter", "ip", "nft")

# Where the product's packets, and where the upstream's, are swallowed.
DIRECTIONS = {"in": ("guest",), "out": ("host",), "both": ("guest", "host")}


def prefix():
    """A command that gives its program a network of its own."""
    return ["unshare", "--net"] if os.geteuid() == 0 else \
        ["unshare", "--net", "--map-root-user"]


def why_not():
    """Why this machine cannot do it; None: it can."""
    missing = [tool for tool in TOOLS if not shutil.which(tool, path=_PATH)]
    if missing:
        return f"not installed: {' '.join(missing)}"
    attempt = subprocess.run(
        [*prefix(), "sh", "-ec", "ip link set lo up; nft add table inet fault; "
         "ip link add name host type veth peer name guest"],
        env={"PATH": _PATH}, capture_output=True, text=True, check=False)
    if attempt.returncode == 0:
        return None
    return attempt.stderr.strip().replace("\n", "; ") or "no network namespace"


_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"


def _run(*command, text=None):
    subprocess.run(command, input=text, env={"PATH": _PATH}, text=True, check=True)


class Cable:
    """The product's network, and the way to it from this process's own."""

    def __init__(self):
        _run("ip", "link", "set", "lo", "up")
        self._holder = subprocess.Popen(["unshare", "--net", "sleep", "infinity"],
                                        env={"PATH": _PATH})
        self.launcher = ["nsenter", f"--net=/proc/{self._holder.pid}/ns/net", "--"]
        self._wait_holder()
        _run("ip", "link", "add", "name", "host", "type", "veth", "peer", "name", "guest",
             "netns", str(self._holder.pid))
        for side, address in (("host", HOST), ("guest", GUEST)):
            enter = self._enter(side)
            _run(*enter, "ip", "address", "add", f"{address}/{PREFIX_LENGTH}", "dev", side)
            _run(*enter, "ip", "link", "set", side, "up")

    def _wait_holder(self):
        own = os.readlink("/proc/self/ns/net")
        end = time.monotonic() + 10
        while os.readlink(f"/proc/{self._holder.pid}/ns/net") == own:
            assert time.monotonic() < end, "no network for the product"
            time.sleep(0.01)

    def _enter(self, side):
        return self.launcher if side == "guest" else []

    def cut(self, direction, port):
        """
        Swallows what goes to ("out") or comes from ("in") that port of ours,
        or "both".
        """
        end = {"guest": "sport", "host": "dport"}
        for side in DIRECTIONS[direction]:
            _run(*self._enter(side), "nft", "-f", "-", text=f"""
                table inet fault {{
                    chain arriving {{
                        type filter hook input priority 0;
                        tcp {end[side]} {port} drop
                    }}
                }}""")

    def mend(self, direction):
        for side in DIRECTIONS[direction]:
            _run(*self._enter(side), "nft", "delete", "table", "inet", "fault")

    def close(self):
        self._holder.kill()
        self._holder.wait()
