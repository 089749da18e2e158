"""What a client remembers between calls: the newest header that it verified, and by whose votes.

One small file, bound to chain id and genesis hash. Reading trusts nothing: the header must be
committed by the validators beside it, so a damaged file is named and never relied on. Whoever
can write the home could of course write a genesis document, too.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from enclave import canonical_json
from enigmacli import home
from enigmacli.chain.answers import SignedHeader, ValidatorsAnswer
from enigmacli.chain.blocks import Commit, Header, header_hash
from enigmacli.chain.light import verify_commit
from enigmacli.chain.rpc_json import from_json, to_json
from enigmacli.chain.validators import ValidatorSet
from enigmacli.errors import ConfigError, EnigmaError, TrustStoreCorruptError

FILE_NAME: Final = "light.json"
"""Below the home's data folder."""

_FORMAT: Final = 1
_MAX_BYTES: Final = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class LightBlock:
    """A header with the votes for it and the validators who gave them."""

    header: Header
    commit: Commit
    validators: ValidatorSet

    @property
    def height(self) -> int:
        """Of the header."""
        return self.header.height

    @property
    def hash(self) -> bytes:
        """Of the header, 32 bytes."""
        return header_hash(self.header)


class TrustStore:
    """The file; without a path nothing is remembered.

    Args:
        path: of the file, whose folder exists.
        chain_id: of the network.
        genesis_hash: SHA-256 of the genesis document's bytes; empty where there is none.
        warn: told why something was not remembered, or was not used.
    """

    def __init__(
        self, path: Path | None, chain_id: str, genesis_hash: str, warn: Callable[[str], None]
    ) -> None:
        self._path = path
        self._chain_id = chain_id
        self._binding = {"format": _FORMAT, "chain_id": chain_id, "genesis_hash": genesis_hash}
        self._warn = warn

    def load(self) -> LightBlock | None:
        """The newest verified header; ``None`` where none of this network is known.

        Raises:
            TrustStoreCorruptError: the file is damaged.
            StorageError: it cannot be read.
        """
        if self._path is None or not self._path.exists():
            return None
        data = home.read(self._path, _MAX_BYTES)
        try:
            value = canonical_json.loads(data, max_bytes=_MAX_BYTES, max_depth=12)
            bound = {name: value[name] for name in self._binding}
            block = self._read(value) if bound == self._binding else None
        except (ValueError, KeyError, TypeError, EnigmaError) as error:
            raise self._corrupt(error) from error
        if block is None:
            self._warn(
                f"the verified headers in {self._path} are of another genesis document; "
                "they were left out, and replaced"
            )
        return block

    def save(self, block: LightBlock) -> None:
        """Remember a verified header; where that is not possible, only warn.

        A lost one costs time at the next call and is no reason to withhold an answer.
        """
        if self._path is None:
            return
        listed = block.validators.validators
        document = self._binding | {
            "signed_header": to_json(SignedHeader(block.header, block.commit))["signed_header"],
            "validators": to_json(ValidatorsAnswer(block.height, listed, len(listed), len(listed))),
        }
        try:
            home.replace(self._path, json.dumps(document, sort_keys=True).encode())
        except ConfigError as error:
            self._warn(f"the verified header was not remembered: {error.message}")

    def _read(self, value: dict[str, Any]) -> LightBlock:
        found = from_json(
            SignedHeader, {"signed_header": value["signed_header"], "canonical": False}
        )
        validators = ValidatorSet.of(from_json(ValidatorsAnswer, value["validators"]).validators)
        header, commit = found.header, found.commit
        if header.chain_id != self._chain_id or header.validators_hash != validators.hash():
            raise ValueError("header and validators do not belong together")
        if commit.block_id.hash != header_hash(header):
            raise ValueError("header and commit do not belong together")
        verify_commit(self._chain_id, validators, commit.block_id, header.height, commit)
        return LightBlock(header, commit, validators)

    def _corrupt(self, error: Exception) -> TrustStoreCorruptError:
        return TrustStoreCorruptError(
            f"the verified headers in {self._path} are damaged: {error}",
            hint=f"remove {self._path}; the next call verifies from genesis again",
            details={"path": str(self._path)},
        )
