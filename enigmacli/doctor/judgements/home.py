"""``home``: is there one, can it be read, and whose is it now?"""

from collections.abc import Iterator

from enigmacli.doctor.checks import error, note, ok, warning
from enigmacli.doctor.facts import Facts
from enigmacli.doctor.findings import Finding


def judge(facts: Facts) -> Iterator[Finding]:
    """Findings about the home itself."""
    subject, home = facts.subject, facts.home
    if subject.config_fault:
        fix = f"correct it, then: {subject.program} config check"
        yield error("home.config", subject.config_fault, fix)
    else:
        yield ok("home.config", "the configuration can be read")
    if home is None:
        return
    if not home.exists:
        start = f"{subject.program} init MONIKER"
        yield note("home.exists", f"there is no home at {subject.home} yet", start)
    else:
        yield ok("home.exists", str(subject.home))
        yield ok("home.process", _process(home.owner_pid))
    if home.unknown_variables:
        names = ", ".join(home.unknown_variables)
        known = f"{subject.program} config show --origin"
        yield warning("home.variables", f"no key of the configuration: {names}", known)
    else:
        yield ok("home.variables", "every ENIGMA_ variable is a key of the configuration")


def _process(pid: int | None) -> str:
    if pid is None:
        return "no process uses this home"
    return f"process {pid} uses this home" if pid else "a process uses this home"
