from dataclasses import dataclass, field

import pytest

from enclave.calls import JudgeReply, PublicKeysReply
from enclave.errors import InstallError, MeasurementNotAllowedError, QuoteFormatError
from enigmacli.app.app_state import NetworkKeys
from enigmacli.errors import NotFoundError, TxRejectedError, WaitTimeoutError
from enigmacli.registration import (
    NO_OWNER,
    Backoff,
    bound_owner,
    claimed_node_id,
    preview,
    register,
    try_unseal,
    unseal,
    wait_for_seed,
)
from enigmacli.submission import Receipt
from tests.simulators.dcap_factory import SGX_V3, TDX_V4, TDX_V5, make, tagged
from tests.simulators.dcap_quote_factory import Form
from tests.simulators.registering_chain import (
    EXCHANGE_PK,
    SimulatedChain,
    SimulatedClock,
    SimulatedRecord,
)

NODE = b"n" * 32
OWNER = b"o" * 20
NETWORK = NetworkKeys(EXCHANGE_PK, b"i" * 32, b"bootstrap evidence", 1_000_000)
SENT = Receipt(b"t" * 32, height=7)


@dataclass
class SimulatedJudge:
    """Accepts the certificates that it knows, at their time and with their owner."""

    known: dict[bytes, tuple[bytes, int]] = field(default_factory=dict)

    def judge(self, certificate: bytes, owner: bytes, at_us: int, *, catch_up: bool) -> JudgeReply:
        bound, newest_us = self.known[certificate]
        at_us = max(at_us, newest_us) if catch_up else at_us
        if owner != bound or at_us < newest_us:
            raise MeasurementNotAllowedError("mr_enclave", expected="aa", seen="bb")
        return JudgeReply(NODE, "epid", b"m" * 32, "OK", newest_us, at_us)


@dataclass
class SimulatedEnclave:
    """Opens one seed only, and only for the network whose keys it derives."""

    opens: bytes
    installed: bool = False

    def install(
        self,
        *,
        genesis_exchange_pk: bytes,
        genesis_io_pk: bytes,
        bootstrap_certificate: bytes,
        bootstrap_at_us: int,
        exchange_pk: bytes,
        encrypted_seed: bytes,
    ) -> PublicKeysReply:
        given = NetworkKeys(
            genesis_exchange_pk, genesis_io_pk, bootstrap_certificate, bootstrap_at_us
        )
        if encrypted_seed != self.opens or given != NETWORK or exchange_pk != EXCHANGE_PK:
            raise InstallError("the encrypted seed does not open")
        self.installed = True
        epoch = len(encrypted_seed) // 48 - 1
        return PublicKeysReply(epoch, EXCHANGE_PK, b"i" * 32, exchange_pk, b"i" * 32)


def with_record(owner: bytes = OWNER, epoch: int = 0, seed: bytes = b"s" * 48) -> SimulatedChain:
    return SimulatedChain(records={NODE: SimulatedRecord(owner, epoch, 5, seed)})


def never() -> Receipt:
    pytest.fail("a transaction was sent")


def test_the_preview_judges_as_check_tx_does_and_catches_up_with_newer_evidence() -> None:
    judge = SimulatedJudge({b"evidence": (OWNER, 2_000)})

    assert preview(judge, b"evidence", OWNER, 1_000).valid_from_us == 2_000


def test_the_preview_says_what_was_expected_and_seen() -> None:
    judge = SimulatedJudge({b"evidence": (OWNER, 0)})

    with pytest.raises(MeasurementNotAllowedError) as caught:
        preview(judge, b"evidence", b"x" * 20, 1_000)

    assert (caught.value.expected, caught.value.seen) == ("aa", "bb")


def test_the_owner_is_the_sender_only_where_the_policy_wants_one() -> None:
    assert bound_owner(OWNER, require_owner=True) == OWNER
    assert bound_owner(OWNER, require_owner=False) == NO_OWNER


def test_an_unknown_node_sends_its_registration() -> None:
    result = register(SimulatedChain(), NODE, OWNER, lambda: SENT)

    assert (result.receipt, result.height) == (SENT, 7)


def test_a_registered_node_sends_nothing() -> None:
    result = register(with_record(), NODE, OWNER, never)

    assert (result.receipt, result.height) == (None, 5)


def test_a_node_of_another_epoch_registers_again() -> None:
    result = register(with_record(epoch=1), NODE, OWNER, lambda: SENT)

    assert result.receipt == SENT


def test_a_node_of_another_owner_is_refused_before_a_fee_is_paid() -> None:
    with pytest.raises(TxRejectedError, match="nothing was sent") as caught:
        register(with_record(owner=b"x" * 20), NODE, OWNER, never)

    assert caught.value.details["code"] == 7
    assert caught.value.details["codespace"] == "register"


def test_waiting_ends_when_the_network_has_answered() -> None:
    chain = SimulatedChain()
    clock = SimulatedClock()

    def refusal() -> TxRejectedError | None:
        if clock.at_s >= 1001:
            chain.records[NODE] = SimulatedRecord(OWNER, 0, 9, b"e" * 48)
        return None

    assert wait_for_seed(chain, NODE, clock, timeout_s=60, refusal=refusal) == b"e" * 48
    assert 1001 <= clock.at_s < 1060


def test_the_pauses_grow_and_never_pass_the_deadline() -> None:
    clock = SimulatedClock()
    backoff = Backoff(first_s=1, factor=2, most_s=4)

    with pytest.raises(WaitTimeoutError):
        wait_for_seed(SimulatedChain(), NODE, clock, timeout_s=10, backoff=backoff)

    assert clock.naps == [1, 2, 4, 3]


@pytest.mark.parametrize(
    ("chain", "knows_transaction", "state"),
    [
        (SimulatedChain(), False, "unknown"),
        (SimulatedChain(), True, "not-included"),
        (SimulatedChain(down_for=10**6), True, "unreachable"),
    ],
)
def test_a_time_out_says_what_was_seen_last(
    chain: SimulatedChain, *, knows_transaction: bool, state: str
) -> None:
    refusal = (lambda: None) if knows_transaction else None

    with pytest.raises(WaitTimeoutError) as caught:
        wait_for_seed(chain, NODE, SimulatedClock(), timeout_s=1, refusal=refusal)

    assert caught.value.details["state"] == state
    assert caught.value.hint


def test_waiting_ends_at_once_when_the_chain_refused_the_transaction() -> None:
    refusal = TxRejectedError("mr_enclave is not in the allowed list")
    clock = SimulatedClock()

    with pytest.raises(TxRejectedError, match="mr_enclave"):
        wait_for_seed(SimulatedChain(), NODE, clock, timeout_s=60, refusal=lambda: refusal)

    assert not clock.naps


def test_the_seed_is_opened_with_the_keys_of_genesis() -> None:
    enclave = SimulatedEnclave(opens=b"s" * 48)

    keys = unseal(enclave, with_record(), NODE, NETWORK)

    assert enclave.installed
    assert keys.genesis_exchange_pk == EXCHANGE_PK


def test_a_seed_of_several_epochs_is_opened_with_the_current_exchange_key() -> None:
    enclave = SimulatedEnclave(opens=b"s" * 96)

    assert unseal(enclave, with_record(seed=b"s" * 96), NODE, NETWORK).epoch == 1


def test_a_lying_server_cannot_make_the_enclave_install_anything() -> None:
    enclave = SimulatedEnclave(opens=b"s" * 48)

    with pytest.raises(InstallError):
        unseal(enclave, with_record(seed=b"l" * 48), NODE, NETWORK)

    assert not enclave.installed


def test_unsealing_an_unregistered_node_says_that_it_is_unknown() -> None:
    with pytest.raises(NotFoundError):
        unseal(SimulatedEnclave(b""), SimulatedChain(), NODE, NETWORK)


def test_trying_answers_no_while_the_network_has_not_answered() -> None:
    enclave = SimulatedEnclave(opens=b"s" * 48)

    assert not try_unseal(enclave, SimulatedChain(), NODE, NETWORK)
    assert not try_unseal(enclave, SimulatedChain(down_for=9), NODE, NETWORK)
    assert try_unseal(enclave, with_record(), NODE, NETWORK)


@pytest.mark.parametrize("form", [SGX_V3, TDX_V4, TDX_V5])
def test_a_quote_claims_the_node_in_its_report_data(form: Form) -> None:
    made = make(form, body={"report_data": NODE + bytes(32)})

    assert claimed_node_id(made.container) == NODE


def test_a_malformed_quote_claims_no_node() -> None:
    with pytest.raises(QuoteFormatError):
        claimed_node_id(tagged((2, b"quote"), (3, b"collateral")))
