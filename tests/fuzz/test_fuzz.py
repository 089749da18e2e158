"""A short, seeded sample of what scripts/fuzz.py does for as long as it is told to."""

from pathlib import Path
from typing import Final

import pytest

from tests.fuzz.targets import run

pytestmark = pytest.mark.e2e

SEED: Final = 20_260_101
# what shows that the inputs get behind the first door
REACHED: Final = {
    "enclave-calls": ("keys: enclave-call-malformed", "keys: done", "judge: container-malformed"),
    "check-tx": ("sdk 2", "register 6", "register 2"),
    "json-rpc": ("POST 200", "POST 500", "GET 404", "raw HTTP"),
}


@pytest.mark.parametrize("target", REACHED)
def test_nothing_that_is_sent_breaks_it(target: str, tmp_path: Path) -> None:
    outcome = run(target, tmp_path, SEED, most_s=8, most_inputs=1500)

    assert outcome.failures == []
    assert outcome.inputs >= 100
    for kind in REACHED[target]:
        assert outcome.kinds.get(kind), outcome.kinds
