"""``join``: did one stop on the way?"""

from collections.abc import Iterator

from enigmacli.doctor.checks import note, ok
from enigmacli.doctor.facts import Facts
from enigmacli.doctor.findings import Finding


def judge(facts: Facts) -> Iterator[Finding]:
    """One finding: a home that holds a key and no seed is on its way."""
    if facts.trusted is None:
        return
    held, again = facts.trusted.held, f"{facts.subject.program} join"
    if held is None or held.seeds or not held.node_id:
        yield ok("join.unfinished", "none is under way")
    elif held.sent_tx:
        seen = f"the registration {held.sent_tx[:16]}… was sent, and there is no seed yet"
        yield note("join.unfinished", seen, again)
    else:
        yield note("join.unfinished", "there is a key, and no registration was sent yet", again)
