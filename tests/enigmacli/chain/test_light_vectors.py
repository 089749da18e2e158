"""What CometBFT's own light client accepts and refuses, and what ours says of the same headers."""

from typing import Any

import pytest

from enigmacli.chain import light
from enigmacli.chain.answers import SignedHeader, ValidatorsAnswer
from enigmacli.chain.block_time import SECOND_NS, parse_time
from enigmacli.chain.rpc_json import from_json
from enigmacli.chain.validators import ValidatorSet
from enigmacli.errors import UntrustedAnswerError
from tests.vector_files import vectors


def read(vector: dict[str, Any], name: str) -> tuple[SignedHeader, ValidatorSet]:
    found = from_json(SignedHeader, {"signed_header": vector[name], "canonical": True})
    answer = from_json(ValidatorsAnswer, vector[f"{name}_validators"])
    return found, ValidatorSet.of(answer.validators)


def verify(vector: dict[str, Any]) -> None:
    trusted, trusted_voters = read(vector, "trusted")
    new, voters = read(vector, "new")
    moment = {
        "now_ns": parse_time(vector["now"]),
        "trusting_period_ns": vector["trusting_period_s"] * SECOND_NS,
    }
    if new.header.height == trusted.header.height + 1:
        light.verify_adjacent(trusted.header, voters, new.header, new.commit, **moment)
    else:
        light.verify_skipping(
            trusted.header, trusted_voters, voters, new.header, new.commit, **moment
        )


@pytest.mark.parametrize("vector", vectors("cometbft_light_verify"))
def test_a_header_is_judged_as_cometbft_does(vector: dict[str, Any]) -> None:
    if vector["ok"]:
        verify(vector)
        return
    with pytest.raises(UntrustedAnswerError) as caught:
        verify(vector)
    if "wrong signature" not in vector["error"]:  # ours counts it for nothing and looks between
        overlaps = not isinstance(caught.value, light.TooLittleOverlapError)
        assert overlaps is not vector["too_little_overlap"]


def test_the_vectors_hold_both_verdicts_for_both_kinds() -> None:
    seen = {
        (name.partition("_")[0], vector["ok"], vector["too_little_overlap"])
        for vector, name in ((one.values[0], one.id) for one in vectors("cometbft_light_verify"))
    }

    assert {
        ("adjacent", True, False), ("adjacent", False, False),
        ("skipping", True, False), ("skipping", False, False), ("skipping", False, True),
    } <= seen  # fmt: skip
