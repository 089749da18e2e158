"""What a rule says it expects, as text; lists of a policy are joined once."""

from functools import lru_cache
from typing import Final

NOT_JUDGED: Final = "anything (not judged)"
"""Expected, where the scope only reports what was seen."""

_MAX_CHARACTERS: Final = 1024


@lru_cache(maxsize=64)
def any_of(words: tuple[str, ...]) -> str:
    """One of these words; a long list is cut, an empty one allows nothing."""
    return ", ".join(words)[:_MAX_CHARACTERS] or "nothing"


def listed(words: tuple[str, ...]) -> str:
    """All of these words, as they were seen; cut where an attacker wrote too many."""
    return ", ".join(words[:32])[:400] or "none"
