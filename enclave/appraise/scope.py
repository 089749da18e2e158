"""Which rules of a policy are judged, and which are only reported.

A network always judges everything. A person who looks at foreign evidence has no reference
values for it; that is said here, openly, and never by an empty list that means "accept".
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class AppraisalScope:
    """Per rule whether it decides (True) or only tells the reader what was seen (False)."""

    measurement: bool
    advisories: bool
    age: bool


EVERYTHING: Final = AppraisalScope(measurement=True, advisories=True, age=True)
"""A network's judgement."""

PRODUCTION_ONLY: Final = AppraisalScope(measurement=False, advisories=False, age=False)
"""``attest verify`` without a policy: is this evidence of a production enclave at all?"""
