"""Intel's endorsements of a DCAP quote, in the two forms in which they travel.

On chain: the fields of Intel's ``sgx_ql_qve_collateral_t`` one behind the other (protocol.md
section 5). Off chain also the JSON object that dcap-qvl reads and writes. Both give the same
value, in which TCB Info and QE Identity are the whole bodies that Intel's service served,
because the signature covers the exact bytes of the object inside.
"""

import re
import struct
from dataclasses import astuple, dataclass
from typing import Any, Final, Self

from enclave import canonical_json
from enclave.errors import CollateralFormatError

TEE_SGX: Final = 0x00
TEE_TDX: Final = 0x81

MAX_BYTES: Final = 64 * 1024
"""The longest serialisation on chain: that of the container around it."""

MAX_JSON_BYTES: Final = 1024 * 1024
"""The longest JSON form; CRLs are hexadecimal in it."""

# tee_type, then the size of each blob, its NUL included
_HEADER: Final = struct.Struct("<8I")
_NUL: Final = b"\0"

_SIGNED: Final = re.compile(
    rb'\{"(tcbInfo|enclaveIdentity)":(\{.*\}),"signature":"([0-9A-Fa-f]{128})"\}', re.DOTALL
)
_HEX: Final = re.compile(r"(?:[0-9A-Fa-f]{2})*", re.ASCII)
_SIGNATURE_BYTES: Final = 64

TCB_INFO: Final = "tcbInfo"
QE_IDENTITY: Final = "enclaveIdentity"

_TEXTS: Final = (
    "pck_crl_issuer_chain",
    "tcb_info_issuer_chain",
    "tcb_info",
    "qe_identity_issuer_chain",
    "qe_identity",
)
_HEX_MEMBERS: Final = ("root_ca_crl", "pck_crl", "tcb_info_signature", "qe_identity_signature")
_MEMBERS: Final = frozenset({*_TEXTS, *_HEX_MEMBERS})
_OPTIONAL_MEMBER: Final = "pck_certificate_chain"


@dataclass(frozen=True, slots=True)
class SignedDocument:
    """TCB Info or QE Identity as served: the exact signed text, and the signature."""

    text: bytes
    """The JSON object inside, byte for byte."""
    signature: bytes
    """64 bytes: r and s, big-endian."""


@dataclass(frozen=True, slots=True)
class Collateral:
    """What a DCAP quote is verified with; nothing is verified."""

    pck_crl_issuer_chain: bytes
    """PEM, the CA that issued the PCK certificate first, then the root."""
    root_ca_crl: bytes
    """DER."""
    pck_crl: bytes
    """DER."""
    tcb_info_issuer_chain: bytes
    """PEM, the TCB signing certificate first, then the root."""
    tcb_info: bytes
    """``{"tcbInfo":{…},"signature":"<128 hex>"}`` as served."""
    qe_identity_issuer_chain: bytes
    """PEM, as for TCB Info."""
    qe_identity: bytes
    """``{"enclaveIdentity":{…},"signature":"<128 hex>"}`` as served."""
    tee_type: int = TEE_SGX
    """0 for SGX, 0x81 for TDX."""

    @classmethod
    def parse_intel(cls, data: bytes) -> Self:
        """Read the form that transactions carry: CRLs in DER, each blob with its NUL.

        Raises:
            CollateralFormatError: a size that does not add up, a blob without NUL, a text
                with one inside, an unknown TEE type, or more than 64 KiB.
        """
        if len(data) > MAX_BYTES or len(data) < _HEADER.size:
            raise _malformed("another length", f"{_HEADER.size} to {MAX_BYTES} bytes", len(data))
        tee_type, *sizes = _HEADER.unpack_from(data)
        if tee_type not in {TEE_SGX, TEE_TDX}:
            raise _malformed("an unknown TEE type", "0x0 (SGX) or 0x81 (TDX)", f"{tee_type:#x}")
        if sum(sizes) + _HEADER.size != len(data):
            raise _malformed("sizes that do not add up", f"{len(data)} bytes", sizes)
        blobs: list[bytes] = []
        at = _HEADER.size
        for size in sizes:
            blob = data[at : at + size]
            if blob[-1:] != _NUL or size == 1:
                raise _malformed("an empty blob, or one without NUL", "a NUL", blob[-8:].hex())
            blobs.append(blob[:-1])
            at += size
        collateral = cls(*_seven(blobs), tee_type=tee_type)
        _check_texts(collateral)
        return collateral

    def encode_intel(self) -> bytes:
        """The form that transactions carry."""
        *blobs, tee_type = astuple(self)
        sizes = (len(blob) + 1 for blob in blobs)
        return _HEADER.pack(tee_type, *sizes) + b"".join(blob + _NUL for blob in blobs)

    @classmethod
    def parse_json(cls, data: bytes) -> Self:
        """Read dcap-qvl's JSON object, off chain: CRLs and signatures in hexadecimal.

        A ``pck_certificate_chain`` is ignored: the quote's own chain is judged, no other.

        Raises:
            CollateralFormatError: not strict JSON, another member, or one of another form.
        """
        try:
            members = canonical_json.loads(data, max_bytes=MAX_JSON_BYTES)
        except ValueError as error:
            raise CollateralFormatError(f"the collateral is not strict JSON: {error}") from error
        if not isinstance(members, dict) or members.keys() - {_OPTIONAL_MEMBER} != _MEMBERS:
            raise _malformed("other members", ", ".join(sorted(_MEMBERS)), _names(members))
        texts = {name: _text(members, name) for name in _TEXTS}
        binary = {name: _hex(members, name) for name in _HEX_MEMBERS}
        return cls(
            pck_crl_issuer_chain=texts["pck_crl_issuer_chain"],
            root_ca_crl=binary["root_ca_crl"],
            pck_crl=binary["pck_crl"],
            tcb_info_issuer_chain=texts["tcb_info_issuer_chain"],
            tcb_info=join_signed(TCB_INFO, texts["tcb_info"], binary["tcb_info_signature"]),
            qe_identity_issuer_chain=texts["qe_identity_issuer_chain"],
            qe_identity=join_signed(
                QE_IDENTITY, texts["qe_identity"], binary["qe_identity_signature"]
            ),
            tee_type=TEE_TDX if _is_tdx(texts["tcb_info"]) else TEE_SGX,
        )


_Seven = tuple[bytes, bytes, bytes, bytes, bytes, bytes, bytes]


def _seven(blobs: list[bytes]) -> _Seven:
    crl_chain, root_crl, pck_crl, tcb_chain, tcb_info, qe_chain, qe_identity = blobs
    return crl_chain, root_crl, pck_crl, tcb_chain, tcb_info, qe_chain, qe_identity


def split_signed(name: str, body: bytes) -> SignedDocument:
    """Cut a served body into what is signed and the signature, without reading what is signed.

    Args:
        name: :data:`TCB_INFO` or :data:`QE_IDENTITY`.
        body: exactly as Intel's service answers, white space included.

    Raises:
        CollateralFormatError: not ``{"<name>":{…},"signature":"<128 hex>"}``, or above 64 KiB.
    """
    match = _SIGNED.fullmatch(body) if len(body) <= MAX_BYTES else None
    if match is None or match[1] != name.encode("ascii"):
        raise _malformed(
            "a document of another form",
            f'{{"{name}":{{...}},"signature":"<128 hex>"}}',
            ascii(body[:40]),
        )
    return SignedDocument(match[2], bytes.fromhex(match[3].decode("ascii")))


def join_signed(name: str, text: bytes, signature: bytes) -> bytes:
    """The body that holds ``text`` and its signature, as :func:`split_signed` reads it."""
    quoted = signature.hex().encode("ascii")
    return b'{"%s":%s,"signature":"%s"}' % (name.encode("ascii"), text, quoted)


def _check_texts(collateral: Collateral) -> None:
    for name in _TEXTS:
        if _NUL in getattr(collateral, name):
            raise _malformed("a NUL inside a text", "none", name)


def _text(members: dict[str, Any], name: str) -> bytes:
    value = members[name]
    if not isinstance(value, str) or "\0" in value:
        raise _malformed(f"a malformed member {name}", "string without NUL", ascii(value)[:64])
    return value.encode()


def _hex(members: dict[str, Any], name: str) -> bytes:
    value = members[name]
    if not isinstance(value, str) or not _HEX.fullmatch(value):
        raise _malformed(f"a malformed member {name}", "hexadecimal", ascii(value)[:64])
    decoded = bytes.fromhex(value)
    if name.endswith("_signature") and len(decoded) != _SIGNATURE_BYTES:
        raise _malformed(f"a malformed member {name}", f"{_SIGNATURE_BYTES} bytes", len(decoded))
    return decoded


def _is_tdx(text: bytes) -> bool:
    try:
        document = canonical_json.loads(text, max_bytes=MAX_JSON_BYTES)
    except ValueError:
        return False  # malformed, which is for the judgement to say
    return isinstance(document, dict) and document.get("id") == "TDX"


def _names(members: object) -> str:
    return ", ".join(sorted(members)) if isinstance(members, dict) else type(members).__name__


def _malformed(what: str, expected: str, seen: object) -> CollateralFormatError:
    return CollateralFormatError(
        f"the collateral has {what}", expected=expected, seen=ascii(str(seen))[1:-1][:200]
    )
