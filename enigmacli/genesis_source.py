"""Another network's genesis document: from a file, an address, or a node's RPC server.

Whoever chooses the genesis document chooses the network, so one that came from another
machine counts only with its SHA-256, learnt some other way. The hash is that of the
document's file; a node's RPC answer is put back into the form of that file first.
"""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from enclave import canonical_json
from enigmacli import home as homes
from enigmacli.app.app_state import MAX_BYTES
from enigmacli.app.genesis import GenesisDocument, genesis_hash
from enigmacli.download import download, is_url, names_this_machine
from enigmacli.errors import GenesisError


@dataclass(frozen=True, slots=True)
class FoundGenesis:
    """A genesis document as bytes, parsed, and the hash of the bytes."""

    data: bytes
    document: GenesisDocument
    sha256: str


def find(source: str, expected_sha256: str | None) -> FoundGenesis:
    """Read and check a genesis document.

    Args:
        source: a file's path, or a URL of a file or of a node's RPC server.
        expected_sha256: lower-case hex; may be ``None`` for a file or this machine only.

    Raises:
        GenesisError: malformed, of another hash, or from elsewhere and without a hash.
        StorageError: the file cannot be read.
        ServiceUnavailableError: the server did not answer.
    """
    if is_url(source):
        data = from_answer(download(_address(source), MAX_BYTES))
        trusted = names_this_machine(source)
    else:
        data = homes.read(Path(source), MAX_BYTES)
        trusted = True
    seen = genesis_hash(data)
    if expected_sha256 is None and not trusted:
        raise GenesisError(
            f"the genesis document of {source} is not confirmed",
            hint=f"if this is your network's hash, add --genesis-hash {seen}",
            details={"seen": seen},
        )
    if expected_sha256 is not None and expected_sha256.lower() != seen:
        raise GenesisError(
            f"the genesis document has another hash, expected {expected_sha256}, seen {seen}",
            hint="ask the network's operators for its genesis document and hash",
            details={"expected": expected_sha256, "seen": seen},
        )
    return FoundGenesis(data, GenesisDocument.parse(data), seen)


def _address(source: str) -> str:
    """A bare server's address means its ``/genesis``."""
    parts = urlsplit(source)
    return source.rstrip("/") + "/genesis" if parts.path in ("", "/") else source


def from_answer(data: bytes) -> bytes:
    """The document's file: the answer's own bytes, or rebuilt from a JSON-RPC answer.

    Raises:
        GenesisError: not strict JSON, or an RPC answer without a document.
    """
    try:
        value = canonical_json.loads(data, max_bytes=MAX_BYTES, max_depth=16)
    except ValueError as error:
        raise GenesisError(f"the answer is not strict JSON: {error}") from error
    if not isinstance(value, dict) or "jsonrpc" not in value:
        return data
    result = value.get("result")
    if not isinstance(result, dict) or "genesis" not in result:
        raise GenesisError("the RPC server gave no genesis document")
    return GenesisDocument.from_value(result["genesis"]).encode()
