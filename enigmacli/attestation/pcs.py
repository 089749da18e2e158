"""Client of Intel's Provisioning Certification Service (PCS), or of a caching one (PCCS).

Source: Intel SGX and Intel TDX Provisioning Certification Service, API documentation,
version 4. What comes back is judged by nobody here: it travels with the evidence, and
whoever judges that judges this.
"""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol, Self
from urllib.parse import urlsplit

from enclave import canonical_json
from enigmacli.attestation import pcs_request
from enigmacli.attestation.ias import API_KEY_HEADER, check_api_key
from enigmacli.attestation.pcs_answer import PcsAnswer, read_answer
from enigmacli.attestation.pcs_refusal import check_ok
from enigmacli.attestation.pcs_request import PcsRequest
from enigmacli.attestation.retry import RetryPolicy
from enigmacli.attestation.service_client import ServiceAnswer, ServiceClient, Waiting
from enigmacli.errors import MalformedError

if TYPE_CHECKING:
    import httpx

INTEL_HOST: Final = "api.trustedservices.intel.com"
INTEL_CERTIFICATES: Final = "https://certificates.trustedservices.intel.com"
"""Where the root's CRL is, which the PCS itself does not serve."""

PCK_KEY_BYTES: Final = 64

_NAME: Final = "collateral service"
_API_PATH: Final = re.compile(r"/(?:sgx|tdx)/certification/v[34]\Z")
_HEX: Final = re.compile(r"(?:[0-9a-fA-F]{2}){1,1024}", re.ASCII)
_MAX_PROVISION_BYTES: Final = 16 * 1024
_NO_SUCH_PATH: Final = (400, 404, 405)


class Source(Protocol):
    """Whoever answers requests for documents: a server, a cache in front of it, a folder."""

    @property
    def name(self) -> str:
        """For messages: an address or a folder."""
        ...

    def get(self, request: PcsRequest) -> PcsAnswer:
        """The document, unverified."""
        ...


@dataclass(frozen=True, slots=True)
class ProvisionedPlatform:
    """How a simulated platform asks for its PCK certificate; hex, as in the query."""

    encrypted_ppid: str
    cpu_svn: str
    pce_svn: str
    pce_id: str


class PcsServer:
    """Asks one server.

    Args:
        url: base URL; ``/sgx/certification/v4`` behind it, as Intel's own configuration
            files have it, is cut off.
        api_key: the subscription key, sent for PCK certificates (and to make a simulated
            platform known) alone.
        timeout_s: of one connection, and of one pause in an answer.
        retry: how often and how long to try.
        ca_file: PEM, the authority of a PCCS with a TLS certificate of its own.
        waiting: time and chance, which tests replace.
        transport: what stands in for the network in tests.

    Raises:
        ConfigError: ``url``, ``api_key`` or ``ca_file`` cannot be right.
    """

    def __init__(
        self,
        url: str,
        api_key: str | None = None,
        *,
        timeout_s: float = 10.0,
        retry: RetryPolicy | None = None,
        ca_file: str = "",
        waiting: Waiting | None = None,
        transport: "httpx.BaseTransport | None" = None,
    ) -> None:
        def connect(base: str, headers: dict[str, str] | None = None) -> ServiceClient:
            return ServiceClient(
                _NAME,
                base,
                headers=headers,
                timeout_s=timeout_s,
                retry=retry,
                waiting=waiting,
                transport=transport,
                ca_file=ca_file,
            )

        base = _API_PATH.sub("", url.rstrip("/"))
        self._plain = self._keyed = self._certificates = connect(base)
        if api_key is not None:
            self._keyed = connect(base, {API_KEY_HEADER: check_api_key(api_key)})
        self._is_intels = urlsplit(base).hostname == INTEL_HOST
        if self._is_intels:
            self._certificates = connect(INTEL_CERTIFICATES)

    def __repr__(self) -> str:
        """The URL only: the key stays out of logs."""
        return f"PcsServer({self.name!r})"

    def __enter__(self) -> Self:
        """The server itself; leaving the block closes its connections."""
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        for client in (self._plain, self._keyed, self._certificates):
            client.close()

    @property
    def name(self) -> str:
        """The base URL."""
        return self._plain.url

    def get(self, request: PcsRequest) -> PcsAnswer:
        """Fetch one document.

        Raises:
            ServiceRefusedError: the server has it not, no longer, or not for us; the class
                tells the causes apart.
            RateLimitedError: too many requests.
            ServiceUnavailableError: no answer in time.
            MalformedError: the answer is not such a document.
            UntrustedAnswerError: it is another one.
        """
        answer = self._send(request)
        check_ok(answer, request.what, self.name)
        return read_answer(request, answer.headers, answer.body)

    def _send(self, request: PcsRequest) -> ServiceAnswer:
        if request == pcs_request.root_ca_crl():
            return self._send_for_root_crl(request)
        client = self._keyed if request.needs_key else self._plain
        return client.send("GET", request.target, max_bytes=request.max_bytes)

    def _send_for_root_crl(self, request: PcsRequest) -> ServiceAnswer:
        """A PCCS serves it beside the rest; Intel, and who copies Intel, as a file."""
        if not self._is_intels:
            answer = self._plain.send("GET", request.target, max_bytes=request.max_bytes)
            if answer.status not in _NO_SUCH_PATH:
                return answer
        return self._certificates.send(
            "GET", pcs_request.INTEL_ROOT_CRL, max_bytes=request.max_bytes
        )

    def provision(self, pck_key: bytes) -> ProvisionedPlatform:
        """Make a simulated platform known to a simulated service.

        Args:
            pck_key: 64 bytes, x and y of the public key of its simulated PCE.

        Raises:
            ServiceRefusedError: the service is not a simulated one, or refused the key.
            ServiceUnavailableError: no answer in time.
            MalformedError: the answer does not say how to ask for the certificate.
        """
        answer = self._keyed.send(
            "POST",
            "/simulation/v1/provision",
            json_body={"pck_key": pck_key.hex()},
            max_bytes=_MAX_PROVISION_BYTES,
        )
        check_ok(answer, "simulated platform (it alone provisions)", self.name)
        members = _members(answer.body)
        return ProvisionedPlatform(
            encrypted_ppid=_hex(members, "encrypted_ppid"),
            cpu_svn=_hex(members, "cpusvn"),
            pce_svn=_hex(members, "pcesvn"),
            pce_id=_hex(members, "pceid"),
        )


def _members(body: bytes) -> dict[str, Any]:
    try:
        values = canonical_json.loads(body, max_bytes=_MAX_PROVISION_BYTES)
    except ValueError as error:
        raise MalformedError(f"the answer is not JSON: {error}") from error
    if not isinstance(values, dict):
        raise MalformedError("the answer is not a JSON object")
    return values


def _hex(members: dict[str, Any], name: str) -> str:
    value = members.get(name)
    if not isinstance(value, str) or not _HEX.fullmatch(value):
        raise MalformedError(f"the simulated collateral service gave no {name}")
    return value
