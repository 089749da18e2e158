"""A check: one rule of judgement, what it wanted and what it saw.

The trusted side stops at the first rule that fails and raises its error. ``attest verify``
runs the same rules and shows all of them, so each is a value first and an error second.
"""

from typing import Final, NamedTuple

from enclave.errors import EnclaveError


class Check(NamedTuple):
    """The outcome of one rule. A tuple, because each judgement makes twenty-five of them."""

    id: str
    """The error code of the rule, or the rule's own name where several share an error."""
    ok: bool
    expected: str
    seen: str
    error: type[EnclaveError]
    message: str

    def refusal(self) -> EnclaveError:
        """A new error that says why this rule failed."""
        return self.error(self.message, expected=self.expected, seen=self.seen)


_new: Final = tuple.__new__
"""What ``Check(...)`` does, without its own call around it."""


def judge(
    error: type[EnclaveError],
    ok: bool,  # noqa: FBT001 -- read as: this error unless that holds
    message: str,
    *,
    expected: str,
    seen: str,
    name: str = "",
) -> Check:
    """One rule's outcome.

    Args:
        error: raised where the rule fails.
        ok: whether the rule holds.
        message: what a failure means, lower case, without full stop.
        expected: what the rule wants.
        seen: what there is.
        name: the rule's own name, where ``error`` serves several rules.
    """
    shown = seen if seen.isprintable() else ascii(seen)[1:-1]
    return _new(Check, (name or error.code, ok, expected, shown, error, message))


def printable(text: str) -> str:
    """``text`` with control characters escaped: it may come from an attacker, and go to a log."""
    return text if text.isprintable() else ascii(text)[1:-1]


def require(checks: list[Check], check: Check) -> None:
    """Record ``check``, and stop at it if it failed.

    Raises:
        EnclaveError: the error of the rule.
    """
    if not check.ok:
        raise refused(checks, check)
    checks.append(check)


def refused(checks: list[Check], check: Check) -> EnclaveError:
    """Record a check that failed; the caller raises what this returns."""
    checks.append(check)
    return check.refusal()


def failed(error: EnclaveError) -> Check:
    """The check of a rule that already answered with its error."""
    return judge(
        type(error), ok=False, message=error.message, expected=error.expected, seen=error.seen
    )
