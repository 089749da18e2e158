"""What the simulated PCS answers has the form of what Intel's answered."""

import json
import re
from typing import Any
from urllib.parse import quote, unquote

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from enigmacli.simulated_intel.exchange import Answer
from enigmacli.simulated_intel.pcs import SimulatedPcs
from tests.corpus import corpus_dir, load, names
from tests.enigmacli.simulated_intel.pcs_kit import FMSPC, get

_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z")
_OURS = ("Request-ID",)  # the corpus keeps no such header

RESPONSES = {
    f"{answer['path']}?{answer['query']}": answer
    for answer in (load("pcs/index.json")["responses"] if "pcs/index.json" in names("pcs") else [])
    if "/v3/" not in answer["path"]
}


def is_crl(name: str) -> bool:
    return "crl" in name or "RootCA" in name


def forms(value: Any, path: str = "") -> set[str]:
    """Every member, with the form of its value."""
    if isinstance(value, dict):
        return set().union(*(forms(inner, f"{path}.{name}") for name, inner in value.items()))
    if isinstance(value, list):
        return set().union(*(forms(inner, f"{path}[]") for inner in value))
    if isinstance(value, str):
        return {f"{path}: {form(value)}"}
    return {f"{path}: {type(value).__name__}"}


def form(text: str) -> str:
    if _TIME.fullmatch(text):
        return "time"
    if re.fullmatch(r"(?:[0-9A-F]{2}){4,}|(?:[0-9a-f]{2}){4,}", text):
        return f"{len(text)} hex digits"
    return "word"


def ask(pcs: SimulatedPcs, real: dict[str, Any]) -> Answer:
    query = dict(real["query"])
    if "fmspc" in query:
        query["fmspc"] = FMSPC
    return get(pcs, real["path"], query)


def test_the_corpus_has_answers_to_compare_with() -> None:
    assert corpus_dir().is_dir()
    assert len(RESPONSES) > 10


@pytest.mark.parametrize("name", RESPONSES)
def test_status_and_headers_are_those_of_the_real_answer(pcs: SimulatedPcs, name: str) -> None:
    real = RESPONSES[name]

    answer = ask(pcs, real)

    assert answer.status == real["status"]
    assert answer.headers.keys() - set(_OURS) == real["headers"].keys()
    assert answer.headers["Content-Type"] == real["headers"]["Content-Type"]


@pytest.mark.parametrize("name", RESPONSES)
def test_issuer_chains_are_encoded_as_the_real_ones(pcs: SimulatedPcs, name: str) -> None:
    answer = ask(pcs, RESPONSES[name])

    for header, theirs in RESPONSES[name]["headers"].items():
        if not header.endswith("-Issuer-Chain"):
            continue
        for chain in (theirs, answer.headers[header]):
            pem = unquote(chain)
            found = x509.load_pem_x509_certificates(pem.encode())
            assert quote(pem, safe="") == chain
            assert b"".join(one.public_bytes(Encoding.PEM) for one in found) == pem.encode()
            assert len(found) == 2
            found[0].verify_directly_issued_by(found[1])


@pytest.mark.parametrize("name", [name for name in RESPONSES if not is_crl(name)])
def test_documents_have_the_members_of_the_real_ones(pcs: SimulatedPcs, name: str) -> None:
    real = (corpus_dir() / "pcs" / RESPONSES[name]["body_file"]).read_bytes()
    # words that Intel leaves out where it has nothing to say, or has where we have nothing
    allowed = {"advisoryIDs[]: word", "category: word", "type: word"}

    body = ask(pcs, RESPONSES[name]).body

    difference = forms(json.loads(body)) ^ forms(json.loads(real))
    assert {one.rpartition(".")[2] for one in difference} <= allowed
    for text in (body, real):
        assert json.dumps(json.loads(text), separators=(",", ":")).encode() == text.strip()


@pytest.mark.parametrize("name", [name for name in RESPONSES if is_crl(name)])
def test_revocation_lists_have_the_encoding_of_the_real_ones(pcs: SimulatedPcs, name: str) -> None:
    real = (corpus_dir() / "pcs" / RESPONSES[name]["body_file"]).read_bytes()
    is_pem = real.startswith(b"-----BEGIN X509 CRL-----\n")
    read = x509.load_pem_x509_crl if is_pem else x509.load_der_x509_crl

    body = ask(pcs, RESPONSES[name]).body

    ours, theirs = read(body), read(real)
    assert [one.oid for one in ours.extensions] == [one.oid for one in theirs.extensions]
    assert ours.signature_algorithm_oid == theirs.signature_algorithm_oid
