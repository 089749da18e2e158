from typing import Any

import pytest

from enigmacli.errors import ConfigError
from enigmacli.simulated_intel.behaviour import Behaviour
from enigmacli.simulated_intel.faults import Endpoint
from enigmacli.simulated_intel.report_body import Finding, QuoteStatus


def test_a_request_changes_what_it_names_and_nothing_else() -> None:
    before = Behaviour().changed({"latency_ms": 5, "quote_status": "KEY_REVOKED"})

    after = before.changed({"advisory_ids": ["INTEL-SA-00615"]})

    assert after.finding == Finding(QuoteStatus.KEY_REVOKED, ("INTEL-SA-00615",))
    assert after.latency_ms == 5
    assert before.finding.advisory_ids is None


def test_every_setting_is_shown_as_it_is_set() -> None:
    settings: dict[str, Any] = {
        "quote_status": "GROUP_OUT_OF_DATE",
        "advisory_ids": ["INTEL-SA-00615"],
        "tcb_evaluation_data_number": 20,
        "latency_ms": 60_000,
        "sig_rl": "cmV2b2tlZA==",
    }

    behaviour = Behaviour().changed({**settings, "next": ["503,times=2", "drop-connection"]})

    assert behaviour.shown() == settings | {"faults_left": 3}
    assert behaviour.sig_rl == b"revoked"
    assert behaviour.faults.take(Endpoint.SIGRL) is not None


def test_advisories_can_be_left_to_the_status_again() -> None:
    chosen = Behaviour().changed({"advisory_ids": []})
    assert chosen.finding.advisory_ids == ()

    assert chosen.changed({"advisory_ids": None}).finding.advisory_ids is None


@pytest.mark.parametrize(
    "members",
    [
        {"unknown": 1},
        {"quote_status": "ok"},
        {"quote_status": None},
        {"quote_status": ["OK"]},
        {"advisory_ids": "INTEL-SA-00615"},
        {"advisory_ids": ["INTEL-SA-615"]},
        {"advisory_ids": [615]},
        {"advisory_ids": ["INTEL-SA-00615"] * 65},
        {"tcb_evaluation_data_number": -1},
        {"tcb_evaluation_data_number": "17"},
        {"tcb_evaluation_data_number": 2**31},
        {"latency_ms": 60_001},
        {"latency_ms": True},
        {"sig_rl": "*"},
        {"sig_rl": 1},
        {"sig_rl": "A" * 65_536},
        {"next": "503"},
        {"next": [503]},
        {"next": ["503"] * 65},
        {"next": ["503", "unknown"]},
    ],
)
def test_an_unknown_or_malformed_setting_is_refused(members: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        Behaviour().changed(members)
