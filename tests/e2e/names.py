"""Names of hosts that a program under test sees, and nobody else."""
import itertools
import os
import time

from places import SANITIZED
from tls_upstream import skip_loudly


def preload(library):
    """Shell text that runs a program with a library before it."""
    asan = "export ASAN_OPTIONS=$ASAN_OPTIONS:verify_asan_link_order=0\n"
    return (asan if SANITIZED else "") + f"export LD_PRELOAD={library}\n"


def find_library(name, package):
    for folder in (f"/usr/lib/{os.uname().machine}-linux-gnu", "/usr/lib64", "/usr/lib"):
        path = os.path.join(folder, name)
        if os.path.exists(path):
            return path
    skip_loudly(f"{name} is not there: install {package}")
    return None


class Names:
    """One name, whose addresses can be changed while programs run."""

    def __init__(self, folder, name):
        self.name = name
        self.path = folder / "hosts"
        self._library = find_library("libnss_wrapper.so", "libnss-wrapper")
        self._moments = itertools.count(int(time.time()), 10)

    def write(self, *addresses):
        """
        Gives the addresses to the name, and the lines by which a program sees
        them. The library reads the file anew when its time has another second.
        """
        new = self.path.with_suffix(".new")
        new.write_text("127.0.0.1 other.test\n" +
                       "".join(f"{address} {self.name}\n" for address in addresses))
        os.utime(new, (next(self._moments),) * 2)
        new.rename(self.path)
        return (preload(self._library) + f"export NSS_WRAPPER_HOSTS={self.path}\n"
                'exec {real} "$@"')
