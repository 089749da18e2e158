"""What becomes stricter and what looser from one policy to another.

*Stricter*: something that was accepted is refused from now on; *looser*: the other way
round. A member that is changed in both directions appears twice. Whatever the difference,
another policy is another network, since network_id is made of it.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from enclave.appraise.policy import Policy
from enclave.appraise.reference_values import SgxMeasurement, TdxMeasurement
from enigmacli.policy_words import duration, measurement_words, root_words

STRICTER: Final = "stricter"
LOOSER: Final = "looser"
OTHER: Final = "other"
"""Neither refuses nor accepts more."""


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between two policies."""

    member: str
    effect: str
    """:data:`STRICTER`, :data:`LOOSER` or :data:`OTHER`."""
    message: str


def policy_changes(before: Policy, after: Policy) -> tuple[Change, ...]:
    """Every difference, by member; empty if and only if the policies are equal."""
    return tuple(
        change for member, compare in _COMPARE.items() for change in compare(member, before, after)
    )


Compare = Callable[[str, Policy, Policy], Iterator[Change]]


def _allow_list(show: Callable[[Any], str]) -> Compare:
    """Items that are accepted: one more is looser, one less stricter."""

    def compare(member: str, before: Policy, after: Policy) -> Iterator[Change]:
        old, new = getattr(before, member), getattr(after, member)
        for item in old:
            if item not in new:
                yield Change(member, STRICTER, f"no longer accepts {show(item)}")
        for item in new:
            if item not in old:
                yield Change(member, LOOSER, f"accepts {show(item)}")

    return compare


def _limit(when_higher: str, show: Callable[[int], str]) -> Compare:
    when_lower = LOOSER if when_higher == STRICTER else STRICTER

    def compare(member: str, before: Policy, after: Policy) -> Iterator[Change]:
        old, new = getattr(before, member), getattr(after, member)
        if old != new:
            effect = when_higher if new > old else when_lower
            yield Change(member, effect, f"{show(old)} becomes {show(new)}")

    return compare


def _flag(when_true: str) -> Compare:
    when_false = LOOSER if when_true == STRICTER else STRICTER

    def compare(member: str, before: Policy, after: Policy) -> Iterator[Change]:
        old, new = getattr(before, member), getattr(after, member)
        if old != new:
            words = "false becomes true" if new else "true becomes false"
            yield Change(member, when_true if new else when_false, words)

    return compare


def _owner(member: str, before: Policy, after: Policy) -> Iterator[Change]:
    """Evidence that binds an account and evidence that binds none exclude each other."""
    if before.require_owner == after.require_owner:
        return
    which = ("evidence that binds no account", "evidence that binds its sender's account")
    yield Change(member, STRICTER, f"no longer accepts {which[before.require_owner]}")
    yield Change(member, LOOSER, f"accepts {which[after.require_owner]}")


def _gas_price(member: str, before: Policy, after: Policy) -> Iterator[Change]:
    (old, old_coin), (new, new_coin) = before.gas_price(), after.gas_price()
    if before.min_gas_price == after.min_gas_price:
        return
    effect = OTHER
    if old_coin == new_coin and old != new:
        effect = STRICTER if new > old else LOOSER
    yield Change(member, effect, f"{before.min_gas_price} becomes {after.min_gas_price}")


def _note(member: str, before: Policy, after: Policy) -> Iterator[Change]:
    if before.note != after.note:
        yield Change(member, OTHER, f"{before.note!r} becomes {after.note!r}")


def _measurements(member: str, before: Policy, after: Policy) -> Iterator[Change]:
    """An entry counts as gone or new only where no other entry accepts the same."""
    old, new = before.measurements, after.measurements
    for item in old:
        if item not in new:
            kept = any(_covers(other, item) for other in new)
            words = "another entry accepts" if kept else "no longer accepts"
            effect = OTHER if kept else STRICTER
            yield Change(member, effect, f"{words} {measurement_words(item)}")
    for item in new:
        if item not in old:
            had = any(_covers(other, item) for other in old)
            words = "names apart what was accepted:" if had else "accepts"
            yield Change(member, OTHER if had else LOOSER, f"{words} {measurement_words(item)}")


def _covers(wide: SgxMeasurement | TdxMeasurement, narrow: SgxMeasurement | TdxMeasurement) -> bool:
    """Whether all that ``narrow`` accepts, ``wide`` accepts."""
    if not isinstance(wide, SgxMeasurement) or not isinstance(narrow, SgxMeasurement):
        return wide == narrow
    return (
        wide.mr_enclave == narrow.mr_enclave
        and wide.mr_signer in (None, narrow.mr_signer)
        and wide.isv_prod_id in (None, narrow.isv_prod_id)
        and (wide.min_isv_svn or 0) <= (narrow.min_isv_svn or 0)
    )


_COMPARE: Final[Mapping[str, Compare]] = MappingProxyType(
    {
        "simulation": _flag(LOOSER),
        "trust_roots": _allow_list(root_words),
        "evidence_kinds": _allow_list(str),
        "epid_quote_statuses": _allow_list(str),
        "platform_tcb_statuses": _allow_list(str),
        "qe_tcb_statuses": _allow_list(str),
        "advisories": _allow_list(str),
        "min_tcb_evaluation_data_number": _limit(STRICTER, str),
        "allow_debug": _flag(LOOSER),
        "measurements": _measurements,
        "max_evidence_age_s": _limit(LOOSER, duration),
        "max_clock_skew_s": _limit(LOOSER, duration),
        "require_owner": _owner,
        "max_registrations_per_block": _limit(LOOSER, str),
        "min_gas_price": _gas_price,
        "note": _note,
    }
)
