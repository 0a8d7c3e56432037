"""
Executes a program to which the kernel refuses some system calls, as an old
kernel or the profile of a container does:

    python3 refused.py ERRNO CALL[,CALL...] PROGRAM [ARGUMENT...]
"""
import ctypes
import errno
import os
import platform
import struct
import sys

# From the tables of the kernel: x86-64, and the generic one (arm64, riscv64).
NUMBERS = {
    "clone3": (435, 435),
    "close_range": (436, 436),
    "epoll_create1": (291, 20),
    "epoll_create": (213, None),
    "epoll_ctl": (233, 21),
    "epoll_pwait": (281, 22),
    "epoll_wait": (232, None),
    "eventfd2": (290, 19),
    "landlock_create_ruleset": (444, 444),
    "memfd_create": (319, 279),
    "pidfd_open": (434, 434),
    "pidfd_send_signal": (424, 424),
    "pipe": (22, None),
    "pipe2": (293, 59),
    "poll": (7, None),
    "ppoll": (271, 73),
    "pselect6": (270, 72),
    "select": (23, None),
    "signalfd4": (289, 74),
    "socketpair": (53, 199),
    "timerfd_create": (283, 85),
}
_COLUMN = 0 if platform.machine() == "x86_64" else 1

_LOAD_NUMBER = (0x20, 0, 0, 0)  # of the structure that a filter sees
_ALLOW = (0x06, 0, 0, 0x7FFF0000)
_PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS, _SECCOMP_MODE_FILTER = 22, 38, 2


def _filter(calls, number):
    """A program for BPF: each of the calls fails with that error."""
    wanted = [NUMBERS[call][_COLUMN] for call in calls]
    wanted = [n for n in wanted if n is not None]
    lines = [_LOAD_NUMBER]
    for n in wanted:
        lines += [(0x15, 0, 1, n), (0x06, 0, 0, 0x00050000 | number)]
    return [*lines, _ALLOW]


def refuse(calls, number):
    """From now on, and after an exec, these system calls fail."""
    code = b"".join(struct.pack("HBBI", *line) for line in _filter(calls, number))
    buffer = ctypes.create_string_buffer(code)
    program = struct.pack("HxxxxxxP", len(code) // 8, ctypes.addressof(buffer))
    libc = ctypes.CDLL(None, use_errno=True)
    for arguments in ((_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0),
                      (_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, program, 0, 0)):
        if libc.prctl(*arguments) != 0:
            raise OSError(ctypes.get_errno(), "seccomp")


if __name__ == "__main__":
    refuse(sys.argv[2].split(","), getattr(errno, sys.argv[1]))
    os.execv(sys.argv[3], sys.argv[3:])
