"""Documents of a PCS from a folder, for machines without a network.

The folder is a copy of another machine's cache (:mod:`enigmacli.attestation.pcs_cache`), or
holds recorded answers: ``index.json`` with ``{"responses": [{"method", "path", "query",
"status", "headers", "body_file"}]}``, bodies beside it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self
from urllib.parse import parse_qsl, urlsplit

from enclave import canonical_json
from enigmacli import home as homes
from enigmacli.attestation import pcs_request
from enigmacli.attestation.pcs_answer import PcsAnswer, read_answer
from enigmacli.attestation.pcs_cache import PcsCache
from enigmacli.attestation.pcs_refusal import check_ok
from enigmacli.attestation.pcs_request import PcsRequest
from enigmacli.attestation.service_client import ServiceAnswer
from enigmacli.errors import ConfigError

INDEX: Final = "index.json"

_MAX_INDEX_BYTES: Final = 1024 * 1024
_UNSAID: Final = {"encoding": None, "update": "standard"}
"""Parts of a query that change nothing: the form of a CRL, and what a service does unasked."""

Asked = tuple[str, frozenset[tuple[str, str]]]


@dataclass(frozen=True, slots=True)
class RecordedSource:
    """A folder of answers."""

    folder: Path
    answers: Mapping[Asked, ServiceAnswer | PcsAnswer]

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Read what a folder holds.

        Raises:
            StorageError: it cannot be read.
            ConfigError: its index is malformed, or it holds nothing.
        """
        index = folder / INDEX
        if index.is_file():
            answers: dict[Asked, ServiceAnswer | PcsAnswer] = dict(_recorded(index))
        else:
            newest = sorted(PcsCache(folder).everything(), key=lambda kept: kept.fetched_us)
            answers = {_asked_by_url(kept.url): kept.answer for kept in newest}
        if not answers:
            raise ConfigError(
                f"{folder} holds no collateral",
                hint="copy <home>/cache/pcs of a machine that has fetched it",
            )
        return cls(folder, answers)

    @property
    def name(self) -> str:
        """The folder."""
        return str(self.folder)

    def get(self, request: PcsRequest) -> PcsAnswer:
        """The document, whatever its age.

        Raises:
            ConfigError: it is not there.
            ServiceRefusedError: a refusal was recorded.
            MalformedError: what was recorded is not such a document.
        """
        found = self.answers.get(_asked(request.path, request.query))
        if found is None and request == pcs_request.root_ca_crl():
            found = self.answers.get(_asked(pcs_request.INTEL_ROOT_CRL, {}))
        if found is None:
            raise ConfigError(
                f"{self.folder} holds no {request.what}",
                hint="fetch it on a machine with a network, and copy its <home>/cache/pcs",
                details={"path": request.target},
            )
        if isinstance(found, PcsAnswer):
            return found
        check_ok(found, request.what, self.name)
        return read_answer(request, found.headers, found.body)


def _asked(path: str, query: Mapping[str, str]) -> Asked:
    """What was asked for, in one spelling."""
    said = {
        name: value
        for name, value in query.items()
        if name not in _UNSAID or _UNSAID[name] not in (None, value)
    }
    return path, frozenset((name, value.lower()) for name, value in said.items())


def _asked_by_url(url: str) -> Asked:
    parts = urlsplit(url)
    at = max(parts.path.find("/sgx/certification/"), parts.path.find("/tdx/certification/"), 0)
    return _asked(parts.path[at:], dict(parse_qsl(parts.query)))


def _recorded(index: Path) -> Iterable[tuple[Asked, ServiceAnswer]]:
    """Every recorded answer; of two to the same question the first counts."""
    try:
        document = canonical_json.loads(
            homes.read(index, _MAX_INDEX_BYTES), max_bytes=_MAX_INDEX_BYTES
        )
        entries = [_entry(index.parent, entry) for entry in document["responses"]]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(f"{index} is no index of recorded answers: {error}") from error
    return reversed(entries)


def _entry(folder: Path, entry: Mapping[str, Any]) -> tuple[Asked, ServiceAnswer]:
    file = str(entry["body_file"])
    if Path(file).name != file:
        raise ValueError("a body lies outside the folder")
    headers = {str(name).lower(): str(value) for name, value in entry["headers"].items()}
    query = {str(name): str(value) for name, value in entry["query"].items()}
    body = homes.read(folder / file, _MAX_INDEX_BYTES)
    return _asked(str(entry["path"]), query), ServiceAnswer(int(entry["status"]), headers, body)
