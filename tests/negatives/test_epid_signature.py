"""Cases 1 to 6 and 37: the signature over the exact bytes of a report, before anything else."""

import base64
import json
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from types import FrameType
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.hashes import SHA1, SHA256

from enclave.evidence.ias_report import SignedReport
from enclave.verify.roots import TrustRoots
from enigmacli.attestation.ias_answer import SIGNATURE_HEADER, parse_signed_report
from enigmacli.errors import MalformedError
from tests import corpus
from tests.enclave import simulated_pki as pki
from tests.enigmacli.attestation.scripted import report_headers
from tests.negatives import epid

SIGNATURE = "ias-report-signature"


def derived(mutation: str) -> list[SignedReport]:
    """Genuine reports with that mutation."""
    corpus.corpus_dir()
    names = [name for name in corpus.names("ias") if name.endswith(f"__{mutation}.json")]
    assert names
    return [epid.genuine(name.removeprefix("ias/").removesuffix(".json")) for name in names]


def test_what_no_case_changes_is_accepted() -> None:
    assert epid.judged() == epid.ACCEPTED
    assert epid.failed_rule(epid.signed()) == epid.ACCEPTED


def test_case_01_a_flipped_byte_of_the_body() -> None:
    body = epid.signed()

    for at in range(0, len(body.report), 7):
        spoiled = bytearray(body.report)
        spoiled[at] ^= 1
        assert epid.judged(replace(body, report=bytes(spoiled))) == SIGNATURE


def test_case_01_a_flipped_byte_of_a_genuine_body() -> None:
    for report in derived("body_byte_flipped"):
        assert epid.judged(report, epid.intel_policy()) == SIGNATURE


@pytest.mark.parametrize("more", [b"\n", b" ", b"\r\n", b"\0"])
def test_case_02_a_newline_or_space_behind_the_body(more: bytes) -> None:
    body = epid.signed()

    assert epid.judged(replace(body, report=body.report + more)) == SIGNATURE
    assert epid.judged(replace(body, report=more + body.report)) == SIGNATURE


def test_case_02_the_genuine_report_that_was_filed_with_a_newline() -> None:
    filed = epid.genuine("pdo_report_as_filed")

    assert filed.report.endswith(b"\n")
    assert epid.failed_rule(filed, TrustRoots.of_intel()) == SIGNATURE
    assert epid.failed_rule(epid.genuine("pdo_report"), TrustRoots.of_intel()) == epid.ACCEPTED


WRITTEN_AGAIN: dict[str, Callable[[dict[str, Any]], str]] = {
    "with spaces": json.dumps,
    "indented": lambda members: json.dumps(members, indent=1),
    "reordered": lambda members: json.dumps(dict(reversed(members.items()))),
    "sorted": lambda members: json.dumps(members, separators=(",", ":"), sort_keys=True),
}


@pytest.mark.parametrize("how", WRITTEN_AGAIN)
def test_case_03_the_same_values_written_again(how: str) -> None:
    body = epid.signed()
    again = WRITTEN_AGAIN[how](json.loads(body.report)).encode()

    assert json.loads(again) == json.loads(body.report)
    assert again != body.report
    assert epid.judged(replace(body, report=again)) == SIGNATURE


def test_case_03_a_genuine_body_written_again() -> None:
    for report in derived("reserialised"):
        assert epid.judged(report, epid.intel_policy()) == SIGNATURE


def test_case_04_the_signature_of_another_report() -> None:
    other = epid.signed(epid.report(id="2"))

    assert epid.judged(replace(epid.signed(), signature=other.signature)) == SIGNATURE


def test_case_04_the_signature_of_another_genuine_report() -> None:
    for report in derived("signature_swapped"):
        assert epid.judged(report, epid.intel_policy()) == SIGNATURE


_PLUS_AND_SLASH = b"\xfb\xef\xff" * 85 + b"\x10"  # 256 bytes: "++//", twice "=" at the end

OTHER_SPELLINGS: dict[str, Callable[[str], str]] = {
    "a newline inside": lambda text: text[:64] + "\n" + text[64:],
    "a newline behind": lambda text: text + "\n",
    "a space before": lambda text: " " + text,
    "a tab inside": lambda text: text[:4] + "\t" + text[4:],
    "url-safe letters": lambda text: text.replace("+", "-").replace("/", "_"),
    "no padding": lambda text: text.rstrip("="),
    "too much padding": lambda text: text + "=",
    "padding bits that are not zero": lambda text: text[:-3] + "B==",
    "two values in a row": lambda text: text + text,
    "a letter of another alphabet": lambda text: "\uff21" + text[1:],
}


def spellings(how: str) -> tuple[str, str]:
    """The one spelling of a signature, and another of the same bytes."""
    text = base64.b64encode(_PLUS_AND_SLASH).decode()
    return text, OTHER_SPELLINGS[how](text)


@pytest.mark.parametrize("how", OTHER_SPELLINGS)
def test_case_05_a_signature_in_other_base64_on_chain(how: str) -> None:
    usual, other = spellings(how)
    members = pki.comment(epid.signed())

    for text, code in ((usual, SIGNATURE), (other, "container-malformed")):
        comment = json.dumps(members | {"signature": text}).encode()
        assert epid.judged(pki.container(comment)) == code


@pytest.mark.parametrize("how", OTHER_SPELLINGS)
def test_case_05_a_signature_in_other_base64_in_a_file(how: str) -> None:
    usual, other = spellings(how)
    members = pki.comment(epid.signed())

    for text, code in ((usual, SIGNATURE), (other, "container-malformed")):
        file = json.dumps(members | {"signature": text}).encode()
        assert epid.verdict(file, pki.policy())["code"] == code


@pytest.mark.parametrize("how", OTHER_SPELLINGS)
def test_case_05_a_signature_in_other_base64_in_the_header(how: str) -> None:
    usual, other = spellings(how)
    headers = {name.lower(): value for name, value in report_headers().items()}

    kept = parse_signed_report(headers | {SIGNATURE_HEADER.lower(): usual}, b"{}")
    assert kept.signature == _PLUS_AND_SLASH
    with pytest.raises(MalformedError):
        parse_signed_report(headers | {SIGNATURE_HEADER.lower(): other}, b"{}")


def test_case_06_a_signature_with_sha1_or_with_pss() -> None:
    key, body = pki.rsa_key("leaf"), epid.report()
    others = (
        key.sign(body, padding.PKCS1v15(), SHA1()),  # noqa: S303 -- it must be refused
        key.sign(body, padding.PSS(padding.MGF1(SHA256()), 32), SHA256()),
        key.sign(body, padding.PSS(padding.MGF1(SHA256()), padding.PSS.MAX_LENGTH), SHA256()),
    )

    for signature in others:
        assert epid.judged(replace(epid.signed(body), signature=signature)) == SIGNATURE


TEN_MEGABYTES = 10_000_000


def called(run: Callable[[], object]) -> list[str]:
    """The Python functions of the trusted package that ``run`` enters, in order."""
    entered: list[str] = []

    def note(frame: FrameType, event: str, _: object) -> None:
        module = frame.f_globals.get("__name__", "")
        if event == "call" and module.startswith("enclave."):
            entered.append(f"{module}.{frame.f_code.co_name}")

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        run()
    finally:
        sys.setprofile(before)
    return entered


@pytest.mark.parametrize("byte", [b"{", b"[", b'"', b"\\", b"9", b"\0"])
def test_case_37_ten_megabytes_with_a_bad_signature_are_never_parsed(byte: bytes) -> None:
    small = replace(epid.signed(), report=byte)
    large = replace(small, report=byte * TEN_MEGABYTES)
    epid.failed_rule(small)  # roots and leaf are read once and remembered

    for_small = called(lambda: epid.failed_rule(small))
    for_large = called(lambda: epid.failed_rule(large))

    assert epid.failed_rule(large) == SIGNATURE
    assert for_large == for_small, "the work depends on the size of what nobody has signed"
    assert not [name for name in for_large if "json" in name or ".parse" in name.lower()]


def test_case_37_ten_megabytes_in_a_container_are_refused_by_their_length() -> None:
    policy = pki.policy()

    for start in (b"\x30\x84\x00\x98\x96\x80", b"\x02\x00\x00\x98\x00", b"{", b"\0"):
        evidence = start.ljust(TEN_MEGABYTES, b"[")
        entered = called(partial(epid.judged, evidence, policy))

        assert epid.judged(evidence) == "container-malformed"
        assert epid.verdict(evidence)["code"] == "container-malformed"
        assert len(entered) < 10
