"""
The interface of python3-websockets that versions 10 and 15 (Debian 12 and 13)
both have. The later one warns that it is the older of its two.
"""
import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    from websockets.legacy.client import connect
    from websockets.legacy.server import serve

from websockets.exceptions import ConnectionClosed

__all__ = ["ConnectionClosed", "connect", "serve"]
