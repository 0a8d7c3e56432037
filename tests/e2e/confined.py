"""
Starts a command under the restrictions of a unit file, as far as root can do that
without a service manager: confined.py UNIT FOLDER WORD...
FOLDER has what the manager and the administrator would have put on the machine:
etc (for /etc/fxwire), local (/usr/local), run, state and logs (the directories of
the unit), credentials, hosts (/etc/hosts), notify (the manager's socket). In the
place of FOLDER: the pid of a process that was started so, to join it. The command
keeps the environment.
"""
import ctypes
import errno
import os
import shutil
import socket
import stat
import sys
from pathlib import Path

from seccomp import ALLOW, ERRNO, EQ, MASKED_EQ, Arg, SyscallFilter

import unit_file

USER, ID = "fxwire", 61234
CREDENTIALS = "/run/credentials/fxwire.service"
_libc = ctypes.CDLL(None, use_errno=True)
_RDONLY, _NOSUID, _NODEV, _NOEXEC = 1, 2, 4, 8
_REMOUNT, _BIND, _REC, _PRIVATE = 32, 4096, 16384, 1 << 18
_CAPBSET_DROP, _SET_NO_NEW_PRIVS = 24, 38
_NAMESPACES = {"mnt": 0x20000, "cgroup": 0x2000000, "uts": 0x4000000, "ipc": 0x8000000,
               "user": 0x10000000, "pid": 0x20000000, "net": 0x40000000}
_REALTIME = (1, 2, 6)  # SCHED_FIFO, SCHED_RR, SCHED_DEADLINE


def check(result, what):
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def mount(source, target, kind=None, flags=0, options=None):
    words = [word.encode() if word else None for word in (str(source), str(target), kind)]
    check(_libc.mount(*words, ctypes.c_ulong(flags), options.encode() if options else None),
          f"mount {source} {target}")


def bind(source, target):
    mount(source, target, flags=_BIND | _REC)


def cover(target, options="mode=755"):
    """Something empty in its place."""
    mount("none", target, "tmpfs", _NOSUID, options)


# What is there

def put_settings(folder):
    """A copy of /etc with the folder and the user that the unit's head asks for."""
    copy = folder / f"etc-{os.getpid()}"
    shutil.copytree("/etc", copy, symlinks=True)
    with open(copy / "passwd", "a") as passwd, open(copy / "group", "a") as group:
        passwd.write(f"{USER}:x:{ID}:{ID}::/:/usr/sbin/nologin\n")
        group.write(f"{USER}:x:{ID}:\n")
    shutil.copy(folder / "hosts", copy / "hosts")
    (copy / "fxwire").mkdir(exist_ok=True)
    bind(copy, "/etc")
    bind(folder / "etc", "/etc/fxwire")


def put_directory(path, source, mode):
    Path(path).mkdir(parents=True)
    os.chown(source, ID, ID)
    os.chmod(source, int(mode, 8))
    bind(source, path)


def put_directories(service, folder):
    """Of the manager's: what the service may write to."""
    notify = Path("/run/systemd/notify")
    for place in ("/run", "/var/lib", "/var/log"):
        cover(place)
    name = service["RuntimeDirectory"][0]
    put_directory(f"/run/{name}", folder / "run", service["RuntimeDirectoryMode"][0])
    put_directory(f"/var/lib/{name}", folder / "state", service["StateDirectoryMode"][0])
    put_directory(f"/var/log/{name}", folder / "logs", service["LogsDirectoryMode"][0])
    put_directory(CREDENTIALS, folder / "credentials", "0500")
    notify.parent.mkdir()
    notify.touch()
    bind(folder / "notify", notify)
    return [f"/run/{name}", f"/var/lib/{name}", f"/var/log/{name}"]


def private_tmp(_, writable):
    for place in ("/tmp", "/var/tmp"):
        cover(place, "mode=1777")
        writable.append(place)


def private_devices(folder, writable):
    devices = folder / f"dev-{os.getpid()}"
    devices.mkdir()
    for name in ("null", "zero", "full", "random", "urandom", "tty"):
        (devices / name).touch()
        bind(f"/dev/{name}", devices / name)
    (devices / "fd").symlink_to("/proc/self/fd")
    bind(devices, "/dev")


def protect_home(_, writable):
    for place in ("/home", "/root", "/run/user"):
        if os.path.isdir(place):
            cover(place, "mode=000")


def protect_proc(_, writable):
    mount("proc", "/proc", "proc", _NOSUID | _NOEXEC, "hidepid=invisible")


def mounts_in(place):
    """It, if it is a mount, and those below it, with the flags that have to stay."""
    kept = {"nosuid": _NOSUID, "nodev": _NODEV, "noexec": _NOEXEC}
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        target, options = line.split()[4:6]
        if target == place or target.startswith(place.rstrip("/") + "/"):
            yield target, sum(kept.get(word, 0) for word in options.split(","))


def make_read_only(place, but=()):
    for target, flags in list(mounts_in(place)):
        if not any(target == keep or target.startswith(keep + "/") for keep in but):
            mount("none", target, flags=flags | _REMOUNT | _BIND | _RDONLY)


def protect_tunables():
    for place in ("/proc/sys", "/proc/irq", "/proc/bus"):
        if os.path.isdir(place):
            bind(place, place)
            make_read_only(place)
    make_read_only("/sys")


# What may be asked of the kernel

def refusing(number, *rules):
    """A filter that lets all pass but for (call, condition...)."""
    made = SyscallFilter(ALLOW)
    for call, *conditions in rules:
        made.add_rule(ERRNO(number), call, *conditions)
    return made


def bits(argument, mask):
    return Arg(argument, MASKED_EQ, mask, mask)


def families(value):
    known = {name: number for name, number in vars(socket).items()
             if name.startswith("AF_")}
    allowed = {int(known[name]) for name in value.split()}
    return refusing(errno.EAFNOSUPPORT, *(("socket", Arg(0, EQ, number))
                                          for number in range(46) if number not in allowed))


def namespaces(_):
    yield refusing(errno.EPERM, ("setns",), *(
        (call, bits(0, flag)) for flag in _NAMESPACES.values() for call in ("clone", "unshare")))
    yield refusing(errno.ENOSYS, ("clone3",))


def write_or_execute(_):
    writes, executes = 2, 4
    return refusing(errno.EPERM, ("mmap", bits(2, writes | executes)),
                    ("mprotect", bits(2, executes)), ("pkey_mprotect", bits(2, executes)),
                    ("shmat", bits(2, 0o100000)))


def set_ids(_):
    places = {"chmod": 1, "fchmod": 1, "fchmodat": 2, "mkdir": 1, "mkdirat": 2, "mknod": 1,
              "mknodat": 2, "creat": 1}
    return refusing(errno.EPERM, *((call, bits(number, bit)) for call, number in places.items()
                                   for bit in (stat.S_ISUID, stat.S_ISGID)))


def realtime(_):
    return refusing(errno.EPERM, *(("sched_setscheduler", Arg(1, EQ, policy))
                                   for policy in _REALTIME))


def calls(*values):
    made = SyscallFilter(ERRNO(errno.EPERM))
    for call in unit_file.allowed_calls(values):
        try:
            made.add_rule(ALLOW, call)
        except RuntimeError:
            pass  # this architecture has no such call
    return made


FILTERS = {  # the last one lets nothing more be loaded
    "RestrictAddressFamilies": families, "RestrictNamespaces": namespaces,
    "MemoryDenyWriteExecute": write_or_execute, "RestrictSUIDSGID": set_ids,
    "RestrictRealtime": realtime,
    "LockPersonality": lambda _: refusing(errno.EPERM, ("personality",)),
    "ProtectHostname": lambda _: refusing(errno.EPERM, ("sethostname",), ("setdomainname",)),
    "ProtectClock": lambda _: refusing(errno.EPERM, ("settimeofday",), ("clock_settime",)),
    "ProtectKernelLogs": lambda _: refusing(errno.EPERM, ("syslog",)),
    "ProtectKernelModules": lambda _: refusing(errno.EPERM, ("init_module",),
                                               ("finit_module",), ("delete_module",)),
    "SystemCallFilter": calls,
}
MOUNTS = {  # the last one may hide FOLDER
    "PrivateDevices": private_devices, "ProtectHome": protect_home,
    "ProtectProc": protect_proc, "PrivateTmp": private_tmp,
}
# What is done elsewhere here, or is no restriction of what the service does.
OTHERS = {
    "Type", "ExecStart", "ExecReload", "User", "LoadCredential", "RuntimeDirectory",
    "RuntimeDirectoryMode", "RuntimeDirectoryPreserve", "StateDirectory",
    "StateDirectoryMode", "LogsDirectory", "LogsDirectoryMode", "UMask", "KillMode",
    "TimeoutStopSec", "WatchdogSec", "Restart", "RestartSec", "RestartPreventExitStatus",
    "NoNewPrivileges", "CapabilityBoundingSet", "AmbientCapabilities", "LimitCORE",
    "ProtectSystem",
    "ProtectKernelTunables", "ProtectControlGroups", "PrivateMounts", "RemoveIPC",
    "SystemCallArchitectures", "SystemCallErrorNumber",
}


def hide(service, folder):
    """The files that it shall not see or not write to."""
    check(_libc.unshare(_NAMESPACES["mnt"]), "a mount namespace")
    mount("none", "/", flags=_REC | _PRIVATE)
    writable = put_directories(service, folder)
    put_settings(folder)
    bind(folder / "local", "/usr/local")
    for name, do in MOUNTS.items():
        if name in service:
            do(folder, writable)
    if service["ProtectSystem"] == ["strict"]:
        make_read_only("/", but=[*writable, "/proc", "/sys", "/dev"])
    if "ProtectKernelTunables" in service:
        protect_tunables()


def join(pid):
    """Its namespace and its root, which is another where this runs in a chroot."""
    root = os.open(f"/proc/{pid}/root", os.O_RDONLY | os.O_DIRECTORY)
    with open(f"/proc/{pid}/ns/mnt", "rb") as namespace:
        check(_libc.setns(namespace.fileno(), _NAMESPACES["mnt"]), "the mount namespace")
    os.fchdir(root)
    os.chroot(".")


def filters(service):
    """The programs for the kernel; to be loaded in this order."""
    for name, make in FILTERS.items():
        if name in service:
            made = make(*service[name])
            yield from [made] if isinstance(made, SyscallFilter) else made


def be_the_user(service):
    """Without any right to become another one again."""
    if service["CapabilityBoundingSet"] == [""]:
        last = int(Path("/proc/sys/kernel/cap_last_cap").read_text())
        for capability in range(last + 1):
            check(_libc.prctl(_CAPBSET_DROP, capability, 0, 0, 0), "bounding set")
    os.setgroups([])
    os.setresgid(ID, ID, ID)
    os.setresuid(ID, ID, ID)
    if service["NoNewPrivileges"] == ["yes"]:
        check(_libc.prctl(_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no new privileges")


def main(unit, folder, *words):
    service = unit_file.read(Path(unit))["Service"]
    unknown = set(service) - OTHERS - set(FILTERS) - set(MOUNTS)
    assert not unknown, f"not known here: {unknown}"
    made = list(filters(service))
    if folder.isdigit():
        join(folder)
    else:
        hide(service, Path(folder))
    os.umask(int(service["UMask"][0], 8))
    os.chdir("/")
    be_the_user(service)
    for one in made:
        one.load()
    os.execv(words[0], words)


if __name__ == "__main__":
    main(*sys.argv[1:])
