"""``engine``: is there a CometBFT of a line that this program works with?"""

from collections.abc import Iterator
from typing import Final

from enigmacli.doctor.checks import error, note, ok
from enigmacli.doctor.facts import Facts
from enigmacli.doctor.findings import Finding
from enigmacli.engine.cometbft_process import TESTED_VERSION

_INSTALL: Final = f"go install github.com/cometbft/cometbft/cmd/cometbft@{TESTED_VERSION}"


def judge(facts: Facts) -> Iterator[Finding]:
    """One finding; the embedded engine needs nothing."""
    engine = facts.engine
    if engine is None:
        return
    if not engine.fault:
        yield ok("engine.version", f"{engine.path}, of a line that works")
    elif engine.wanted:
        yield error("engine.version", engine.fault, _INSTALL)
    else:
        yield note("engine.version", f"{engine.fault}; the embedded engine needs none")
