"""Documents of a PCS or PCCS on disk, in front of the server that they came from.

The cache only stores: what comes out of it is judged exactly as what comes from a server.
One file per URL, written whole or not at all, readable by its owner alone; a file that is
damaged or another URL's counts as absent.
"""

import base64
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from enclave import canonical_json
from enigmacli import home as homes
from enigmacli.attestation.pcs import Source
from enigmacli.attestation.pcs_answer import PcsAnswer, window
from enigmacli.attestation.pcs_request import PcsRequest
from enigmacli.errors import ConfigError, ServiceUnavailableError

MAX_ENTRIES: Final = 128
SUFFIX: Final = ".json"

_MAX_FILE_BYTES: Final = 512 * 1024
_VERSION: Final = 1
_MEMBERS: Final = frozenset({"version", "url", "fetched_us", "until_us", "chain", "body"})


@dataclass(frozen=True, slots=True)
class Kept:
    """One document as it was stored."""

    url: str
    answer: PcsAnswer
    fetched_us: int
    until_us: int
    """nextUpdate, or where a certificate of its chain ends earlier, that."""

    def encode(self) -> bytes:
        """The file's content."""
        members = {
            "version": _VERSION,
            "url": self.url,
            "fetched_us": self.fetched_us,
            "until_us": self.until_us,
            "chain": [base64.b64encode(one).decode() for one in self.answer.chain],
            "body": base64.b64encode(self.answer.body).decode(),
        }
        return json.dumps(members, indent=1).encode()

    @classmethod
    def parse(cls, data: bytes) -> "Kept":
        """Read a file's content.

        Raises:
            ValueError: it is not what :meth:`encode` writes.
        """
        members = canonical_json.loads(data, max_bytes=_MAX_FILE_BYTES)
        if not isinstance(members, dict) or members.keys() != _MEMBERS:
            raise ValueError("another form")
        url, body, chain = members["url"], members["body"], members["chain"]
        fetched_us, until_us = members["fetched_us"], members["until_us"]
        texts = [url, body, *chain] if isinstance(chain, list) else [None]
        if members["version"] != _VERSION or not all(isinstance(text, str) for text in texts):
            raise ValueError("another form")
        if type(fetched_us) is not int or type(until_us) is not int:
            raise ValueError("another form")
        decoded = [base64.b64decode(text, validate=True) for text in (body, *chain)]
        return cls(url, PcsAnswer(decoded[0], tuple(decoded[1:])), fetched_us, until_us)


class PcsCache:
    """A folder of at most :data:`MAX_ENTRIES` documents.

    Args:
        folder: made with mode 0700 when something is stored.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def load(self, url: str) -> Kept | None:
        """What is kept of ``url``, whatever its age."""
        kept = self._read(self._file(url))
        return kept if kept is not None and kept.url == url else None

    def store(self, kept: Kept) -> None:
        """Keep a document in the place of an older one, and drop the oldest beyond the bound.

        Raises:
            StorageError: the folder cannot be written.
        """
        homes.make_folder(self.folder)
        homes.replace(self._file(kept.url), kept.encode())
        files = sorted(self.folder.glob(f"*{SUFFIX}"), key=_modified)
        for file in files[: max(0, len(files) - MAX_ENTRIES)]:
            file.unlink(missing_ok=True)

    def everything(self) -> list[Kept]:
        """All that is kept, in the order of the URLs."""
        found = (self._read(file) for file in self.folder.glob(f"*{SUFFIX}"))
        return sorted((kept for kept in found if kept), key=lambda kept: kept.url)

    def _file(self, url: str) -> Path:
        return self.folder / f"{hashlib.sha256(url.encode()).hexdigest()}{SUFFIX}"

    def _read(self, file: Path) -> Kept | None:
        try:
            return Kept.parse(homes.read(file, _MAX_FILE_BYTES))
        except (ConfigError, ValueError):
            return None


def _modified(file: Path) -> float:
    try:
        return file.stat().st_mtime
    except OSError:
        return 0.0  # another process removed it


@dataclass(frozen=True, slots=True)
class CachedSource:
    """A server with a cache in front of it."""

    server: Source
    cache: PcsCache
    now_us: Callable[[], int]
    max_age_us: int
    """What was fetched longer ago is asked for again, at 0 all; Intel signs anew every day."""
    notice: Callable[[str], None]
    """Told when an older document stands in for a server that does not answer."""

    @property
    def name(self) -> str:
        """The server's."""
        return self.server.name

    def get(self, request: PcsRequest) -> PcsAnswer:
        """A document that was fetched lately and still holds, else the server's.

        Raises:
            EnigmaError: as the server; but where it does not answer, a kept document that
                holds by its own dates is used.
            StorageError: the cache cannot be written.
        """
        url = self.name + request.target
        kept = self.cache.load(url)
        now = self.now_us()
        if kept is not None and self._is_fresh(kept, now):
            return kept.answer
        try:
            answer = self.server.get(request)
        except ServiceUnavailableError as error:
            if kept is None or not kept.fetched_us <= now <= kept.until_us:
                raise
            self.notice(f"{error.message}; a {request.what} fetched before is used")
            return kept.answer
        held = window(request, answer)
        if held is not None and held.end_us is not None and held.end_us >= now:
            self.cache.store(Kept(url, answer, now, held.end_us))
        return answer

    def _is_fresh(self, kept: Kept, now: int) -> bool:
        """A document from the future says that the clock was set back: then all is asked anew."""
        return kept.fetched_us <= now <= kept.until_us and now - kept.fetched_us < self.max_age_us
