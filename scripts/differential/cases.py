# ruff: noqa: INP001 -- a part of a program, in no package
"""What both implementations judge: real evidence, and everything that can be done to it.

Seeded: the same seed makes the same cases.
"""

import base64
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any, Final

from cryptography import x509

from scripts.differential.verdicts import Case

_CHAINS: Final = ("pck_crl_issuer_chain", "tcb_info_issuer_chain", "qe_identity_issuer_chain")
_DOCUMENTS: Final = ("tcb_info", "qe_identity")
_CRLS: Final = ("root_ca_crl", "pck_crl")
_PEM: Final = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n?", re.DOTALL)
_INSTANT: Final = re.compile(r'"(?:issueDate|nextUpdate)":"([^"]+)"')

_HEADER: Final = {
    "version": (0, 2), "key type": (2, 4), "TEE type": (4, 8), "QE SVN": (8, 10),
    "PCE SVN": (10, 12), "vendor": (12, 28), "user data": (28, 48),
}  # fmt: skip
_SGX_BODY: Final = {
    "cpu_svn": (0, 16), "misc_select": (16, 20), "reserved 1": (20, 32), "ext prod id": (32, 48),
    "flags": (48, 56), "xfrm": (56, 64), "mr_enclave": (64, 96), "reserved 2": (96, 128),
    "mr_signer": (128, 160), "reserved 3": (160, 192), "config id": (192, 256),
    "prod id": (256, 258), "svn": (258, 260), "config svn": (260, 262), "reserved 4": (262, 304),
    "family id": (304, 320), "report_data": (320, 384),
}  # fmt: skip
_TD_BODY: Final = {
    "tee_tcb_svn": (0, 16), "mr_seam": (16, 64), "mr_signer_seam": (64, 112),
    "seam attributes": (112, 120), "td attributes": (120, 128), "xfam": (128, 136),
    "mr_td": (136, 184), "mr_config_id": (184, 232), "mr_owner": (232, 280),
    "mr_owner_config": (280, 328), "rtmr": (328, 520), "report_data": (520, 584),
}  # fmt: skip
_SIGNATURE: Final = {"r": (0, 32), "s": (32, 64), "key x": (64, 96), "key y": (96, 128)}


def corpus_cases(folder: Path) -> list[Case]:
    """Every case of the corpus, as it stands."""
    found = []
    for path in sorted(folder.glob("*.json")):
        known = json.loads(path.read_text())
        quote = base64.b64decode(known["quote_b64"])
        at_s = int(datetime.fromisoformat(known["verify_at"]).timestamp())
        family = "corpus, derived" if "__" in path.stem else "corpus, as found"
        found.append(Case(path.stem, family, quote, known["collateral"], at_s))
    return found


def mutations(base: Case, others: list[Case], rng: Random) -> Iterator[Case]:
    """Everything that is done to one case."""
    yield from _flipped_quotes(base, rng)
    yield from _resized_quotes(base, rng)
    yield from _edited_documents(base, others, rng)
    yield from _changed_lists(base, others, rng)
    yield from _changed_chains(base, others)
    yield from _other_times(base)


def _flipped_quotes(base: Case, rng: Random) -> Iterator[Case]:
    for name, start, end in _fields(base.quote):
        at, bit = rng.randrange(start, min(end, len(base.quote))), 1 << rng.randrange(8)
        quote = bytearray(base.quote)
        quote[at] ^= bit
        yield _with_quote(base, "quote, one bit", f"{name}@{at}", bytes(quote))


def _fields(quote: bytes) -> Iterator[tuple[str, int, int]]:
    """Name and place of everything in a quote that has a meaning of its own."""
    version = int.from_bytes(quote[:2], "little")
    tdx = quote[4:8] != bytes(4)
    body_at = 54 if version == 5 else 48  # noqa: PLR2004 -- a body header of 6 bytes
    size = int.from_bytes(quote[50:54], "little") if version == 5 else 584 if tdx else 384  # noqa: PLR2004
    signed_at = body_at + size + 4
    yield from ((name, *place) for name, place in _HEADER.items())
    if version == 5:  # noqa: PLR2004
        yield "body type", 48, 50
        yield "body size", 50, 54
    body = _TD_BODY if tdx else _SGX_BODY
    yield from ((name, body_at + a, body_at + b) for name, (a, b) in body.items())
    if size > 584:  # noqa: PLR2004 -- a TDX 1.5 report has two more fields
        yield "tee_tcb_svn 2", body_at + 584, body_at + 600
        yield "mr_service_td", body_at + 600, body_at + 648
    yield "signature size", signed_at - 4, signed_at
    yield from ((name, signed_at + a, signed_at + b) for name, (a, b) in _SIGNATURE.items())
    at = signed_at + 128
    if version > 3:  # noqa: PLR2004 -- the QE's report is wrapped
        yield "outer type", at, at + 2
        yield "outer size", at + 2, at + 6
        at += 6
    yield from ((f"QE {name}", at + a, at + b) for name, (a, b) in _SGX_BODY.items())
    at += 384
    yield "QE signature r", at, at + 32
    yield "QE signature s", at + 32, at + 64
    yield "auth size", at + 64, at + 66
    auth = int.from_bytes(quote[at + 64 : at + 66], "little")
    yield "auth data", at + 66, at + 66 + auth
    at += 66 + auth
    yield "chain type", at, at + 2
    yield "chain size", at + 2, at + 6
    third = (len(quote) - at - 6) // 3
    yield from ((f"chain {n + 1}", at + 6 + n * third, at + 6 + (n + 1) * third) for n in range(3))


def _resized_quotes(base: Case, rng: Random) -> Iterator[Case]:
    quote = base.quote
    for name, changed in (
        ("a zero behind", quote + b"\0"),
        ("a page of zeros behind", quote.ljust(8000, b"\0")),
        ("noise behind", quote + rng.randbytes(40)),
        ("the last byte missing", quote[:-1]),
        ("half", quote[: len(quote) // 2]),
        ("the header", quote[:48]),
        ("nothing", b""),
        ("twice", quote * 2),
    ):
        yield _with_quote(base, "quote, length", name, changed)


def _edited_documents(base: Case, others: list[Case], rng: Random) -> Iterator[Case]:
    for name in _DOCUMENTS:
        text = str(base.collateral[name])
        for member in json.loads(text):
            value = json.loads(text)
            value.pop(member)
            changed = json.dumps(value, separators=(",", ":"))
            yield _with(base, "document, edited", f"{name} without {member}", {name: changed})
        yield _with(base, "document, edited", f"{name} spaced", {name: text.replace(":", ": ", 1)})
        yield _with(base, "document, edited", f"{name} and a space", {name: text + " "})
        unknown = text[:-1] + ',"unknown":1}'
        yield _with(base, "document, edited", f"{name} and a member", {name: unknown})
        at = rng.randrange(len(text))
        digit = text[:at] + chr(ord(text[at]) ^ 1) + text[at + 1 :]
        yield _with(base, "document, edited", f"{name} one bit", {name: digit})
        signature = str(base.collateral[f"{name}_signature"])
        for what, other in (
            ("zeros", "00" * 64),
            ("short", signature[:-2]),
            ("long", signature + "00"),
            ("upper case", signature.upper()),
            ("high s", _high_s(signature)),
        ):
            change = {f"{name}_signature": other}
            yield _with(base, "document, signature", f"{name} {what}", change)
        other = rng.choice(others).collateral
        pair = {part: other[part] for part in (name, f"{name}_signature")}
        yield _with(base, "document, another's", name, pair)
    documents = ("tcb_info", "tcb_info_signature", "qe_identity", "qe_identity_signature")
    exchanged = {
        a: base.collateral[b] for a, b in zip(documents, documents[2:] + documents[:2], strict=True)
    }
    yield _with(base, "document, another's", "exchanged", exchanged)


def _high_s(signature: str) -> str:
    """The other signature that is as valid: s and n - s (SEC 1, section 4.1)."""
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    return signature[:64] + f"{order - int(signature[64:], 16):064x}"


def _changed_lists(base: Case, others: list[Case], rng: Random) -> Iterator[Case]:
    for name in _CRLS:
        crl = bytes.fromhex(base.collateral[name])
        flipped = bytearray(crl)
        flipped[rng.randrange(len(crl))] ^= 1 << rng.randrange(8)
        signature = bytearray(crl)
        signature[-1] ^= 1
        for what, changed in (
            ("one bit", bytes(flipped)),
            ("signature", bytes(signature)),
            ("cut", crl[:-1]),
            ("a byte behind", crl + b"\0"),
            ("nothing", b""),
            ("another's", bytes.fromhex(rng.choice(others).collateral[name])),
        ):
            yield _with(base, "CRL", f"{name} {what}", {name: changed.hex()})
        yield _with(base, "CRL", f"{name} as base64", {name: base64.b64encode(crl).decode()})
    exchanged = {
        "root_ca_crl": base.collateral["pck_crl"],
        "pck_crl": base.collateral["root_ca_crl"],
    }
    yield _with(base, "CRL", "exchanged", exchanged)
    for name in _CRLS:
        both = dict.fromkeys(_CRLS, base.collateral[name])
        yield _with(base, "CRL", f"{name} twice", both)


def _changed_chains(base: Case, others: list[Case]) -> Iterator[Case]:
    for name in _CHAINS:
        chain = _PEM.findall(str(base.collateral[name]))
        foreign = _PEM.findall(str(others[0].collateral[name]))
        for what, changed in (
            ("the leaf alone", chain[:1]),
            ("without leaf", chain[1:]),
            ("reversed", chain[::-1]),
            ("leaf twice", chain[:1] + chain),
            ("root twice", [*chain, chain[-1]]),
            ("another's behind", [*chain, foreign[0]]),
            ("nothing", []),
        ):
            yield _with(base, "chain", f"{name} {what}", {name: "".join(changed)})
        loose = "text in front\n" + "".join(chain)
        yield _with(base, "chain", f"{name} with text", {name: loose})
    for name, other in zip(_CHAINS, _CHAINS[1:] + _CHAINS[:1], strict=True):
        change = {name: base.collateral[other]}
        yield _with(base, "chain", f"{name} is {other}", change)
    own = b"".join(re.findall(rb"-----BEGIN.*?-----END CERTIFICATE-----\n?", base.quote, re.DOTALL))
    override = {"pck_certificate_chain": own.decode()}
    yield _with(base, "chain", "the quote's own, in the collateral too", override)
    for other in others[:2]:
        theirs = re.findall(rb"-----BEGIN.*?-----END CERTIFICATE-----\n?", other.quote, re.DOTALL)
        override = {"pck_certificate_chain": b"".join(theirs).decode()}
        yield _with(base, "chain", f"in the collateral that of {other.name}", override)


def _other_times(base: Case) -> Iterator[Case]:
    """One second before, at, and after every date in the evidence, and far away."""
    instants = {0, 2**31, 4_102_444_800, base.at_s - 31_536_000, base.at_s + 31_536_000}
    for instant in _dates(base):
        instants |= {instant - 1, instant, instant + 1}
    for at_s in sorted(one for one in instants if one >= 0):
        yield replace(base, name=f"{base.name}: at {at_s}", family="time", at_s=at_s)


def _dates(base: Case) -> Iterator[int]:
    for name in _DOCUMENTS:
        for text in _INSTANT.findall(str(base.collateral[name])):
            yield _seconds(datetime.fromisoformat(text))
    for name in _CRLS:
        crl = x509.load_der_x509_crl(bytes.fromhex(base.collateral[name]))
        yield _seconds(crl.last_update_utc)
        if crl.next_update_utc:
            yield _seconds(crl.next_update_utc)
    texts = [str(base.collateral[name]).encode() for name in _CHAINS] + [base.quote]
    for text in texts:
        for pem in re.findall(rb"-----BEGIN.*?-----END CERTIFICATE-----", text, re.DOTALL):
            certificate = x509.load_pem_x509_certificate(pem)
            yield _seconds(certificate.not_valid_before_utc)
            yield _seconds(certificate.not_valid_after_utc)


def _seconds(instant: datetime) -> int:
    return int(instant.astimezone(UTC).timestamp())


def _with_quote(base: Case, family: str, what: str, quote: bytes) -> Case:
    return replace(base, name=f"{base.name}: {what}", family=family, quote=quote)


def _with(base: Case, family: str, what: str, change: Mapping[str, Any]) -> Case:
    collateral = {**base.collateral, **change}
    return replace(base, name=f"{base.name}: {what}", family=family, collateral=collateral)
