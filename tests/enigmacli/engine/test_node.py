"""What a node reads before it starts, and who may start it."""

import json
import os
import signal
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from enigmacli.app.genesis import GenesisDocument, new_genesis
from enigmacli.engine.events import NodeEvent
from enigmacli.engine.lifetime import one_at_a_time, only_one, stopped_by_signals
from enigmacli.engine.node import run_node
from enigmacli.engine.parts import load_genesis
from enigmacli.engine.settings import NodeSettings
from enigmacli.errors import (
    GenesisError,
    HomeBusyError,
    HomeMissingError,
    NotBootstrappedError,
    StorageError,
)
from tests.enigmacli.app.chain import EXCHANGE_PK, genesis, policy
from tests.enigmacli.engine.chain_kit import make_key


def write(path: Path, document: GenesisDocument) -> Path:
    path.write_bytes(document.encode())
    return path


def test_a_complete_genesis_gives_the_networks_keys(tmp_path: Path) -> None:
    document = genesis()

    loaded, keys = load_genesis(write(tmp_path / "genesis.json", document))

    assert loaded == document
    assert keys.exchange_pk == EXCHANGE_PK


def test_a_genesis_without_keys_is_refused(tmp_path: Path) -> None:
    document = genesis()
    document = replace(document, app_state=replace(document.app_state, keys=None))

    with pytest.raises(NotBootstrappedError):
        load_genesis(write(tmp_path / "genesis.json", document))


def test_a_genesis_without_validators_is_refused(tmp_path: Path) -> None:
    document = new_genesis("empty-1", 1_790_000_000_000_000).with_policy(policy())

    with pytest.raises((GenesisError, NotBootstrappedError)):
        load_genesis(write(tmp_path / "genesis.json", document))


def test_a_missing_or_malformed_genesis_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HomeMissingError) as missing:
        load_genesis(tmp_path / "none.json")
    assert missing.value.hint
    with pytest.raises(StorageError):
        load_genesis(tmp_path)
    (tmp_path / "bad.json").write_text("{")
    with pytest.raises(GenesisError):
        load_genesis(tmp_path / "bad.json")


def test_one_data_folder_has_one_node(tmp_path: Path) -> None:
    with only_one(tmp_path / "data"):
        with pytest.raises(HomeBusyError), only_one(tmp_path / "data"):
            pass
        assert (tmp_path / "data" / "node.lock").read_text().strip() == str(os.getpid())
    with only_one(tmp_path / "data"):
        pass


def test_a_data_folder_that_cannot_be_made_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(StorageError), only_one(tmp_path / "file" / "data"):
        pass


def test_sigterm_stops_the_node_and_is_given_back() -> None:
    before = signal.getsignal(signal.SIGTERM)
    stop = threading.Event()

    with stopped_by_signals(stop):
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.wait(10)

    assert signal.getsignal(signal.SIGTERM) is before


def test_reports_of_several_threads_come_one_at_a_time() -> None:
    inside, overlaps = threading.Lock(), []

    def slow(_event: NodeEvent) -> None:
        if not inside.acquire(blocking=False):
            overlaps.append(1)
            return
        time.sleep(0.001)  # long enough for another thread to come in, if it may
        inside.release()

    tell = one_at_a_time(slow)
    threads = [
        threading.Thread(target=lambda: [tell(None) for _ in range(20)])  # type: ignore[arg-type]
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert overlaps == []


def test_a_node_without_its_files_does_not_start(tmp_path: Path) -> None:
    settings = NodeSettings(
        genesis_file=tmp_path / "genesis.json",
        data_dir=tmp_path / "data",
        enclave_dir=tmp_path / "enclave",
        priv_validator_key_file=tmp_path / "priv_validator_key.json",
        node_key_file=tmp_path / "node_key.json",
        moniker="nobody",
    )
    with pytest.raises(HomeMissingError, match=r"genesis\.json"):
        run_node(settings, lambda _: None)

    write(settings.genesis_file, genesis())
    with pytest.raises(HomeMissingError, match=r"priv_validator_key\.json"):
        run_node(settings, lambda _: None)

    settings.priv_validator_key_file.write_bytes(make_key("a").encode_validator_key())
    with pytest.raises(HomeMissingError, match=r"node_key\.json"):
        run_node(settings, lambda _: None)
    assert json.loads(settings.priv_validator_key_file.read_text())["priv_key"]
