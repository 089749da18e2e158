"""Evidence of the factory, judged: what the tests of DCAP verification share."""

from datetime import datetime
from typing import Any, Final

import pytest

from enclave.checks import Check
from enclave.errors import EnclaveError
from enclave.times import US_PER_S
from enclave.verify.dcap import VerifiedQuote, verify_quote
from tests.simulators.dcap_factory import AT, Made, make
from tests.simulators.dcap_quote_factory import Form

SKEW_S: Final = 30


def us(moment: datetime) -> int:
    return int(moment.timestamp()) * US_PER_S


def verify(
    made: Made, checks: list[Check] | None = None, at: datetime = AT, **changes: Any
) -> VerifiedQuote:
    """Judge evidence under its own root."""
    question: dict[str, Any] = {"at_us": us(at), "max_clock_skew_s": SKEW_S} | changes
    return verify_quote(made.evidence, made.roots, [] if checks is None else checks, **question)


def accepted(form: Form, **changes: Any) -> VerifiedQuote:
    return verify(make(form, **changes))


def refusal(made: Made, at: datetime = AT) -> str:
    """Name of the rule that refuses; its error is of the same code, or of its family's."""
    checks: list[Check] = []
    with pytest.raises(EnclaveError) as caught:
        verify(made, checks, at)
    assert [check.ok for check in checks] == [True] * (len(checks) - 1) + [False]
    assert checks[-1].id.startswith(caught.value.code)
    assert checks[-1].expected == caught.value.expected
    return checks[-1].id


def refused(form: Form, **changes: Any) -> str:
    return refusal(make(form, **changes))
