"""The policy of a simulated network: one measurement, and the roots of a simulated Intel."""

import base64
import re
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from enclave import canonical_json, measurement
from enclave.appraise.policy import Policy
from enclave.verify.roots import Root
from enigmacli import home as homes
from enigmacli.download import download, is_url, names_this_machine
from enigmacli.errors import (
    ConfigError,
    MalformedError,
    ServiceUnavailableError,
)

ROOT_PATH: Final = "/simulation/v1/root"
"""Where a simulated service shows its root."""

_EPID: Final = ("epid",)
_DCAP: Final = ("dcap-sgx", "dcap-tdx")
_EPID_ADVISORIES: Final = ("INTEL-SA-00334",)
"""What usually comes with SW_HARDENING_NEEDED."""
_DCAP_ADVISORIES: Final = ("INTEL-SA-00615",)
"""What usually comes with SWHardeningNeeded."""
_MAX_ROOT_BYTES: Final = 64 * 1024
_PREFIX: Final = "simulation:"
_PEM: Final = re.compile(
    rb"-----BEGIN CERTIFICATE-----\s+([A-Za-z0-9+/=\s]+?)-----END CERTIFICATE-----"
)
_ENTRY: Final = re.compile(rb"simulation:([A-Za-z0-9+/]+={0,2})")
_DER_SEQUENCE: Final = 0x30


def simulated_policy(mr_enclave: bytes, roots: list[str]) -> Policy:
    """The policy that ``init --simulated`` writes.

    A root that anchors IAS reports brings evidence of kind ``epid``, one that anchors DCAP
    chains ``dcap-sgx`` and ``dcap-tdx``; with both a network is mixed.

    Args:
        mr_enclave: the one code identity that is accepted, 32 bytes.
        roots: entries of ``trust_roots``, as :func:`find_root` gives them.

    Raises:
        PolicyFormatError: a root is not one.
    """
    named = sorted(set(roots))
    epid, dcap = _anchors(named)
    advisories = [*(_EPID_ADVISORIES if epid else ()), *(_DCAP_ADVISORIES if dcap else ())]
    measurements: list[dict[str, Any]] = [_sgx_measurement(mr_enclave)]
    if dcap:
        measurements.append(_td_measurement(mr_enclave))
    return Policy.from_value(
        {
            "advisories": sorted(advisories),
            "allow_debug": False,
            "epid_quote_statuses": ["OK", "SW_HARDENING_NEEDED"] if epid else [],
            "evidence_kinds": [*(_DCAP if dcap else ()), *(_EPID if epid else ())],
            "max_clock_skew_s": 30,
            "max_evidence_age_s": 86400,
            "max_registrations_per_block": 16,
            "measurements": sorted(measurements, key=canonical_json.encode),
            "min_gas_price": "0.0025uscrt",
            "min_tcb_evaluation_data_number": 0,
            "platform_tcb_statuses": ["SWHardeningNeeded", "UpToDate"] if dcap else [],
            "qe_tcb_statuses": ["UpToDate"] if dcap else [],
            "require_owner": True,
            "simulation": True,
            "trust_roots": named,
        }
    )


def _anchors(roots: list[str]) -> tuple[bool, bool]:
    """Whether any root anchors IAS reports (RSA), and any DCAP chains (P-256)."""
    keys = [Root.parse(base64.b64decode(root.removeprefix(_PREFIX))).key for root in roots]
    is_rsa = [isinstance(key, RSAPublicKey) for key in keys]
    return any(is_rsa), not all(is_rsa)


def _sgx_measurement(mr_enclave: bytes) -> dict[str, Any]:
    return {
        "isv_prod_id": measurement.ISV_PROD_ID,
        "min_isv_svn": measurement.ISV_SVN,
        "mr_enclave": mr_enclave.hex(),
        "mr_signer": measurement.SIMULATED_SIGNER.hex(),
    }


def _td_measurement(mr_enclave: bytes) -> dict[str, Any]:
    return {name: value.hex() for name, value in measurement.simulated_td(mr_enclave).items()}


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


def check_anchor(root: str, source: str, *, dcap: bool) -> None:
    """Refuse a root that anchors the other kind of evidence than it was named for.

    Args:
        root: as :func:`find_root` gives it.
        source: where it came from.
        dcap: whether it was named for DCAP.

    Raises:
        PolicyFormatError: it is no root.
        ConfigError: it is one of the other kind.
    """
    if _anchors([root])[1] != dcap:
        raise ConfigError(
            f"the root of {source} anchors {'EPID' if dcap else 'DCAP'} evidence",
            hint="an RSA root (ias serve) is for --ias-root, a P-256 root (pccs serve) for "
            "--pccs-root",
        )


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
            error.message, hint="enigmacli ias serve or pccs serve; or name the file of the root"
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
