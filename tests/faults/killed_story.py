"""``quickstart --keep`` under kill -9: one seed, one registration, whatever was killed when."""

import json
from pathlib import Path
from typing import Final

from enigmacli import protobuf
from enigmacli.chain.blocks import Block
from enigmacli.chain.messages import RaAuthenticate
from enigmacli.chain.results import TxResult
from enigmacli.chain.tx import decode_tx, is_confirm
from enigmacli.engine.block_store import BLOCKS_FILE, BlockStore
from tests.faults.killing import Trial, run

NAME: Final = "quickstart"


class Story:
    """The folder of one ``quickstart --keep``, and what has been seen in it so far."""

    SEALED = (
        "first/enclave/platform.key",
        "first/enclave/seed.sealed",
        "second/enclave/platform.key",
        "second/enclave/registration.sealed",
        "second/enclave/seed.sealed",
        "first/config/priv_validator_key.json",
        "second/config/priv_validator_key.json",
        "intel/ias_pki.pem",
    )

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._seen: dict[str, bytes] = {}

    def trial(self) -> Trial:
        """This story once more; files that exist afterwards must exist for good."""
        return Trial((NAME, "--keep", str(self.folder)), check=self.faults)

    def faults(self) -> list[str]:
        """What does not hold of a story that has come to its end."""
        faults = []
        for name in self.SEALED:
            path = self.folder / name
            if not path.exists():
                faults.append(f"{name} is missing")
            elif self._seen.setdefault(name, path.read_bytes()) != path.read_bytes():
                faults.append(f"{name} is another one")
        return [*faults, *self._seed_faults(), *self._registration_faults()]

    def _seed_faults(self) -> list[str]:
        keys = set()
        for home in ("first", "second"):
            shown = run("seed", "status", "--home", str(self.folder / home))
            if shown.returncode:
                return [f"seed status of {home}: exit {shown.returncode}"]
            status = json.loads(shown.stdout)
            if not status["matches_genesis"]:
                return [f"the seed of {home} is not that of genesis"]
            keys.add(status["exchange_pk"])
        return [] if len(keys) == 1 else ["two seeds"]

    def _registration_faults(self) -> list[str]:
        made = successful_registrations(self.folder / "first" / "data")
        return [] if made == 1 else [f"{made} registrations on the chain"]


def successful_registrations(data_dir: Path) -> int:
    """How many register transactions the chain of a node has executed with code 0."""
    store = BlockStore(data_dir / BLOCKS_FILE)
    try:
        return sum(_registered(store, height) for height in range(1, store.height + 1))
    finally:
        store.close()


def _registered(store: BlockStore, height: int) -> int:
    row, response = store.block(height), store.result(height)
    if row is None or response is None:
        return 0
    results = protobuf.parse("tendermint.abci.ResponseFinalizeBlock", response).tx_results
    found = 0
    for raw, result in zip(Block.parse(row.block).txs, results, strict=True):
        if TxResult.of(result).code == 0 and _is_register(raw):
            found += 1
    return found


def _is_register(raw: bytes) -> bool:
    if is_confirm(raw):
        return False
    return any(isinstance(message, RaAuthenticate) for message in decode_tx(raw).messages)
