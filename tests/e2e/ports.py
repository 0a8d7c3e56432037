"""
Ports for the tests' servers. The kernel soon gives a port again that another
test's server had. A client of that test that still tries it would be taken for
one's own: it answers with its own rates, and ends when its test does.
"""
import errno
import itertools
import random

_FIRST, _COUNT = 12000, 20000  # below those that the kernel gives to clients
_start = random.randrange(_COUNT)
_ports = (_FIRST + (_start + i) % _COUNT for i in itertools.count())


def on_new_port(listen):
    """What listen(port) gives, for a port that no server had for long."""
    while True:
        try:
            return listen(next(_ports))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
