import base64
import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from cryptography.x509 import load_pem_x509_certificates

from enclave.calls import MAX_CERTIFICATE_BYTES
from enclave.errors import QuoteFormatError
from enclave.evidence.collateral import Collateral
from enclave.evidence.containers import QuoteWithCollateral, parse_on_chain
from enclave.evidence.dcap_quote import DcapQuote
from enigmacli.attestation.dcap import DcapServices, combine, complete, platform_of
from enigmacli.attestation.issuer_chain import parse_pem
from enigmacli.attestation.pcs_answer import PcsAnswer
from enigmacli.attestation.pcs_request import Edition, PcsRequest
from enigmacli.errors import MalformedError
from tests.corpus import corpus_dir, load, names
from tests.simulators.dcap_factory import SGX_V3, TDX_V4, TDX_V5, Made, make, tagged
from tests.simulators.dcap_quote_factory import Form

CASES = [name for name in names("dcap") if "__" not in name]


@dataclass
class MadeSource:
    """Serves the collateral that a factory made, and remembers what was asked."""

    made: Made
    asked: list[PcsRequest] = field(default_factory=list)
    name: str = "memory"

    @property
    def collateral(self) -> Collateral:
        return Collateral.parse_json(self.made.collateral_json)

    def get(self, request: PcsRequest) -> PcsAnswer:
        self.asked.append(request)
        all_of_it = self.collateral
        body, chain = {
            "tcb": (all_of_it.tcb_info, all_of_it.tcb_info_issuer_chain),
            "identity": (all_of_it.qe_identity, all_of_it.qe_identity_issuer_chain),
            "pckcrl": (all_of_it.pck_crl, all_of_it.pck_crl_issuer_chain),
            "rootcacrl": (all_of_it.root_ca_crl, b""),
        }[request.path.rpartition("/")[2]]
        return PcsAnswer(body, parse_pem(chain.decode(), "chain") if chain else ())


def services(source: MadeSource) -> DcapServices:
    return DcapServices([source], [], Edition(), notice=pytest.fail)


@pytest.mark.parametrize(
    ("form", "kind"), [(SGX_V3, "dcap-sgx"), (TDX_V4, "dcap-tdx"), (TDX_V5, "dcap-tdx")]
)
def test_a_captured_quote_gets_its_collateral(form: Form, kind: str) -> None:
    made = make(form)
    source = MadeSource(made)

    evidence = complete(made.quote, services(source))

    assert evidence.kind == kind
    assert evidence.certificate == tagged((2, made.quote), (3, made.collateral_intel))
    assert parse_on_chain(evidence.certificate) == made.evidence
    tee = kind.removeprefix("dcap-")
    assert [request.path for request in source.asked] == [
        f"/{tee}/certification/v4/tcb",
        f"/{tee}/certification/v4/qe/identity",
        "/sgx/certification/v4/pckcrl",
        "/sgx/certification/v4/rootcacrl",
    ]
    assert source.asked[2].query["ca"] == "platform"


def test_there_are_genuine_quotes() -> None:
    corpus_dir()

    assert len(CASES) > 10


@pytest.mark.parametrize("name", CASES)
def test_a_genuine_quote_names_its_platform(name: str) -> None:
    case: dict[str, Any] = load(name)
    quote = DcapQuote.parse(base64.b64decode(case["quote_b64"]))
    tcb_info = json.loads(case["collateral"]["tcb_info"])
    issuers = case["collateral"]["pck_crl_issuer_chain"].encode()
    subjects = [one.subject.rfc4514_string() for one in load_pem_x509_certificates(issuers)]

    platform = platform_of(quote)

    assert platform.fmspc == bytes.fromhex(tcb_info["fmspc"])
    assert platform.tee == ("tdx" if tcb_info.get("id") == "TDX" else "sgx")
    assert any(f"PCK {platform.ca.capitalize()} CA" in subject for subject in subjects)


def test_both_of_intels_cas_are_among_the_genuine_ones() -> None:
    corpus_dir()

    quotes = (DcapQuote.parse(base64.b64decode(load(name)["quote_b64"])) for name in CASES)

    assert {platform_of(quote).ca for quote in quotes} == {"platform", "processor"}


def test_a_quote_whose_certificate_no_pck_ca_issued_names_no_platform() -> None:
    made = make(SGX_V3, pck_chain=("tcb-signer", "root"))

    with pytest.raises(QuoteFormatError, match="no PCK certificate"):
        platform_of(DcapQuote.parse(made.quote))


def test_a_quote_without_a_chain_names_no_platform() -> None:
    made = make(SGX_V3, pem=lambda _: b"-----BEGIN")

    with pytest.raises(QuoteFormatError, match="no PCK certificate"):
        platform_of(DcapQuote.parse(made.quote))


def test_what_no_transaction_can_carry_is_refused() -> None:
    made = make(SGX_V3)
    collateral = MadeSource(made).collateral
    room = MAX_CERTIFICATE_BYTES - len(combine(b"", collateral))

    assert len(combine(bytes(room), collateral)) == MAX_CERTIFICATE_BYTES
    with pytest.raises(MalformedError, match="too long for a transaction"):
        combine(bytes(room + 1), collateral)


def test_the_container_is_read_back_as_it_was_made() -> None:
    collateral = MadeSource(make(TDX_V4)).collateral

    found = parse_on_chain(combine(b"quote", collateral))

    assert found == QuoteWithCollateral(b"quote", collateral.encode_intel())
