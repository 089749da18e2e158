"""``clock``: is it kept, and does it agree with the chain and with an attestation service?"""

from collections.abc import Iterator
from typing import Final

from enigmacli.chain.light import MAX_CLOCK_DRIFT_NS
from enigmacli.doctor.checks import error, note, ok, warning
from enigmacli.doctor.facts import Clock, Facts
from enigmacli.doctor.findings import Finding

OFF_S: Final = 60
FAR_OFF_S: Final = 300

_US: Final = 1_000_000
_DRIFT_S: Final = MAX_CLOCK_DRIFT_NS / 10**9
_SET: Final = "sudo timedatectl set-ntp true"


def judge(facts: Facts) -> Iterator[Finding]:
    """Findings about this machine's clock."""
    clock, node = facts.clock, facts.node
    if clock is None:
        return
    if clock.synchronised is None:
        yield note("clock.kept", "the kernel does not say whether anything keeps the clock")
    elif clock.synchronised:
        yield ok("clock.kept", "the clock is synchronised")
    else:
        yield warning("clock.kept", "nothing synchronises the clock", _SET)
    if node is not None and node.block_us:
        yield _beside_chain((node.block_us - clock.now_us) / _US)
    yield _beside_service(clock)


def _beside_chain(ahead_s: float) -> Finding:
    """A newest block in the past says nothing about the clock: there may be no newer one."""
    if ahead_s > _DRIFT_S:
        seen = f"the node's newest block is {ahead_s:.0f} s in this clock's future"
        return error("clock.node", seen, _SET)
    return ok("clock.node", "the node's newest block is not in this clock's future")


def _beside_service(clock: Clock) -> Finding:
    if not clock.service:
        return note("clock.service", "no attestation service is configured to be asked")
    if clock.service_us is None:
        return note("clock.service", f"{clock.service} did not tell the time")
    off_s = (clock.now_us - clock.service_us) / _US
    way = "ahead of" if off_s > 0 else "behind"
    seen = f"{abs(off_s):.0f} s {way} {clock.service}"
    if abs(off_s) > FAR_OFF_S:
        return error("clock.service", seen, _SET)
    if abs(off_s) > OFF_S:
        return warning("clock.service", seen, _SET)
    return ok("clock.service", seen)
