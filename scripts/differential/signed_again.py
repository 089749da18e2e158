# ruff: noqa: INP001 -- a part of a program, in no package
"""Simulated evidence with one thing changed and everything signed again.

What no mutation of real evidence can reach: the signatures hold, so only the rule about the
changed thing is left. The changes are the numbered negative cases of the tests.
"""

from collections.abc import Iterator
from typing import Final

from scripts.differential.verdicts import Case
from tests.negatives import dcap
from tests.negatives.dcap_document_cases import DOCUMENT_CASES
from tests.negatives.dcap_pki_cases import PKI_CASES
from tests.negatives.dcap_quote_cases import QUOTE_CASES
from tests.negatives.dcap_tcb_cases import TCB_CASES
from tests.simulators.dcap_factory import make

_ALL: Final = (*QUOTE_CASES, *PKI_CASES, *DOCUMENT_CASES, *TCB_CASES)


def signed_again() -> Iterator[Case]:
    """Sound evidence of every form, then every numbered case."""
    sound = [dcap.Case(0, "unchanged", dcap.ACCEPTED, {}, form) for form in dcap.ALL]
    for case in (*sound, *_ALL):
        made = case.made()
        rooted = made if case.roots_of is None else make(case.form, **case.roots_of)
        yield Case(
            name=f"case {case.number}, {case.title}",
            family="simulated, signed again",
            quote=made.quote,
            collateral=made.collateral,
            at_s=int(case.at.timestamp()),
            root=rooted.root_der,
        )
