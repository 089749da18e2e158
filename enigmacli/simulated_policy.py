"""The policy of a simulated network: one measurement, and the roots of a simulated Intel."""

import base64
import re
from pathlib import Path
from typing import Final

from enclave import measurement
from enclave.appraise.policy import Policy
from enigmacli import home as homes
from enigmacli.download import download, is_url, names_this_machine
from enigmacli.errors import (
    ConfigError,
    MalformedError,
    ServiceUnavailableError,
)

ROOT_PATH: Final = "/simulation/v1/root"
"""Where a simulated service shows its root."""

_MAX_ROOT_BYTES: Final = 64 * 1024
_PREFIX: Final = "simulation:"
_PEM: Final = re.compile(
    rb"-----BEGIN CERTIFICATE-----\s+([A-Za-z0-9+/=\s]+?)-----END CERTIFICATE-----"
)
_ENTRY: Final = re.compile(rb"simulation:([A-Za-z0-9+/]+={0,2})")
_DER_SEQUENCE: Final = 0x30


def simulated_policy(mr_enclave: bytes, roots: list[str]) -> Policy:
    """The policy that ``init --simulated`` writes.

    Args:
        mr_enclave: the one code identity that is accepted, 32 bytes.
        roots: entries of ``trust_roots``, as :func:`find_root` gives them.

    Raises:
        PolicyFormatError: a root is not one.
    """
    return Policy.from_value(
        {
            "advisories": ["INTEL-SA-00334"],
            "allow_debug": False,
            "epid_quote_statuses": ["OK", "SW_HARDENING_NEEDED"],
            "evidence_kinds": ["epid"],
            "max_clock_skew_s": 30,
            "max_evidence_age_s": 86400,
            "max_registrations_per_block": 16,
            "measurements": [
                {
                    "isv_prod_id": measurement.ISV_PROD_ID,
                    "min_isv_svn": measurement.ISV_SVN,
                    "mr_enclave": mr_enclave.hex(),
                    "mr_signer": measurement.SIMULATED_SIGNER.hex(),
                }
            ],
            "min_gas_price": "0.0025uscrt",
            "min_tcb_evaluation_data_number": 0,
            "platform_tcb_statuses": [],
            "qe_tcb_statuses": [],
            "require_owner": True,
            "simulation": True,
            "trust_roots": sorted(set(roots)),
        }
    )


def find_root(source: str) -> str:
    """A simulated Intel's root as a policy names it.

    Args:
        source: a certificate's file (PEM or DER), or the URL of one or of a running service.

    Raises:
        ConfigError: plain http to another machine.
        StorageError: the file cannot be read.
        ServiceUnavailableError: the service did not answer.
        MalformedError: there is no certificate in it.
    """
    data = _ask(source) if is_url(source) else homes.read(Path(source), _MAX_ROOT_BYTES)
    return _PREFIX + base64.b64encode(_certificate(data, source)).decode()


def _ask(url: str) -> bytes:
    if not names_this_machine(url) and not url.startswith("https://"):
        raise ConfigError(
            f"a root that comes over plain http proves nothing: {url}",
            hint="copy the root's file, and name the file",
        )
    base = url.rstrip("/")
    if base.count("/") > 2:  # noqa: PLR2004 -- scheme://host has two
        return download(url, _MAX_ROOT_BYTES)
    try:
        return download(base + ROOT_PATH, _MAX_ROOT_BYTES)
    except ServiceUnavailableError as error:
        raise ServiceUnavailableError(
            error.message, hint="enigmacli ias serve, or --ias-root FILE with its root"
        ) from error


def _certificate(data: bytes, source: str) -> bytes:
    if data[:1] == bytes([_DER_SEQUENCE]):
        return data
    found = _PEM.search(data) or _ENTRY.search(data)
    try:
        return base64.b64decode(b"".join(found[1].split()), validate=True) if found else _none()
    except ValueError as error:
        raise MalformedError(f"there is no root certificate in {source}") from error


def _none() -> bytes:
    raise ValueError("no certificate")
