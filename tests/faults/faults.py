"""The faults: each strikes once and gives the moment from which all must heal."""
import signal
import time
from typing import Callable, NamedTuple

import e2e  # finds the next
from places import SCALE
from service import Paused
from waiting import wait_until

from world import ID

GRACE_SECONDS = 5


class Fault(NamedTuple):
    strike: Callable  # strike(world): the moment when the fault was over
    times: int = 14  # in the whole time, about, if it lasts no time
    network: bool = False  # needs a network of its own
    settings: dict = {}  # of the service
    upstream: dict = {}  # of the upstream
    may_die: bool = False  # processes die of it
    links: Callable = None  # links(times, links): whether the link held or broke
    check: Callable = None  # check(world, counted), before the stop at the end


def held(_, links):
    return links == 1


def broke(times, links):
    return links > times


# Kills

def kill(name):
    return lambda world: world.kill(name)


def kill_ratefetcher(world):
    """Once it has stood for a look-up's time: who never stands gives no rates."""
    wait_until(lambda: world.service.helper("ratefetcher")["state"] == "ready", "it is ready")
    world.sleep(2 * max(world.provider.usual))
    return world.kill("ratefetcher")


def kill_watchdog(world):
    """It ends the service, all of it within a second; then a new start."""
    world.kill("watchdog")
    world.service.process.wait()
    world.service.assert_gone()
    now = time.monotonic()  # till here the helpers may have received what was asked
    world.start_again()
    return now


def kill_all(world):
    now = world.kill_everything()
    world.start_again()
    return now


# The upstream

def restart_upstream(world):
    world.tell("shut", how=world.rng.choice(("fin", "close", "reset")))
    over = world.sleep(world.rng.uniform(0, 0.3))
    world.tell("open")
    return over


def cut_answers(world):
    """A reset while answers wait to be read."""
    world.tell("cut", hold=world.rng.uniform(0, 0.3))
    return time.monotonic()


def freeze_upstream(world):
    with Paused(world.upstream.process.pid):
        world.sleep(world.lasting(3, 6))
    return time.monotonic()


def read_slowly(world):
    """No window for a while; sometimes so long that the link is given up."""
    world.tell("hold", seconds=world.lasting(3, 14))
    return time.monotonic()


def hush_upstream(world):
    """An open link without heartbeats: quite silent, with Pings, or with all else."""
    kind = world.rng.choice(({"asking": False, "pinging": False}, {"asking": False}, {}))
    world.tell("hush", beating=False, **kind)
    world.sleep(world.lasting(2.5, 6))
    over = time.monotonic()
    world.tell("hush")
    return over


def kill_unponged(world):
    """Long after the product had to give up on Pongs, if there is the time."""
    if world.is_long():
        world.sleep(12)
    return world.kill("wsclient")


def take_upstream_away(world):
    """While messages wait for rates that come too late for this link."""
    world.provider.delay = world.provider.slower
    world.sleep(0.5)
    world.provider.delay = world.provider.usual
    world.tell("cut", hold=0.2)
    world.tell("shut", how="reset")
    over = world.sleep(world.lasting(3, 6))
    world.tell("open")
    return over


def check_expired(world, counted):
    """What is older than RETRY_MESSAGE_TTL is dropped, each counted and logged."""
    gone = counted["too_old"]
    if not gone:
        world.failures.append("nothing got too old: it proves nothing")
    wait_until(lambda: world.service.counter("fxwire_expired_total") >= len(gone),
               f"{len(gone)} counted as dropped", 3)
    # A line takes its own way, behind the count.
    wait_until(lambda: set(gone) <= expired_by_log(world),
               f"a line for each of {len(gone)} dropped", 3)


def expired_by_log(world):
    return {ident for line in world.service.log().splitlines() if "expired" in line
            for ident in ID.findall(line)}


# The way

def swallow(direction):
    def strike(world):
        world.cable.cut(direction, world.upstream.port)
        over = world.sleep(world.lasting(3, 6))
        world.cable.mend(direction)
        return over

    return strike


# By order

def stop_and_start(world):
    """SIGTERM: out with exit code 0 within its grace, then a new start."""
    now = time.monotonic()
    world.service.process.send_signal(signal.SIGTERM)
    code = world.service.wait_exit()
    took = time.monotonic() - now
    if code != 0:
        world.failures.append(f"SIGTERM gave exit code {code}")
    if took > (GRACE_SECONDS + 0.5) * SCALE:
        world.failures.append(f"SIGTERM took {took:.1f} s")
    world.service.assert_gone()
    now = time.monotonic()
    world.start_again()
    return now


def check_close_codes(world, counted):
    """Each stop closed its link with 1001."""
    codes = counted["close_codes"][:-1]
    if any(code != 1001 for code in codes):
        world.failures.append(f"close codes {codes}")


def reload(world):
    """Settings of one helper, of the other, or of all."""
    name, values = world.rng.choice((("HEARTBEAT_INTERVAL_SECONDS", ("0.5", "0.7")),
                                     ("CACHE_TTL_SECONDS", ("3600", "3601")),
                                     ("LOG_LEVEL", ("warn", "info"))))
    now = time.monotonic()
    world.env_file(**{name: world.rng.choice(values)})
    done = world.service.command("reload")
    assert done.returncode == 0, done.stdout + done.stderr
    return now


FAULTS = {
    "kill9-wsclient": Fault(kill("wsclient"), may_die=True, links=broke),
    "kill9-ratefetcher": Fault(kill_ratefetcher, may_die=True, links=held),
    "kill9-monitor": Fault(kill("monitor"), may_die=True, links=held),
    "kill9-supervisor": Fault(lambda world: world.kill_supervisor(), may_die=True,
                              links=broke),
    "kill9-watchdog": Fault(kill_watchdog, may_die=True, links=broke),
    "kill9-all": Fault(kill_all, may_die=True, links=broke),
    # An upstream that answers no Ping: its receipts are TCP's.
    "kill9-unponged": Fault(kill_unponged, may_die=True, links=broke,
                            upstream={"pongs": False}),
    "upstream-restarts": Fault(restart_upstream, times=50, links=broke),
    "answers-cut": Fault(cut_answers, times=30, links=broke),
    "blackhole-both": Fault(swallow("both"), network=True, links=broke),
    "blackhole-in": Fault(swallow("in"), network=True, links=broke),
    "blackhole-out": Fault(swallow("out"), network=True),
    "frozen-upstream": Fault(freeze_upstream, links=broke),
    "slow-reader": Fault(read_slowly, upstream={"receive_buffer": 4096}),
    "silent-upstream": Fault(hush_upstream, links=broke),
    "outage": Fault(take_upstream_away, links=broke),
    "outage-past-ttl": Fault(take_upstream_away, links=broke, check=check_expired,
                             # At debug alone a flood of one event has all its lines.
                             settings={"RETRY_MESSAGE_TTL": "2", "LOG_LEVEL": "debug"}),
    "sigterm-restart": Fault(stop_and_start, links=broke, check=check_close_codes),
    "reload": Fault(reload),
}
