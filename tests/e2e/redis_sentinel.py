"""A Sentinel: redis-server in its other role."""
import subprocess

import redis

from places import FIRST_SERVED
from redis_server import RedisServer
from waiting import wait_until


class Sentinel(RedisServer):
    """It watches `master`, another server, by that name; alone it is a quorum."""

    def __init__(self, master=None):
        super().__init__()
        self._master = master

    def start(self):
        config = self.folder / "sentinel.conf"
        watched = [f"sentinel monitor one 127.0.0.1 {self._master.port} 1",
                   "sentinel down-after-milliseconds one 300",
                   "sentinel failover-timeout one 2000"] if self._master else []
        config.write_text("\n".join([f"port {self.port}", "bind 127.0.0.1",
                                     f"dir {self.folder}", "logfile log", *watched]))
        self.process = subprocess.Popen(
            [*FIRST_SERVED, "redis-server", config, "--sentinel"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(self._answers, "redis-sentinel")
        return self

    def client(self, *_, **__):
        return redis.Redis(port=self.port)

    def knows_replica(self):
        return any("slave" == flags for flags in (
            one["flags"] for one in self.client().sentinel_slaves("one")))
