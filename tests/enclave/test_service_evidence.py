from typing import Any

import pytest

from enclave import calls
from enclave.binding import bootstrap_report_data, registration_report_data
from enclave.errors import (
    BindingError,
    BoundKeyError,
    CallError,
    ClockBackwardsError,
    ContainerFormatError,
    EnclaveError,
    EvidenceTooOldError,
    MeasurementNotAllowedError,
    NoRegistrationKeyError,
    NoSeedError,
    NotConfiguredError,
    PublicKeyError,
    UnsupportedEvidenceError,
)
from tests.corpus import load
from tests.simulators.attested_network import NOW_US, OWNER, AttestedNetwork
from tests.simulators.enclave_home import DAY_US, MEASUREMENT, NETWORK, EnclaveHome


def test_registration_evidence_binds_key_network_and_owner(newcomer: EnclaveHome) -> None:
    quote = newcomer.evidence()

    node_id, network_id = newcomer.status().node_id, NETWORK.configuration.network_id
    assert quote[368:432] == registration_report_data(node_id, network_id, OWNER)


def test_bootstrap_evidence_binds_the_networks_keys(first: EnclaveHome) -> None:
    public = first.public_keys()

    quote = first.evidence("bootstrap", bytes(20))

    network_id = NETWORK.configuration.network_id
    assert quote[368:432] == bootstrap_report_data(public.exchange_pk, network_id, public.io_pk)


def test_evidence_needs_the_key_that_it_binds(
    home: EnclaveHome, first: EnclaveHome, newcomer: EnclaveHome
) -> None:
    with pytest.raises(NotConfiguredError):
        home.evidence()
    with pytest.raises(NoRegistrationKeyError):
        first.evidence()
    with pytest.raises(NoSeedError):
        newcomer.evidence("bootstrap", bytes(20))


@pytest.mark.parametrize(
    ("purpose", "kind", "owner", "error"),
    [
        ("registration", "sev-snp", OWNER, UnsupportedEvidenceError),
        ("registration", "dcap-sgx", OWNER, CallError),
        ("registration", "epid", bytes(20), CallError),
        ("bootstrap", "epid", OWNER, CallError),
        ("anything", "epid", OWNER, CallError),
    ],
)
def test_refuses_evidence_of_another_form(
    first: EnclaveHome, purpose: str, kind: str, owner: bytes, error: type[EnclaveError]
) -> None:
    first.keygen()

    with pytest.raises(error):
        first.service.evidence(calls.Evidence(purpose, kind, owner, b""))


def test_where_no_owner_is_required_none_is_taken(home: EnclaveHome) -> None:
    network = AttestedNetwork(MEASUREMENT, {"require_owner": False})
    home.keygen(network)
    home.bootstrap(network)
    certificate = network.certify(home.evidence(owner=bytes(20)))

    with pytest.raises(CallError, match="requires no owner"):
        home.evidence(owner=OWNER)
    with pytest.raises(CallError, match="requires no owner"):
        home.service.judge(calls.Judge(certificate, OWNER, NOW_US, catch_up=False))
    with pytest.raises(CallError, match="requires no owner"):
        home.service.admit(calls.Admit(certificate, OWNER, NOW_US))
    assert home.service.admit(calls.Admit(certificate, bytes(20), NOW_US)).epoch == 0


def test_admits_a_newcomer_with_the_same_bytes_every_time(
    first: EnclaveHome, newcomer: EnclaveHome
) -> None:
    certificate = newcomer.certificate()

    answer = first.admit(certificate)

    assert answer == first.admit(certificate)
    assert answer.node_id == newcomer.status().node_id
    assert (answer.epoch, len(answer.encrypted_seed)) == (0, 48)
    assert (answer.evidence_kind, answer.tcb_status) == ("epid", "OK")
    assert answer.measurement == MEASUREMENT


def test_admits_with_the_bytes_of_the_known_answers(home: EnclaveHome) -> None:
    known = load("kat/protocol_v1.json")
    home.set_seeds(*(bytes.fromhex(epoch["seed"]) for epoch in known["epochs"]))
    node_id = bytes.fromhex(known["node_id"])
    network_id = NETWORK.configuration.network_id
    certificate = NETWORK.certify_report_data(registration_report_data(node_id, network_id, OWNER))

    answer = home.admit(certificate)

    assert (answer.node_id, answer.epoch, len(answer.encrypted_seed)) == (node_id, 1, 96)


def test_admits_nobody_without_a_seed(newcomer: EnclaveHome) -> None:
    with pytest.raises(NoSeedError):
        newcomer.admit(newcomer.certificate())


def test_admits_no_bad_public_key_inside_evidence(first: EnclaveHome) -> None:
    network_id = NETWORK.configuration.network_id
    points = load("kat/protocol_v1.json")["refuse_registration_pk"]

    assert points
    for point in points:
        data = registration_report_data(bytes.fromhex(point), network_id, OWNER)
        with pytest.raises((BoundKeyError, PublicKeyError)):
            first.admit(NETWORK.certify_report_data(data))


def test_admits_nobody_by_another_policy_or_for_another_owner(
    first: EnclaveHome, newcomer: EnclaveHome
) -> None:
    certificate = newcomer.certificate()
    other_code = AttestedNetwork(b"\x02" * 32).certify_report_data(newcomer.evidence()[368:432])

    with pytest.raises(MeasurementNotAllowedError):
        first.admit(other_code)
    with pytest.raises(BindingError):
        first.service.admit(calls.Admit(certificate, b"\x01" * 20, NOW_US))
    with pytest.raises(EvidenceTooOldError):
        first.admit(certificate, NOW_US + DAY_US + 1)
    with pytest.raises(ContainerFormatError):
        first.admit(b"")


def test_the_clock_only_moves_forwards_and_admission_never_moves_it(
    first: EnclaveHome, newcomer: EnclaveHome
) -> None:
    certificate = newcomer.certificate()
    first.service.advance(calls.Advance(NOW_US))
    sealed = first.file("clock").read_bytes()

    first.service.advance(calls.Advance(NOW_US - 1))
    first.admit(certificate, NOW_US + 5)
    first.service.advance(calls.Advance(NOW_US))

    assert first.status().clock_us == NOW_US
    assert first.file("clock").read_bytes() == sealed
    with pytest.raises(ClockBackwardsError):
        first.admit(certificate, NOW_US - 1)
    first.admit(certificate, NOW_US)


def test_the_clock_needs_a_network(home: EnclaveHome) -> None:
    with pytest.raises(NotConfiguredError):
        home.service.advance(calls.Advance(NOW_US))


def recheck(
    node: EnclaveHome, certificate: bytes, confirm: calls.AdmitReply, at_us: int = NOW_US
) -> bool:
    return node.service.recheck(calls.Recheck(certificate, OWNER, at_us, confirm)).equal


def test_rechecks_any_confirm_at_any_time(first: EnclaveHome, newcomer: EnclaveHome) -> None:
    certificate = newcomer.certificate()
    confirm = first.admit(certificate)
    first.service.advance(calls.Advance(NOW_US + 10))

    assert recheck(first, certificate, confirm)
    assert not recheck(first, certificate, confirm, NOW_US + 2 * DAY_US)  # too old by then
    assert not recheck(first, certificate[:-1], confirm)
    assert not recheck(first, b"\x02", confirm)


def change_confirm(confirm: calls.AdmitReply, **changes: Any) -> calls.AdmitReply:
    names = ("node_id", "encrypted_seed", "epoch", "evidence_kind", "measurement", "tcb_status")
    return calls.AdmitReply(**{name: getattr(confirm, name) for name in names} | changes)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("node_id", bytes(32)),
        ("encrypted_seed", bytes(48)),
        ("encrypted_seed", b""),
        ("evidence_kind", "dcap-sgx"),
        ("measurement", bytes(32)),
        ("tcb_status", "SW_HARDENING_NEEDED"),
    ],
)
def test_a_forged_confirm_is_not_equal(
    first: EnclaveHome, newcomer: EnclaveHome, name: str, value: object
) -> None:
    certificate = newcomer.certificate()
    confirm = first.admit(certificate)

    assert not recheck(first, certificate, change_confirm(confirm, **{name: value}))


def test_rechecks_the_confirms_of_earlier_epochs(first: EnclaveHome, newcomer: EnclaveHome) -> None:
    certificate = newcomer.certificate()
    early = first.admit(certificate)
    first.add_seeds(b"\x07" * 32)
    late = first.admit(certificate)

    assert late.epoch == 1
    assert recheck(first, certificate, early)
    assert recheck(first, certificate, late)
    with pytest.raises(NoSeedError, match="that epoch"):
        recheck(first, certificate, change_confirm(late, epoch=2))
