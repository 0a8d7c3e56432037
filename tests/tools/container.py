"""
Builds the image of Containerfile and runs the services of compose.yaml from it,
with what the kernel has in place of a container engine. container.py FOLDER,
where FOLDER/base is a bare Debian.
"""
import fnmatch
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import yaml

import containerfile

TOP = Path(__file__).resolve().parents[2]
BASES = {"debian:12-slim"}
PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# A step of the build: as root, with the network.
STEP = """
root=$1 folder=$2
shift 2
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
exec chroot "$root" env -i -C "$folder" "$@"
"""
# A container: a root that is read only, its volumes, and few devices. What is
# executed last is the first process of the namespace.
CONTAINER = """
root=$1 mounts=$2
shift 2
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for device in null zero full random urandom; do
    touch "$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
done
while read -r mode from to; do
    mount --bind "$from" "$root/$to"
    [ "$mode" = rw ] || mount -o remount,bind,ro "$root/$to"
done < "$mounts"
mount -o remount,bind,ro "$root"
exec chroot "$root" "$@"
"""


def shut_in(script, *words):
    """A command that runs the script in namespaces which end with it."""
    return ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-euc", script, "sh",
            *map(str, words)]


def context():
    """The files that a build sees."""
    ignored = (TOP / ".dockerignore").read_text().split()
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=TOP, check=True, text=True,
                            stdout=subprocess.PIPE).stdout
    return [name for name in listed.split("\0") if name and not any(
        fnmatch.fnmatch(name.split("/")[0], pattern) for pattern in ignored)]


def copy_in(step_options, text, root, roots):
    source, target = text.split()
    into = root / target.lstrip("/")
    if "from" in step_options:
        into.mkdir(parents=True, exist_ok=True)
        whole = roots[step_options["from"]] / source.lstrip("/")
        subprocess.run(["cp", "-a", f"{whole}/.", into], check=True)
        return
    names = context() if source == "." else [source]
    assert names and all((TOP / name).is_file() for name in names), text
    for name in names:
        place = into / name if source == "." else into
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(TOP / name, place)


def build(work):
    """The image's root and its last stage."""
    roots = {}
    stages = containerfile.read(TOP / "Containerfile")
    for stage in stages:
        assert stage.base in BASES, stage.base
        root = work / (stage.name or "image")
        subprocess.run(["cp", "-a", work / "base", root], check=True)
        folder = "/"
        for word, options, text in stage.steps:
            print(f"   {word} {text[:60]}", flush=True)
            if word == "WORKDIR":
                folder = text
                (root / folder.lstrip("/")).mkdir(parents=True, exist_ok=True)
            elif word == "COPY":
                copy_in(options, text, root, roots)
            else:
                subprocess.run(shut_in(STEP, root, folder, PATH, *containerfile.command(text)),
                               check=True, stdout=subprocess.DEVNULL)
        roots[stage.name] = root
    return root, stages[-1]


class Container:
    """One that runs: a service of compose.yaml, of the image."""

    def __init__(self, work, image, compose, name, command=None):
        self.root, self.stage = image
        service = compose["services"][name]
        assert service["read_only"] and service["cap_drop"] == ["ALL"]
        user, group = self.stage.user.split(":")
        self.words = ["setpriv", f"--reuid={user}", f"--regid={group}", "--clear-groups",
                      "--no-new-privs", "--bounding-set=-all", "--inh-caps=-all", "env", "-i",
                      "-C", self.stage.workdir, PATH,
                      *(f"{n}={v}" for n, v in {**self.stage.env,
                                                **service.get("environment", {})}.items())]
        mounts = work / f"{name}.mounts"
        mounts.write_text("".join(self._mounts(work, compose, service)))
        command = command or [*self.stage.entrypoint, *service.get("command", self.stage.cmd)]
        self.log = work / f"{name}.log"
        with open(self.log, "ab") as log:
            self.unshare = subprocess.Popen(
                [*in_network(), *shut_in(CONTAINER, self.root, mounts, *self.words, *command)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.pid = wait("its first process", self._first)

    def _mounts(self, work, compose, service):
        """Those of compose.yaml, and of the volumes that it does not name."""
        named = {}
        for volume in service.get("volumes", ()):
            source, target, *mode = volume.split(":")
            named[target] = source, mode == ["ro"]
        for volume in self.stage.volumes:
            named.setdefault(volume, (f"anonymous{len(named)}", False))
        for secret in service.get("secrets", ()):
            named[f"/run/secrets/{secret}"] = compose["secrets"][secret]["file"], True
        for target, (source, read_only) in named.items():
            inside, outside = self.root / target.lstrip("/"), TOP / source
            if not source.startswith("."):  # begins as what the image has there
                assert read_only or source in compose["volumes"] or source[:9] == "anonymous"
                outside = work / f"volume-{source}"
                if not outside.exists():
                    subprocess.run(["cp", "-a", inside, outside], check=True)
            elif not inside.exists():
                inside.parent.mkdir(parents=True, exist_ok=True)
                inside.touch()
            assert outside.exists(), volume
            yield f"{'ro' if read_only else 'rw'} {outside} {target}\n"

    def _first(self):
        """Which has this user once all before it is done."""
        assert self.unshare.poll() is None, self.log.read_text()
        children = Path(f"/proc/{self.unshare.pid}/task/{self.unshare.pid}/children").read_text()
        for pid in map(int, children.split()):
            status = Path(f"/proc/{pid}/status").read_text()
            if re.search(r"^Uid:\s+" + self.stage.user.split(":")[0], status, re.M):
                return pid
        return None

    def run(self, *words, seconds=20):
        """As `docker exec`; gives exit code and output."""
        done = subprocess.run(
            ["nsenter", f"--target={self.pid}", "--mount", "--pid", "--net", "--root", "--wd",
             *self.words, *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            timeout=seconds, check=False)
        return done.returncode, done.stdout

    def stop(self, number=signal.SIGTERM, seconds=10):
        """As `docker stop`: gives the exit code."""
        os.kill(self.pid, number)
        return self.unshare.wait(seconds)


def wait(what, condition, seconds=30):
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, f"no {what} in {seconds} s"
        time.sleep(0.05)
    return found


_network = []


def in_network():
    """Words before a command that is to be in the network that all containers share."""
    if not _network:
        holder = subprocess.Popen(["unshare", "--net", "sh", "-ec",
                                   "ip link set lo up; echo up; exec sleep 600"],
                                  stdout=subprocess.PIPE)
        assert holder.stdout.readline() == b"up\n"
        _network.append(holder)
    return ["nsenter", f"--net=/proc/{_network[0].pid}/ns/net"]


def holds(what, found, wanted):
    assert found == wanted, f"{what}: {found!r} instead of {wanted!r}"
    print(f"ok - {what}", flush=True)


def in_the_image(service, stage):
    """What is so in a container of this image, whoever runs it."""
    uid = stage.user.split(":")[0]
    holds("its user is no one of the image", service.run("getent", "passwd", uid)[0], 2)
    holds("its root is read only, /tmp too", service.run("touch", "/tmp/new")[0], 1)
    holds("no HOME is set", service.run("sh", "-c", "echo ${HOME-none}"), (0, "none\n"))
    holds("fxwire is its first process",
          service.run("cat", "/proc/1/comm")[1].strip() in ("supervisor", "fxwire"), True)
    code, _ = service.run("sh", "-c", "command -v gcc make || ls /src")
    holds("nothing of the build is in it", code != 0, True)


def status_of(service):
    code, text = service.run("fxwire", "status", "--json")
    return json.loads(text) if code == 0 else None


def converted(service):
    status = status_of(service)
    return status and status["ready"] and sum(
        row["results"]["converted"] for row in status["upstreams"])


def check_health(work, image, compose):
    """HEALTHCHECK as it is written, by its exit code; of one where nothing is served first."""
    options, command = image[1].health
    limit = float(options["timeout"].removesuffix("s"))
    empty = Container(work, image, compose, "fxwire", ["sleep", "60"])
    holds("HEALTHCHECK without the service", empty.run(*command, seconds=limit)[0], 1)
    empty.unshare.kill()
    empty.unshare.wait()
    service = Container(work, image, compose, "fxwire")
    wait("health", lambda: service.run(*command, seconds=limit)[0] == 0,
         float(options["start-period"].removesuffix("s")) + 10)
    print("ok - HEALTHCHECK of the service before its upstream is there")
    return service, command, limit


def main():
    work = Path(sys.argv[1])
    image = build(work)
    compose = yaml.safe_load((TOP / "compose.yaml").read_text())
    names = " ".join(n for n in compose["services"])
    (image[0] / "etc/hosts").write_text(f"127.0.0.1 localhost {names}\n")
    service, health, limit = check_health(work, image, compose)
    upstream = Container(work, image, compose, "upstream")
    wait("conversion", lambda: (converted(service) or 0) > 20)
    holds("HEALTHCHECK while it converts", service.run(*health, seconds=limit)[0], 0)
    in_the_image(service, image[1])
    holds("its helpers are confined", {h["sandbox"] for h in status_of(service)["helpers"]}, {"on"})
    holds("docker stop: SIGTERM ends it in order", service.stop(), 0)
    service = Container(work, image, compose, "fxwire")
    wait("conversion by another container with its volumes", lambda: converted(service))
    holds("and so it does the next one", service.stop(), 0)
    holds("the upstream had the right answers", upstream.stop(signal.SIGINT), 0)
    print(upstream.log.read_text()[-300:])
    print("container: all of it holds")


if __name__ == "__main__":
    try:
        main()
    except BaseException:
        for path in Path(sys.argv[1]).glob("*.log"):
            print(f"{path.name}:\n{path.read_text()[-3000:]}", file=sys.stderr)
        raise
    finally:
        for one in _network:
            one.kill()
