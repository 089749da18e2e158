import base64
from typing import Any

import pytest
from cryptography import x509

from enclave.evidence.pck import PckExtension
from enigmacli.simulated_intel.sgx_extension import OID, PlatformClaims, integer
from tests.corpus import load


def intels_extension(case: str) -> bytes:
    """The value of the SGX extension in a genuine PCK certificate."""
    quote = base64.b64decode(load(f"dcap/{case}.json")["quote_b64"])
    leaf = x509.load_pem_x509_certificate(quote[quote.index(b"-----BEGIN") :])
    extension = leaf.extensions.get_extension_for_oid(x509.ObjectIdentifier(OID)).value
    return extension.public_bytes()


@pytest.mark.parametrize("case", ["automata_quotev3", "dcapqvl_tdx_quote_eval17"])
def test_encodes_a_genuine_extension_to_the_last_byte(case: str) -> None:
    genuine = intels_extension(case)
    said = PckExtension.parse(genuine)
    at = genuine.index(bytes.fromhex("060a2a864886f84d010d0101")) + 14
    instance = genuine.index(bytes.fromhex("060a2a864886f84d010d0106")) + 14
    flags = tuple(
        genuine[genuine.index(bytes.fromhex(f"060b2a864886f84d010d01070{number}")) + 15] == 0xFF
        for number in (1, 2, 3)
    )

    claims = PlatformClaims(
        ppid=genuine[at : at + 16],
        components=tuple(said.components),
        pce_svn=said.pce_svn,
        cpu_svn=said.cpu_svn,
        pce_id=said.pce_id,
        fmspc=said.fmspc,
        instance_id=genuine[instance : instance + 16],
        flags=(flags[0], flags[1], flags[2]),
    )

    assert claims.encode() == genuine


def test_a_processor_ca_says_nothing_of_an_instance() -> None:
    without = PlatformClaims(instance_id=None)

    assert PckExtension.parse(without.encode()).fmspc == without.fmspc
    assert len(without.members()) == 5


@pytest.mark.parametrize(
    ("value", "encoded"),
    [(0, "020100"), (1, "020101"), (127, "02017f"), (128, "02020080"), (-1, "0201ff")],
)
def test_integers_are_der(value: int, encoded: Any) -> None:
    assert integer(value).hex() == encoded
