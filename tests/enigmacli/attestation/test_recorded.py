import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from enigmacli.attestation import pcs_request
from enigmacli.attestation.collateral import Platform, fetch_collateral
from enigmacli.attestation.pcs_cache import CachedSource, PcsCache
from enigmacli.attestation.pcs_request import Edition, PcsRequest
from enigmacli.attestation.recorded import RecordedSource
from enigmacli.errors import ConfigError, MalformedError, PlatformUnknownError
from tests.corpus import corpus_dir
from tests.enigmacli.attestation.recorded_pcs import AT_US, SGX_FMSPC, TDX_FMSPC, RecordedPcs

PLATFORM = Platform("sgx", SGX_FMSPC, "processor")


def recorded() -> RecordedSource:
    return RecordedSource.open(corpus_dir() / "pcs")


@pytest.mark.parametrize(
    ("request_", "file"),
    [
        (pcs_request.tcb_info("sgx", SGX_FMSPC, Edition()), "sgx_tcb_info_00906ED50000.json"),
        (pcs_request.tcb_info("sgx", SGX_FMSPC, Edition(early=True)), "sgx_tcb_info_early.json"),
        (pcs_request.tcb_info("tdx", TDX_FMSPC, Edition(number=17)), "tdx_tcb_info_eval17.json"),
        (pcs_request.qe_identity("tdx", Edition()), "tdx_qe_identity.json"),
        (pcs_request.root_ca_crl(), "IntelSGXRootCA.der"),
    ],
    ids=lambda value: value.target if isinstance(value, PcsRequest) else "",
)
def test_recorded_answers_are_found(request_: PcsRequest, file: str) -> None:
    assert recorded().get(request_).body == (corpus_dir() / "pcs" / file).read_bytes()


def test_a_crl_recorded_in_another_encoding_is_found() -> None:
    assert recorded().get(pcs_request.pck_crl("platform")).body[:1] == b"0"


def test_a_whole_set_comes_out_of_a_recording() -> None:
    collateral = fetch_collateral([recorded()], PLATFORM, Edition(), notice=pytest.fail)

    assert json.loads(collateral.tcb_info)["tcbInfo"]["fmspc"] == "00906ED50000"


def test_a_copied_cache_gives_the_set_that_was_fetched(tmp_path: Path) -> None:
    online = CachedSource(
        RecordedPcs().server("https://pccs.example:8081/sgx/certification/v4/"),
        PcsCache(tmp_path / "cache"),
        now_us=lambda: AT_US,
        max_age_us=1,
        notice=pytest.fail,
    )
    fetched = fetch_collateral([online], PLATFORM, Edition(), notice=pytest.fail)
    shutil.move(tmp_path / "cache", tmp_path / "copy")

    offline = RecordedSource.open(tmp_path / "copy")

    assert fetch_collateral([offline], PLATFORM, Edition(), notice=pytest.fail) == fetched


def test_what_is_not_there_is_named() -> None:
    with pytest.raises(ConfigError, match="holds no SGX TCB Info of FMSPC 00806F050000") as failure:
        recorded().get(pcs_request.tcb_info("sgx", TDX_FMSPC, Edition()))

    assert "machine with a network" in failure.value.hint


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="holds no collateral"):
        RecordedSource.open(tmp_path)


ENTRY: dict[str, Any] = {
    "method": "GET",
    "path": "/sgx/certification/v4/rootcacrl",
    "query": {},
    "status": 200,
    "headers": {},
    "body_file": "crl",
}


def index(folder: Path, *entries: Any) -> RecordedSource:
    (folder / "crl").write_bytes(b"0\x00")
    (folder / "index.json").write_text(json.dumps({"responses": entries}))
    return RecordedSource.open(folder)


def test_a_recorded_refusal_refuses(tmp_path: Path) -> None:
    with pytest.raises(PlatformUnknownError):
        index(tmp_path, ENTRY | {"status": 404}).get(pcs_request.root_ca_crl())


def test_a_recorded_answer_that_is_no_such_document_is_malformed(tmp_path: Path) -> None:
    entry = ENTRY | {"path": "/sgx/certification/v4/qe/identity"}

    with pytest.raises(MalformedError):
        index(tmp_path, entry).get(pcs_request.qe_identity("sgx", Edition()))


@pytest.mark.parametrize(
    "entry", [{}, [], 5, ENTRY | {"body_file": "../secret"}, ENTRY | {"status": "x"},
              ENTRY | {"headers": []}, ENTRY | {"query": None}],
)  # fmt: skip
def test_a_malformed_index_is_refused(tmp_path: Path, entry: Any) -> None:
    with pytest.raises(ConfigError, match="no index of recorded answers"):
        index(tmp_path, entry)
