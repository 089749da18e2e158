"""SIMULATION: quotes in Intel's EPID layout that no hardware stands behind.

The body has the real layout (432 bytes; Intel SGX Attestation Service API, "Quote"). In the
place of the EPID signature stand a magic word, the Ed25519 public key of the simulated
quoting enclave and its signature over body and revocation list. Only a simulated IAS that
provisioned this key turns such a quote into a report, under a root that only a policy with
``simulation`` names.
"""

import hashlib
import struct
from typing import Final

from enclave.errors import QuoteFormatError, VerificationError

BODY_BYTES: Final = 432
EPID_GROUP_ID: Final = 0x00000E16
"""The one group of every SIMULATED platform."""
MAGIC: Final = b"ENIGMASIM1"
SIGNATURE_BYTES: Final = len(MAGIC) + 32 + 64

_DOMAIN: Final = b"enigma/simulated-epid/v1"
_SIZE: Final = struct.Struct("<I")
# version, sign_type, gid, qe_svn, pce_svn, xeid, basename
_HEADER: Final = struct.Struct("<HHIHHI32s")
# cpu_svn, misc_select, (reserved 28), flags, xfrm, mr_enclave, (reserved 32), mr_signer,
# (reserved 96), isv_prod_id, isv_svn, (reserved 60), report_data
_REPORT: Final = struct.Struct("<16sI28xQQ32s32x32s96xHH60x64s")

_VERSION: Final = 2
_UNLINKABLE: Final = 0
_QE_SVN: Final = 11
_PCE_SVN: Final = 10
_CPU_SVN: Final = bytes.fromhex("0f0f0305ff8007000000000000000000")
_INIT_64BIT: Final = 0x05  # ATTRIBUTES.FLAGS INIT and MODE64BIT, DEBUG clear
_X87_SSE: Final = 0x03  # ATTRIBUTES.XFRM


def encode_body(
    mr_enclave: bytes, mr_signer: bytes, isv_prod_id: int, isv_svn: int, report_data: bytes
) -> bytes:
    """The 432-byte quote body of a SIMULATED production enclave.

    Args:
        mr_enclave: 32 bytes.
        mr_signer: 32 bytes.
        isv_prod_id: 16 bits.
        isv_svn: 16 bits.
        report_data: 64 bytes.
    """
    header = _HEADER.pack(_VERSION, _UNLINKABLE, EPID_GROUP_ID, _QE_SVN, _PCE_SVN, 0, b"")
    report = _REPORT.pack(
        _CPU_SVN, 0, _INIT_64BIT, _X87_SSE, mr_enclave, mr_signer, isv_prod_id, isv_svn, report_data
    )
    return header + report


def signed_message(body: bytes, sig_rl: bytes) -> bytes:
    """What the SIMULATED quoting enclave signs."""
    return _DOMAIN + body + hashlib.sha256(sig_rl).digest()


def encode_signature(public_key: bytes, signature: bytes) -> bytes:
    """What follows a SIMULATED quote's body: u32le length, magic, key (32), signature (64)."""
    return _SIZE.pack(SIGNATURE_BYTES) + MAGIC + public_key + signature


def verify_signature(quote: bytes, sig_rl: bytes) -> bytes:
    """Check a SIMULATED quote, and say which quoting key signed it.

    Args:
        quote: body and signature, exactly 542 bytes.
        sig_rl: the revocation list that was current when it was made.

    Returns:
        The Ed25519 public key, 32 bytes; whether it is provisioned is the caller's question.

    Raises:
        QuoteFormatError: another length, or not the signature of a simulated quote.
        VerificationError: the signature does not verify.
    """
    from nacl.bindings import crypto_sign_open  # noqa: PLC0415 -- parsing needs no libsodium
    from nacl.exceptions import BadSignatureError  # noqa: PLC0415 -- as above

    prefix = _SIZE.pack(SIGNATURE_BYTES) + MAGIC
    if len(quote) != BODY_BYTES + _SIZE.size + SIGNATURE_BYTES:
        raise QuoteFormatError("a simulated quote has another length", seen=str(len(quote)))
    body, rest = quote[:BODY_BYTES], quote[BODY_BYTES:]
    if not rest.startswith(prefix):
        raise QuoteFormatError("not the signature of a simulated quoting enclave")
    public_key, signature = rest[len(prefix) : -64], rest[-64:]
    try:
        crypto_sign_open(signature + signed_message(body, sig_rl), public_key)
    except BadSignatureError as error:
        raise VerificationError("the simulated quote's signature does not verify") from error
    return public_key
