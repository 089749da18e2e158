"""Limits of voting power (protocol.md section 7)."""

from collections.abc import Mapping
from typing import Final

from enigmacli.errors import GenesisError

MAX_POWER: Final = 2**50
"""Of one validator."""
MAX_TOTAL: Final = 2**59
"""Of all validators; CometBFT's own limit is 2^60."""


def check_powers(powers: Mapping[bytes, int]) -> None:
    """Refuse a first validator set whose powers break a limit.

    Raises:
        GenesisError: a power below 1 or above :data:`MAX_POWER`, or too much in all.
    """
    for key in sorted(powers):
        if not 1 <= powers[key] <= MAX_POWER:
            raise GenesisError(f"validator {key.hex()} must have a power from 1 to 2^50")
    if sum(powers.values()) > MAX_TOTAL:
        raise GenesisError("the validators' total power is above 2^59")
