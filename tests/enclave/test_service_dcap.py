"""DCAP evidence from the calls of the keys role."""

import pytest

from enclave import calls, codec
from enclave.binding import bootstrap_report_data, registration_report_data
from enclave.errors import CallError
from enclave.evidence.dcap_quote import DcapQuote
from enigmacli.simulated_intel import certificates
from enigmacli.simulated_intel.dcap_pki import parse_pck_key
from tests.simulators.attested_network import OWNER
from tests.simulators.dcap_pki_factory import default_plans, key
from tests.simulators.enclave_home import NETWORK, EnclaveHome

NOBODY = bytes(20)


def certificate_of(home: EnclaveHome) -> bytes:
    """A certificate that names this home's platform; nobody looks at what else it says."""
    spec = certificates.CertificateSpec(
        subject=certificates.name(certificates.PCK),
        issuer=certificates.name(certificates.PLATFORM_CA),
        public_key=parse_pck_key(home.status().pck_key),
        issuer_key=key("platform-ca").public_key(),
        serial=1,
        not_before=default_plans()["pck"].not_before,
        not_after=default_plans()["pck"].not_after,
        usages=certificates.SIGNS,
    )
    return certificates.pem(spec.signed(key("platform-ca")))


def evidence(home: EnclaveHome, kind: str, purpose: str, owner: bytes) -> calls.EvidenceReply:
    request = calls.Evidence(purpose, kind, owner, b"", certificate_of(home))
    return home.service.evidence(request)


@pytest.mark.parametrize("kind", ["dcap-sgx", "dcap-tdx"])
def test_registration_evidence_binds_key_network_and_owner(
    newcomer: EnclaveHome, kind: str
) -> None:
    reply = evidence(newcomer, kind, "registration", OWNER)

    node_id, network_id = newcomer.status().node_id, NETWORK.configuration.network_id
    assert reply.report_data == registration_report_data(node_id, network_id, OWNER)
    quote = DcapQuote.parse(reply.quote)
    assert (quote.kind, quote.body.report_data) == (kind, reply.report_data)


@pytest.mark.parametrize("kind", ["dcap-sgx", "dcap-tdx"])
def test_bootstrap_evidence_binds_the_networks_keys(first: EnclaveHome, kind: str) -> None:
    public, network_id = first.public_keys(), NETWORK.configuration.network_id

    reply = evidence(first, kind, "bootstrap", NOBODY)

    expected = bootstrap_report_data(public.exchange_pk, network_id, public.io_pk)
    assert DcapQuote.parse(reply.quote).body.report_data == expected


def test_the_platforms_certificate_has_to_be_its_own(
    first: EnclaveHome, newcomer: EnclaveHome
) -> None:
    request = calls.Evidence("registration", "dcap-sgx", OWNER, b"", certificate_of(first))

    with pytest.raises(CallError, match="another platform's"):
        newcomer.service.evidence(request)


def test_a_chain_is_bounded_and_a_quote_with_it_fits_a_reply() -> None:
    longest = calls.Evidence("registration", "dcap-sgx", OWNER, b"", bytes(16 * 1024))
    reply = calls.EvidenceReply(bytes(20 * 1024), bytes(64))

    assert codec.decode(calls.Evidence, codec.encode(longest)) == longest
    assert codec.decode(calls.EvidenceReply, codec.encode(reply)) == reply
    too_long = calls.Evidence("registration", "dcap-sgx", OWNER, b"", bytes(16 * 1024 + 1))
    with pytest.raises(CallError, match="certification_data"):
        codec.encode(too_long)
