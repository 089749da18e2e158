"""``permissions``: may anybody else read a key, and may this user write?"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from enigmacli.doctor.checks import error, ok
from enigmacli.doctor.facts import Facts, Mode
from enigmacli.doctor.findings import Finding

_OTHERS: Final = 0o077
_ROOT: Final = 0


def judge(facts: Facts) -> Iterator[Finding]:
    """Findings about owners and modes."""
    home, folder = facts.home, facts.subject.home
    if home is None or not home.modes:
        return
    foreign = [one for one in home.modes if one.uid != home.uid]
    if foreign and home.uid == _ROOT:
        user = f"run as the home's owner: sudo -u '#{foreign[0].uid}' {facts.subject.program} …"
        yield error("permissions.owner", _named(foreign, folder, "another user's"), user)
    elif foreign:
        own = f"sudo chown -R {home.uid} {folder}"
        yield error("permissions.owner", _named(foreign, folder, "another user's"), own)
    else:
        yield ok("permissions.owner", "everything is this user's")
    open_ones = [one for one in home.modes if one.mode & _OTHERS]
    if open_ones:
        words = _named(open_ones, folder, f"open to others (mode {open_ones[0].mode:04o})")
        yield error("permissions.modes", words, f"chmod -R go= {folder}")
    else:
        yield ok("permissions.modes", f"{len(home.modes)} folders and files are closed to others")


def _named(modes: Sequence[Mode], folder: Path, what: str) -> str:
    first, more = modes[0].path, len(modes) - 1
    name = first.relative_to(folder) if first != folder else first
    return f"{name}{f' and {more} more' if more else ''}: {what}"
