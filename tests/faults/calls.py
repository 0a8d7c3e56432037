"""Single system calls that fail, while a process is at work."""
import os
import shutil
import subprocess

SECONDS = 2

# What each may meet on a machine that is short of something, or is interrupted.
FAILING = {
    "wsclient": ("socket:EMFILE", "connect:ENETUNREACH", "connect:EADDRNOTAVAIL",
                 "recvfrom,read:ECONNRESET", "sendto,write:EPIPE", "sendto,write:EAGAIN",
                 "poll,ppoll,epoll_wait,epoll_pwait:EINTR", "openat:EMFILE", "brk:ENOMEM"),
    "ratefetcher": ("socket:EMFILE", "connect:ENETUNREACH", "recvfrom,read:ECONNRESET",
                    "sendto,sendmsg,write,writev:EPIPE", "openat:EMFILE", "accept4:EMFILE",
                    "accept4:ECONNABORTED", "poll,epoll_wait,epoll_pwait:EINTR",
                    "brk,mmap:ENOMEM"),
    "monitor": ("write,writev:ENOSPC", "write,writev:EIO", "openat:EMFILE", "read:EINTR",
                "epoll_wait,epoll_pwait:EINTR", "accept4:EMFILE"),
    "supervisor": ("clone,clone3,fork,vfork:EAGAIN", "socketpair:EMFILE", "openat:EMFILE",
                   "accept4:EMFILE", "epoll_wait,epoll_pwait:EINTR", "write:EAGAIN"),
}


def fail(pid, failing, every, sleep):
    """
    Each `every`th of these calls fails for a while; False: it can not be traced, or
    has died. A debugger's stop would be none of the service's own, so who does this
    stops it in no other way meanwhile.
    """
    calls, error = failing.split(":")
    known = ",".join("?" + call for call in calls.split(","))  # not all machines have all
    tracer = subprocess.Popen(
        ["strace", "-qq", "-f", "-p", str(pid), "-o", os.devnull, "-e", f"trace={known}",
         "-e", f"inject={known}:error={error}:when={every}+{every}"],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    sleep(SECONDS)
    traced = tracer.poll() is None
    tracer.terminate()  # which lets go of the process
    tracer.wait()
    return traced


def kinds(group, pid_of):
    """[(name, strike)] as a group has them."""

    def strike(name):
        pid = pid_of(name)
        if pid is None or not shutil.which("strace"):
            return False
        failing = group.rng.choice(FAILING[name])
        return fail(pid, failing, group.rng.choice((1, 3, 10, 50)), group.sleep)

    return [(f"calls of {name} fail", lambda name=name: strike(name)) for name in FAILING]
