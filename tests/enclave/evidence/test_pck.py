import base64
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enclave.dcap_pki_errors import SgxExtensionError
from enclave.evidence.dcap_quote import DcapQuote
from enclave.evidence.dcap_signature import DcapSignature
from enclave.evidence.der import CertificateFrame
from enclave.evidence.pck import MAX_BYTES, SGX_EXTENSION, PckExtension
from enclave.evidence.pem import split_chain
from enigmacli.simulated_intel.sgx_extension import PlatformClaims, element, integer, member
from tests import corpus

GENUINE = [name for name in corpus.names("dcap") if "__" not in name]
CLAIMS = PlatformClaims(ppid=b"p" * 16, fmspc=b"fmspc!", pce_id=b"id", flags=(True, False, True))
PARTS = CLAIMS.members()
OCTETS = 0x04
SEQUENCE = 0x30


def extension(*parts: bytes) -> bytes:
    return element(SEQUENCE, *parts)


def tcb(*svns: bytes, pce_svn: bytes = integer(1), cpu_svn: bytes = bytes(16)) -> bytes:
    pairs = [member((2, number), svn) for number, svn in enumerate(svns, start=1)]
    pairs += [member((2, 17), pce_svn), member((2, 18), element(OCTETS, cpu_svn))]
    return extension(PARTS[0], member((2,), element(SEQUENCE, *pairs)), *PARTS[2:])


ZEROS = (integer(0),) * 16


@pytest.mark.parametrize("name", GENUINE)
def test_a_genuine_certificate_says_what_is_known_of_its_platform(name: str) -> None:
    case = corpus.load(name)
    quote = DcapQuote.parse(base64.b64decode(case["quote_b64"]))
    chain = DcapSignature.parse(quote.signature, quote.version).pck_chain
    frame = CertificateFrame.parse(split_chain(chain.removesuffix(b"\0"))[0])
    (value,) = [item.value for item in frame.extensions if item.object_id == SGX_EXTENSION]

    parsed = PckExtension.parse(value)

    assert parsed.fmspc.hex() == case["expect"].get("fmspc", parsed.fmspc.hex())
    assert parsed.components == parsed.cpu_svn
    assert (parsed.instance_id is None) == (parsed.configuration == ()) == (parsed.sgx_type == 0)


def test_every_pair_is_read() -> None:
    parsed = PckExtension.parse(CLAIMS.encode())

    assert (parsed.ppid, parsed.fmspc, parsed.pce_id) == (b"p" * 16, b"fmspc!", b"id")
    assert parsed.components == parsed.cpu_svn == CLAIMS.cpu_svn
    assert (parsed.pce_svn, parsed.sgx_type) == (CLAIMS.pce_svn, 1)
    assert parsed.configuration == (True, False, True)


def test_a_platform_of_one_package_says_less() -> None:
    parsed = PckExtension.parse(replace(CLAIMS, instance_id=None).encode())

    assert parsed.instance_id is None
    assert parsed.configuration == ()


def test_the_largest_security_versions_are_read() -> None:
    parsed = PckExtension.parse(tcb(*(integer(255),) * 16, pce_svn=integer(65535)))

    assert parsed.components == b"\xff" * 16
    assert parsed.pce_svn == 65535


@pytest.mark.parametrize(
    "value",
    [
        b"",
        extension(),
        CLAIMS.encode() + b"\0",
        extension(*PARTS, member((8,), integer(1))),
        extension(*PARTS, PARTS[-1]),
        extension(PARTS[1], PARTS[0], *PARTS[2:]),
        extension(*PARTS[:4]),
        extension(*PARTS[:2], *PARTS[3:]),
        tcb(*ZEROS[:15]),
        tcb(*ZEROS, integer(0)),
        tcb(*ZEROS[:15], integer(256)),
        tcb(*ZEROS[:15], integer(-1)),
        tcb(*ZEROS[:15], element(0x02, b"\x00\x01")),
        tcb(*ZEROS[:15], element(0x02)),
        tcb(*ZEROS, pce_svn=integer(65536)),
        tcb(*ZEROS, cpu_svn=bytes(15)),
        replace(CLAIMS, fmspc=b"short").encode(),
        replace(CLAIMS, pce_id=b"x").encode(),
        replace(CLAIMS, ppid=bytes(17)).encode(),
        replace(CLAIMS, instance_id=bytes(15)).encode(),
        replace(CLAIMS, sgx_type=3).encode(),
        extension(*PARTS[:6], member((7,), element(SEQUENCE, member((7, 2), element(1, b"\xff"))))),
        extension(*PARTS[:6], member((7,), element(SEQUENCE, member((7, 1), element(1, b"\x01"))))),
        extension(*PARTS, bytes(MAX_BYTES)),
    ],
    ids=range(24),
)
def test_another_extension_than_intels_is_refused(value: bytes) -> None:
    with pytest.raises(SgxExtensionError):
        PckExtension.parse(value)


def test_an_extension_cut_anywhere_is_refused() -> None:
    whole = CLAIMS.encode()

    for size in range(len(whole)):
        with pytest.raises(SgxExtensionError):
            PckExtension.parse(whole[:size])


@given(st.binary(max_size=80), st.integers(0, 600), st.integers(0, 255))
def test_any_bytes_give_an_extension_or_its_error(data: bytes, at: int, octet: int) -> None:
    spoiled = bytearray(CLAIMS.encode())
    spoiled[at % len(spoiled)] = octet
    for value in (data, bytes(spoiled)):
        try:
            PckExtension.parse(value)
        except SgxExtensionError:
            continue
