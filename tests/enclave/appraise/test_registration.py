from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enclave.appraise.policy import Policy
from enclave.appraise.registration import judge_bootstrap, judge_registration
from enclave.binding import bootstrap_report_data, registration_report_data
from enclave.calls import JudgeReply
from enclave.errors import (
    BindingError,
    BoundKeyError,
    CertificateChainError,
    ContainerNotAllowedError,
    DebugEnclaveError,
    EvidenceFormatError,
    EvidenceTooOldError,
    MeasurementNotAllowedError,
    NotYetValidError,
    PolicyError,
    ReportSignatureError,
    VerificationError,
)
from tests import corpus
from tests.enclave import simulated_pki as pki

NETWORK = b"n" * 32
OWNER = bytes(range(20))
NODE_ID = b"\x09" + bytes(31)
IO_PK = b"\x0a" + bytes(31)
S = 1_000_000


def certificate(
    node_id: bytes = NODE_ID,
    network: bytes = NETWORK,
    owner: bytes = OWNER,
    *,
    flags: int = 0x05,
    **changes: Any,
) -> bytes:
    data = registration_report_data(node_id, network, owner)
    return pki.on_chain(pki.signed(pki.report(pki.quote_body(data, flags=flags), **changes)))


def judge(
    evidence: bytes,
    policy: Policy | None = None,
    *,
    owner: bytes = OWNER,
    network: bytes = NETWORK,
    at_us: int = pki.AT_US,
    catch_up: bool = False,
) -> JudgeReply:
    return judge_registration(
        evidence, owner, policy or pki.policy(), network, at_us, catch_up=catch_up
    )


def test_acceptable_evidence_gives_the_attestation_result() -> None:
    assert judge(certificate()) == JudgeReply(
        node_id=NODE_ID,
        evidence_kind="epid",
        measurement=pki.MR_ENCLAVE,
        tcb_status="OK",
        valid_from_us=pki.AT_US,
        valid_until_us=pki.AT_US + 3600 * S,
    )


def test_the_same_evidence_gives_the_same_result_at_every_time_it_is_valid() -> None:
    evidence = certificate()
    reply = judge(evidence)

    assert judge(evidence, at_us=reply.valid_from_us - 30 * S) == reply
    assert judge(evidence, at_us=reply.valid_until_us) == reply
    with pytest.raises(NotYetValidError):
        judge(evidence, at_us=reply.valid_from_us - 30 * S - 1)
    with pytest.raises(EvidenceTooOldError):
        judge(evidence, at_us=reply.valid_until_us + 1)


def test_an_age_without_end_ends_where_numbers_do() -> None:
    reply = judge(certificate(), pki.policy(max_evidence_age_s=2**53 - 1), at_us=2**63 - 1)

    assert reply.valid_until_us == 2**63 - 1


def test_catching_up_judges_at_the_start_date_where_that_is_later() -> None:
    evidence = certificate()

    assert judge(evidence, at_us=0, catch_up=True) == judge(evidence)
    with pytest.raises(EvidenceTooOldError):
        judge(evidence, at_us=pki.AT_US + 3600 * S + 1, catch_up=True)
    with pytest.raises(NotYetValidError):
        judge(evidence, at_us=0)


@pytest.mark.parametrize(
    "bound",
    [
        {"network": b"m" * 32},
        {"owner": bytes(20)},
        {"owner": OWNER[::-1]},
    ],
    ids=["network", "no owner", "owner"],
)
def test_evidence_bound_to_something_else_is_refused(bound: dict[str, Any]) -> None:
    evidence = certificate(**bound)

    with pytest.raises(BindingError) as caught:
        judge(evidence)

    assert caught.value.code == "binding-mismatch"
    assert caught.value.expected.startswith(NODE_ID.hex())
    assert judge(evidence, **bound)


@pytest.mark.parametrize("tail", [bytes(32), b"\x01" * 32])
def test_a_tail_that_binds_nothing_is_refused(tail: bytes) -> None:
    evidence = pki.on_chain(pki.signed(pki.report(pki.quote_body(NODE_ID + tail))))

    with pytest.raises(BindingError):
        judge(evidence)


def test_without_owners_the_zero_owner_is_bound_whoever_sends() -> None:
    policy = pki.policy(require_owner=False)

    assert judge(certificate(owner=bytes(20)), policy, owner=OWNER)
    assert judge(certificate(owner=bytes(20)), policy, owner=bytes(20))
    with pytest.raises(BindingError):
        judge(certificate(owner=OWNER), policy, owner=OWNER)


def test_a_key_that_is_not_canonical_or_of_small_order_is_refused() -> None:
    refused_keys = corpus.load("kat/protocol_v1.json")["refuse_registration_pk"]

    assert refused_keys
    for text in refused_keys:
        with pytest.raises(BoundKeyError):
            judge(certificate(bytes.fromhex(text)))


def test_authenticity_comes_before_policy() -> None:
    data = pki.report(pki.quote_body(flags=0x07))
    forged = replace(pki.signed(data), signature=pki.sign(data, "attacker"))

    with pytest.raises(ReportSignatureError):
        judge(pki.on_chain(forged))


def test_the_future_comes_before_policy() -> None:
    with pytest.raises(NotYetValidError):
        judge(certificate(flags=0x07), at_us=0)


def test_policy_comes_before_age_and_age_before_binding() -> None:
    with pytest.raises(DebugEnclaveError):
        judge(certificate(flags=0x07), at_us=2**62)
    with pytest.raises(EvidenceTooOldError):
        judge(certificate(network=bytes(32)), at_us=2**62)


def test_the_measurement_is_judged() -> None:
    with pytest.raises(MeasurementNotAllowedError):
        judge(certificate(), pki.policy(measurements=[]))


def test_a_simulated_report_is_refused_on_a_production_chain() -> None:
    policy = pki.policy(trust_roots=["intel"], simulation=False)

    with pytest.raises(CertificateChainError):
        judge(certificate(), policy)


def test_a_genuine_report_is_refused_on_a_simulated_chain() -> None:
    genuine = corpus.corpus_dir() / "secretnetwork" / "attestation_cert_hw_invalid_test.der"

    with pytest.raises(CertificateChainError):
        judge(genuine.read_bytes())


def test_a_genuine_report_passes_everything_but_the_binding_on_a_production_chain() -> None:
    genuine = corpus.corpus_dir() / "secretnetwork" / "attestation_cert_hw_invalid_test.der"
    expect = corpus.load("ias/secretnetwork_hw_invalid_test.json")["expect"]
    measurement = {key: expect[key] for key in ("mr_enclave", "mr_signer", "isv_prod_id")}
    policy = pki.policy(trust_roots=["intel"], simulation=False, measurements=[measurement])

    with pytest.raises(BindingError) as caught:
        judge(genuine.read_bytes(), policy, catch_up=True, at_us=0)

    assert caught.value.seen == expect["report_data"]


def test_forms_that_are_read_off_chain_only_are_refused() -> None:
    older = corpus.corpus_dir() / "secretnetwork" / "attestation_cert_hw_old"

    with pytest.raises(ContainerNotAllowedError):
        judge(older.read_bytes())


def bootstrap(
    exchange_pk: bytes = NODE_ID, io_pk: bytes = IO_PK, network: bytes = NETWORK
) -> bytes:
    data = bootstrap_report_data(exchange_pk, network, io_pk)
    return pki.on_chain(pki.signed(pki.report(pki.quote_body(data))))


def judge_keys(
    evidence: bytes, exchange_pk: bytes = NODE_ID, io_pk: bytes = IO_PK, at_us: int = pki.AT_US
) -> JudgeReply:
    return judge_bootstrap(evidence, exchange_pk, io_pk, pki.policy(), NETWORK, at_us)


def test_bootstrap_evidence_proves_the_networks_keys() -> None:
    reply = judge_keys(bootstrap())

    assert reply.node_id == NODE_ID
    assert reply.measurement == pki.MR_ENCLAVE


def test_bootstrap_evidence_for_other_keys_or_another_network_is_refused() -> None:
    with pytest.raises(BindingError):
        judge_keys(bootstrap(), exchange_pk=IO_PK)
    with pytest.raises(BindingError):
        judge_keys(bootstrap(), io_pk=NODE_ID)
    with pytest.raises(BindingError):
        judge_keys(bootstrap(network=bytes(32)))


def test_registration_evidence_is_no_bootstrap_evidence_and_the_other_way_round() -> None:
    with pytest.raises(BindingError):
        judge_keys(certificate(owner=bytes(20)))
    with pytest.raises(BindingError):
        judge(bootstrap())


def test_network_keys_are_canonical() -> None:
    with pytest.raises(BoundKeyError):
        judge_keys(bootstrap(exchange_pk=bytes(32)), exchange_pk=bytes(32))
    with pytest.raises(BoundKeyError):
        judge_keys(bootstrap(io_pk=b"\xff" * 32), io_pk=b"\xff" * 32)


def test_bootstrap_evidence_is_judged_at_its_own_time() -> None:
    with pytest.raises(EvidenceTooOldError):
        judge_keys(bootstrap(), at_us=pki.AT_US + 3600 * S + 1)
    with pytest.raises(NotYetValidError):
        judge_keys(bootstrap(), at_us=0)


@pytest.mark.parametrize("catch_up", [False, True])
@given(data=st.binary(max_size=200), at_us=st.integers(0, 2**63 - 1))
def test_any_bytes_at_any_time_are_malformed(data: bytes, at_us: int, *, catch_up: bool) -> None:
    with pytest.raises(EvidenceFormatError):
        judge(data, at_us=at_us, catch_up=catch_up)


@given(st.integers(0, 2999), st.integers(0, 255))
def test_a_changed_byte_is_refused_or_changes_nothing(at: int, value: int) -> None:
    evidence = bytearray(certificate())
    evidence[at % len(evidence)] = value
    try:
        reply = judge(bytes(evidence))
    except (EvidenceFormatError, VerificationError, PolicyError):
        return
    assert reply == judge(certificate())
