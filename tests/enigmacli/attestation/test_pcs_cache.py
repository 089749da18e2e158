import json
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from enigmacli.attestation import pcs_cache, pcs_request
from enigmacli.attestation.pcs import PcsServer
from enigmacli.attestation.pcs_answer import PcsAnswer
from enigmacli.attestation.pcs_cache import CachedSource, Kept, PcsCache
from enigmacli.attestation.pcs_request import Edition
from enigmacli.errors import MalformedError, ServiceUnavailableError, StorageError
from tests.enigmacli.attestation.recorded_pcs import AT_US, SGX_FMSPC, RecordedPcs

DAY_US = 86_400 * 1_000_000
SGX_TCB = pcs_request.tcb_info("sgx", SGX_FMSPC, Edition())


@dataclass
class Stage:
    """A cache in front of Intel's recorded answers, and a clock that tests set."""

    folder: Path
    pcs: RecordedPcs = field(default_factory=RecordedPcs)
    now_us: int = AT_US
    told: list[str] = field(default_factory=list)

    def source(self, server: PcsServer | None = None, max_age_us: int = DAY_US) -> CachedSource:
        return CachedSource(
            server or self.pcs.server(),
            PcsCache(self.folder),
            now_us=lambda: self.now_us,
            max_age_us=max_age_us,
            notice=self.told.append,
        )

    def get(self) -> PcsAnswer:
        return self.source().get(SGX_TCB)


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path / "cache")


def test_what_was_fetched_lately_is_not_asked_for_again(stage: Stage) -> None:
    first = stage.get()
    stage.now_us += DAY_US - 1

    assert stage.get() == first
    assert len(stage.pcs.seen) == 1


def test_after_a_day_the_server_is_asked_again(stage: Stage) -> None:
    stage.get()
    stage.now_us += DAY_US

    stage.get()

    assert len(stage.pcs.seen) == 2


def test_a_document_past_its_next_update_is_asked_for_again(stage: Stage) -> None:
    kept = Kept(stage.pcs.server().name + SGX_TCB.target, stage.get(), AT_US, AT_US + 5)
    PcsCache(stage.folder).store(kept)
    stage.now_us = AT_US + 5
    assert stage.get() == kept.answer
    assert len(stage.pcs.seen) == 1

    stage.now_us += 1
    stage.get()

    assert len(stage.pcs.seen) == 2


def test_a_clock_that_was_set_back_asks_anew(stage: Stage) -> None:
    stage.get()
    stage.now_us -= 1

    stage.get()

    assert len(stage.pcs.seen) == 2


def test_without_any_age_all_is_asked_anew_and_kept_for_others(stage: Stage) -> None:
    stage.source(max_age_us=0).get(SGX_TCB)
    stage.source(max_age_us=0).get(SGX_TCB)
    assert len(stage.pcs.seen) == 2

    stage.get()

    assert len(stage.pcs.seen) == 2


def test_another_server_has_documents_of_its_own(stage: Stage) -> None:
    stage.get()

    stage.source(stage.pcs.server("https://other.example")).get(SGX_TCB)

    assert len(stage.pcs.seen) == 2


def test_a_kept_document_stands_in_for_a_server_that_does_not_answer(stage: Stage) -> None:
    first = stage.get()
    stage.now_us += 2 * DAY_US
    stage.pcs.down = True

    assert stage.get() == first
    assert "fetched before is used" in stage.told[0]


def test_an_expired_document_stands_in_for_nothing(stage: Stage) -> None:
    stage.get()
    stage.now_us += 30 * DAY_US
    stage.pcs.down = True

    with pytest.raises(ServiceUnavailableError):
        stage.get()


def test_expired_and_undated_documents_are_not_kept(stage: Stage) -> None:
    stage.now_us = AT_US + 30 * DAY_US

    stage.get()
    stage.source().get(pcs_request.evaluation_numbers("sgx"))

    assert not stage.folder.exists()


def test_a_malformed_answer_is_not_kept(stage: Stage) -> None:
    stage.pcs.changes[SGX_TCB.path] = lambda body, headers: (
        body.replace(b'"nextUpdate"', b'"nextupdate"'),
        headers,
    )

    with pytest.raises(MalformedError):
        stage.get()

    assert not stage.folder.exists()


def test_only_the_owner_may_read_the_cache(stage: Stage) -> None:
    stage.get()

    (file,) = stage.folder.iterdir()
    assert stat.S_IMODE(stage.folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "damage",
    [
        lambda _: b"",
        lambda data: data[:-5],
        lambda data: data.replace(b'"version": 1', b'"version": 2'),
        lambda data: data.replace(b'"until_us": ', b'"until_us": "", "x": '),
        lambda data: data.replace(b"pcs.example", b"pcs.exempla"),
        lambda data: json.dumps(json.loads(data) | {"chain": "AA=="}).encode(),
        lambda data: json.dumps(json.loads(data) | {"body": "?"}).encode(),
        lambda data: json.dumps(json.loads(data) | {"fetched_us": True}).encode(),
        lambda data: json.dumps(json.loads(data) | {"url": 5}).encode(),
    ],
)
def test_a_damaged_file_counts_as_absent_and_is_replaced(stage: Stage, damage: object) -> None:
    first = stage.get()
    (file,) = stage.folder.iterdir()
    assert callable(damage)
    file.write_bytes(damage(file.read_bytes()))

    assert stage.get() == first
    assert len(stage.pcs.seen) == 2
    stage.get()
    assert len(stage.pcs.seen) == 2


def test_the_cache_is_bounded_and_the_oldest_goes_first(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pcs_cache, "MAX_ENTRIES", 3)
    cache = PcsCache(stage.folder)
    answer = stage.pcs.server().get(SGX_TCB)
    for number in range(5):
        cache.store(Kept(f"https://pcs.example/{number}", answer, AT_US, AT_US + DAY_US))
        newest = max(stage.folder.iterdir(), key=lambda file: file.stat().st_mtime_ns)
        os.utime(newest, (number, number))

    kept = [one.url[-1] for one in cache.everything()]

    assert kept == ["2", "3", "4"]


def test_a_folder_that_others_may_enter_is_refused(stage: Stage) -> None:
    stage.folder.mkdir(mode=0o755)
    (stage.folder / "something").touch()

    with pytest.raises(StorageError, match="open to other users"):
        stage.get()
