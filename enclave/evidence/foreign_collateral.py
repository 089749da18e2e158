"""Collateral in the forms in which it lies around off chain.

dcap-qvl's JSON, or Intel's ``sgx_ql_qve_collateral_t`` serialised by whichever version of its
library: that structure holds revocation lists as PEM (version 1.0), hexadecimal (3.0) or DER
(3.1; Intel SGX DCAP Quote Library, ``sgx_ql_lib_common.h``). Only the last is accepted on chain.
"""

import binascii
import re
from dataclasses import replace
from typing import Final

from enclave.errors import CollateralFormatError
from enclave.evidence import base64_strict
from enclave.evidence.collateral import Collateral

_PEM: Final = re.compile(
    rb"-----BEGIN X509 CRL-----\r?\n([A-Za-z0-9+/=\r\n]*+)-----END X509 CRL-----[\r\n]*+"
)
_PEM_START: Final = b"-----"
_HEX_SEQUENCE: Final = re.compile(rb"30[0-9A-Fa-f]++")
_LINE_ENDS: Final = b"\r\n"


def parse_any(data: bytes) -> Collateral:
    """Read collateral in either form; a leading brace means JSON.

    Raises:
        CollateralFormatError: malformed in the form that it begins like.
    """
    if data[:64].lstrip().startswith(b"{"):
        return Collateral.parse_json(data)
    collateral = Collateral.parse_intel(data)
    return replace(
        collateral,
        root_ca_crl=_decode_crl(collateral.root_ca_crl),
        pck_crl=_decode_crl(collateral.pck_crl),
    )


def _decode_crl(data: bytes) -> bytes:
    """DER, whichever of the three it is; what is none of them is left for the judgement."""
    try:
        if data.startswith(_PEM_START):
            return _decode_pem(data)
        if _HEX_SEQUENCE.fullmatch(data):
            return binascii.unhexlify(data)
    except ValueError as error:
        raise CollateralFormatError(
            "the collateral has a malformed revocation list",
            expected="DER, PEM or hexadecimal",
            seen=ascii(data[:40]),
        ) from error
    return data


def _decode_pem(data: bytes) -> bytes:
    match = _PEM.fullmatch(data)
    if match is None:
        raise ValueError("not one PEM revocation list")
    return base64_strict.decode(match[1].translate(None, _LINE_ENDS).decode("ascii"))
