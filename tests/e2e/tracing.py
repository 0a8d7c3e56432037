"""Holding a process as a debugger does, by ptrace(2)."""
import ctypes
import os

_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p]
_libc.ptrace.restype = ctypes.c_long
_ATTACH, _DETACH = 16, 17
_ALL_KINDS = 0x40000000  # __WALL


def _ptrace(request, pid, data=0):
    if _libc.ptrace(request, pid, None, data) < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


class Traced:
    """A process that a debugger has stopped while the block runs."""

    def __init__(self, pid):
        self.pid = pid
        self._held = False

    def __enter__(self):
        _ptrace(_ATTACH, self.pid)
        os.waitpid(self.pid, _ALL_KINDS)
        self._held = True
        return self

    def __exit__(self, *_):
        if self._held:
            self.let_go()

    def let_go(self, number=0):
        """Ends it; the process goes on with that signal, if one is given."""
        self._held = False
        try:
            _ptrace(_DETACH, self.pid, number)
        except ProcessLookupError:
            self.bury()

    def bury(self):
        """Takes note of its death, as every debugger does in the end."""
        self._held = False
        os.waitpid(self.pid, _ALL_KINDS)
