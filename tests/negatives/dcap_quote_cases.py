"""Cases 38 to 53: the quote itself, who signed it, and what it says about the code."""

from typing import Final

from enclave.evidence import simulated_dcap
from tests.negatives.dcap import (
    ACCEPTED,
    ALL,
    SGX,
    TDX,
    Case,
    Changes,
    boundaries,
    cases,
    flipped,
    sgx_measurement,
    tdx_measurement,
)
from tests.simulators.dcap_factory import SGX_V3, TDX_V4, TDX_V5
from tests.simulators.dcap_pki_factory import key
from tests.simulators.dcap_quote_factory import Form

ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
PRIME: Final = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF


def number(value: int) -> bytes:
    return value.to_bytes(32, "big")


def word(value: int) -> bytes:
    return value.to_bytes(8, "little")


def high_s(signature: bytes, order: int = ORDER) -> bytes:
    """The other signature that is as valid."""
    return signature[:32] + number(order - int.from_bytes(signature[32:], "big"))


BAD_SIGNATURES: Final = {
    "r is 0": lambda one: bytes(32) + one[32:],
    "s is 0": lambda one: one[:32] + bytes(32),
    "r is n": lambda one: number(ORDER) + one[32:],
    "s is n": lambda one: one[:32] + number(ORDER),
    "r is above n": lambda one: number(ORDER + 1) + one[32:],
    "s is above n": lambda one: one[:32] + b"\xff" * 32,
    "both are 0": lambda _: bytes(64),
}
"""Case 49: what no signature is."""


_QE_FLIPS: Final = {
    "cpu_svn": (0, "dcap-qe-report-signature"),
    "mr_enclave": (64, "dcap-qe-report-signature"),
    "flags": (48, "dcap-qe-attributes"),
    "report_data": (320, "dcap-attestation-key-binding"),
}
"""Case 47: where a bit is changed, and the first rule that sees it."""


def _truncated() -> list[Case]:
    found = []
    for form in ALL:
        for name, at in boundaries(form):
            code = "container-malformed" if at == 0 else "quote-malformed"
            sized = dict(boundaries(form))["signature"]
            change: Changes = {"quote": lambda quote, at=at: quote[:at]}
            code = "quote-length" if at >= sized else code
            found.append(Case(38, f"cut before {name}", code, change, form))
    return found


def _sizes() -> list[Case]:
    sizes: dict[str, Changes] = {
        "signature size, one more": {"parts": {"size_change": 1}},
        "signature size, one less": {"parts": {"size_change": -1}},
        "signature size, far too large": {"parts": {"size_change": 1 << 20}},
        "signature size, the largest": {"quote": _largest_size},
    }
    inner: dict[str, Changes] = {
        "chain size, one more": {"parts": {"chain_size_change": 1}},
        "chain size, one less": {"parts": {"chain_size_change": -1}},
        "chain size, the largest": {"parts": {"chain_size_change": 2**32 - 1 - 3000}},
        "bytes behind the chain": {"parts": {"behind": b"\0"}},
    }
    outer = {
        "outer size, one more": {"parts": {"outer_size_change": 1}},
        "outer size, one less": {"parts": {"outer_size_change": -1}},
    }
    auth = {
        f"auth data of {size} bytes": {"parts": {"auth_data": bytes(size)}}
        for size in (0, 31, 33, 20_000)
    }
    lying = {
        "auth size, one more": {"parts": {"auth_size_change": 1}},
        "auth size, one less": {"parts": {"auth_size_change": -1}},
        "auth size, none": {"parts": {"auth_size_change": -32}},
        "auth size, the largest": {"parts": {"auth_size_change": 65535 - 32}},
    }
    return [
        *cases(40, "quote-length", sizes, ALL),
        *cases(40, "quote-length", inner, ALL),
        *cases(40, "quote-length", outer, TDX),
        *cases(40, "quote-auth-data", auth, ALL),
        *cases(40, "quote-auth-data", lying, ALL),
        *cases(40, "dcap-chain-length", {"no chain": {"pem": lambda _: b""}}, ALL),
    ]


def _largest_size(quote: bytes) -> bytes:
    at = 48 + 384 if quote[0] == 3 else 48 + 584 if quote[0] == 4 else 54 + 648
    return quote[:at] + b"\xff" * 4 + quote[at + 4 :]


def _versions() -> list[Case]:
    other_versions = {
        f"version {version}": {"header": {"version": version}} for version in (0, 1, 2, 6, 0xFFFF)
    }
    found = cases(41, "quote-version", other_versions, ALL)
    unknown = {f"TEE type {tee:#x}": {"header": {"tee_type": tee}} for tee in (1, 0x82, 2**31)}
    found += cases(41, "quote-version", unknown, ALL)
    pairs = ((3, 0x81), (4, 0x00), (5, 0x00))
    found += [
        Case(41, f"TEE type {tee:#x}", "quote-version", {}, Form(version, tee))
        for version, tee in pairs
    ]
    body_headers = {
        "the type of SGX": (1, 648),
        "an unknown type": (4, 648),
        "type 0": (0, 648),
        "the type of TDX 1.0": (2, 648),
        "a size too small": (3, 647),
        "a size too large": (3, 649),
        "the largest size": (3, 2**32 - 1),
    }
    return found + [
        Case(
            41,
            f"body header with {name}",
            "quote-version",
            {"parts": {"body_header": pair}},
            TDX_V5,
        )
        for name, pair in body_headers.items()
    ]


def _certification() -> list[Case]:
    found = cases(
        44,
        "quote-certification-data",
        {
            f"chain of type {kind}": {"parts": {"chain_type": kind}}
            for kind in (0, 1, 2, 3, 4, 6, 7)
        },
        ALL,
    )
    outer = {f"QE report of type {kind}": {"parts": {"outer_type": kind}} for kind in (1, 5, 7)}
    return found + cases(44, "quote-certification-data", outer, TDX)


def _flips() -> list[Case]:
    """Header and body as the attestation key did not sign them."""
    return [
        Case(45, name, "dcap-quote-signature", flipped(dict(boundaries(form))[name] + 1), form)
        for form in ALL
        for name in ("QE SVN", "PCE SVN", "user data", "body", "report_data")
    ]


def _attestation_keys() -> list[Case]:
    other = simulated_dcap.raw_key(key("other").public_key())
    replaced: dict[str, Changes] = {
        "another key signs": {"parts": {"attestation_key": "other", "bound_key": "attestation"}},
        "another key stands there": {"parts": {"attestation_key_bytes": other}},
        "other auth data are bound": {"parts": {"bound_auth_data": bytes(32)}},
    }
    return cases(46, "dcap-attestation-key-binding", replaced, ALL)


def _qe_reports() -> list[Case]:
    found = [
        Case(
            47,
            f"{name} of the QE report changed",
            code,
            flipped(dict(boundaries(form))["QE report"] + at),
            form,
        )
        for form in ALL
        for name, (at, code) in _QE_FLIPS.items()
    ]
    signed = {"by another PCK": {"parts": {"qe_signed_by": "other"}}}
    found += cases(47, "dcap-qe-report-signature", signed, ALL)
    for form in ALL:
        bound = _bound_digest()
        for name, tail in {"last byte": bytes(31) + b"\1", "first byte": b"\1" + bytes(31)}.items():
            change = {"qe_report": {"report_data": bound + tail}}
            found.append(Case(48, f"{name} of the tail", "dcap-qe-report-data-tail", change, form))
    return found


def _bound_digest() -> bytes:
    attestation = simulated_dcap.raw_key(key("attestation").public_key())
    report = simulated_dcap.encode_qe_report(simulated_dcap.TEE_SGX, attestation)
    return report[320:352]


def _signatures() -> list[Case]:
    found = []
    for part, code in {"signature": "quote", "qe_signature": "QE"}.items():
        found += cases(
            49,
            "dcap-signature-range",
            {
                f"{code}: {name}": {"parts": {part: change}}
                for name, change in BAD_SIGNATURES.items()
            },
            ALL,
        )
        found += cases(49, ACCEPTED, {f"{code}: high s": {"parts": {part: high_s}}}, ALL)
    for part in ("tcb_info_signature", "qe_identity_signature"):
        named = {f"{part}: {name}": {part: change} for name, change in BAD_SIGNATURES.items()}
        found += cases(49, "dcap-signature-range", named)
        found += cases(49, ACCEPTED, {f"{part}: high s": {part: high_s}})
    return found


def _points() -> list[Case]:
    good = simulated_dcap.raw_key(key("attestation").public_key())
    points = {
        "infinity": bytes(64),
        "not on the curve": good[:63] + bytes((good[63] ^ 1,)),
        "x is the prime": number(PRIME) + good[32:],
        "x is above the prime": b"\xff" * 32 + good[32:],
        "y is the prime": good[:32] + number(PRIME),
        "x alone": good[:32] + bytes(32),
    }
    named = {name: {"parts": {"attestation_key_bytes": point}} for name, point in points.items()}
    return cases(50, "dcap-attestation-key", named, ALL)


def _body(
    code: str, number_: int, bodies: dict[str, Changes], forms: tuple[Form, ...]
) -> list[Case]:
    return cases(number_, code, {name: {"body": body} for name, body in bodies.items()}, forms)


def _sgx_attributes() -> list[Case]:
    reserved: dict[str, Changes] = {
        f"FLAGS bit {bit}": {"flags": 5 | 1 << bit} for bit in (3, 11, 31, 63)
    }
    reserved |= {f"MISCSELECT bit {bit}": {"misc_select": 1 << bit} for bit in (2, 31)}
    reserved |= {
        "reserved bytes behind MISCSELECT": {"reserved1": bytes(11) + b"\1"},
        "reserved bytes behind mr_enclave": {"reserved2": b"\1" + bytes(31)},
        "reserved bytes behind mr_signer": {"reserved3": bytes(31) + b"\x80"},
        "reserved bytes behind isv_svn": {"reserved4": bytes(41) + b"\1"},
    }
    configured: dict[str, Changes] = {
        "CONFIGID": {"config_id": bytes(63) + b"\1"},
        "CONFIGSVN": {"config_svn": 1},
    }
    xfrm: dict[str, Changes] = {
        "no SSE": {"xfrm": 0x01}, "nothing": {"xfrm": 0}, "bit 63": {"xfrm": 3 | 1 << 63},
        "bit 20": {"xfrm": 3 | 1 << 20},
    }  # fmt: skip
    return [
        *_body("debug-enclave", 51, {"DEBUG": {"flags": 0x07}}, SGX),
        *_body("enclave-not-initialised", 51, {"INIT clear": {"flags": 0x04}}, SGX),
        *_body("enclave-not-64-bit", 51, {"32-bit": {"flags": 0x01}}, SGX),
        *_body("provision-key-allowed", 51, {"PROVISION_KEY": {"flags": 0x15}}, SGX),
        *_body("launch-key-allowed", 51, {"EINITTOKEN_KEY": {"flags": 0x25}}, SGX),
        *_body("reserved-bits-set", 51, reserved, SGX),
        *_body("xfrm-not-allowed", 51, xfrm, SGX),
        *_body("kss-config-not-allowed", 51, configured, SGX),
    ]


def _tdx_attributes() -> list[Case]:
    sept = 1 << 28

    def with_bits(*bits: int) -> dict[str, Changes]:
        return {f"bit {bit}": {"td_attributes": word(sept | 1 << bit)} for bit in bits}

    other = b"\1" * 48
    members = {
        "measurement-not-allowed": ("mr_td",),
        "rtmr-not-allowed": ("rtmr0", "rtmr1", "rtmr2", "rtmr3"),
        "td-config-not-allowed": ("mr_config_id", "mr_owner", "mr_owner_config"),
        "tdx-module-not-allowed": ("mr_seam",),
    }
    found = [
        *_body("debug-enclave", 52, with_bits(0), TDX),
        *_body("td-profiling", 52, with_bits(4, 5, 6), TDX),
        *_body("reserved-bits-set", 52, with_bits(1, 7, 8, 24, 32, 61), TDX),
        *_body("td-migratable", 52, with_bits(29), TDX),
        *_body("td-service-extension", 52, with_bits(17), TDX),
        *_body("sept-ve-disable-clear", 52, {"SEPT_VE_DISABLE 0": {"td_attributes": word(0)}}, TDX),
        *_body("service-td-bound", 52, {"MRSERVICETD": {"mr_service_td": other}}, (TDX_V5,)),
        *_body("td-attributes-not-allowed", 52, with_bits(30), TDX),
        *_body("td-attributes-not-allowed", 52, {"XFAM": {"xfam": word(0x61)}}, TDX),
    ]
    for code, names in members.items():
        found += _body(code, 52, {f"{name} of another": {name: other} for name in names}, TDX)
    return found


def _module() -> list[Case]:
    """The TDX module, which TCB Info speaks of before the policy does."""
    return [
        *_body("tdx-module-signer", 52, {"MRSIGNERSEAM": {"mr_signer_seam": b"\1" * 48}}, TDX),
        *_body("tdx-module-attributes", 52, {"SEAM attributes": {"seam_attributes": word(1)}}, TDX),
    ]


def _identity() -> list[Case]:
    other = b"\1" * 32
    body: dict[str, tuple[str, Changes]] = {
        "mr_enclave of another": ("measurement-not-allowed", {"mr_enclave": other}),
        "mr_signer of another": ("signer-not-allowed", {"mr_signer": other}),
        "a product id too low": ("product-not-allowed", {"isv_prod_id": 6}),
        "a product id too high": ("product-not-allowed", {"isv_prod_id": 8}),
        "a security version too low": ("security-version-too-low", {"isv_svn": 2}),
    }
    found = [Case(53, name, code, {"body": change}) for name, (code, change) in body.items()]
    found += [
        Case(53, "no measurement at all", "measurement-not-allowed", {}, form, {"measurements": []})
        for form in ALL
    ]
    found += [
        Case(53, "the measurement of the other TEE", "measurement-not-allowed", {}, SGX_V3,
             {"measurements": [tdx_measurement()]}),
        Case(53, "the measurement of the other TEE", "measurement-not-allowed", {}, TDX_V4,
             {"measurements": [sgx_measurement()]}),
    ]  # fmt: skip
    bindings = {
        "another network or owner": bytes((9, *bytes(31))) + bytes(32),
        "a tail that is no hash": bytes((9, *bytes(31))) + b"\1" * 32,
    }
    for form in ALL:
        for name, data in bindings.items():
            change = {"body": {"report_data": data}}
            found.append(Case(53, f"report_data for {name}", "binding-mismatch", change, form))
        zero = {"body": {"report_data": bytes(64)}}
        found.append(Case(53, "report_data all zero", "bound-key-refused", zero, form))
        kinds = {"evidence_kinds": ["epid"]}
        found.append(
            Case(53, "a kind that is not listed", "evidence-kind-not-allowed", {}, form, kinds)
        )
    return found


QUOTE_CASES: Final = [
    *_truncated(),
    *cases(
        39,
        "quote-length",
        {
            "a zero": {"quote": lambda quote: quote + b"\0"},
            "padded to a page": {"quote": lambda quote: quote.ljust(8192, b"\0")},
            "noise": {"quote": lambda quote: quote + b"noise"},
            "the quote again": {"quote": lambda quote: quote * 2},
        },
        ALL,
    ),
    *_sizes(),
    *_versions(),
    *cases(
        42,
        "quote-key-type",
        {
            f"type {kind}": {"header": {"attestation_key_type": kind}}
            for kind in (0, 1, 3, 4, 0xFFFF)
        },
        ALL,
    ),
    *cases(
        43,
        "dcap-qe-vendor",
        {
            "zeros": {"header": {"qe_vendor_id": bytes(16)}},
            "one bit": {
                "header": {"qe_vendor_id": simulated_dcap.VENDOR_ID[:15] + b"\x06"},
            },
        },
        ALL,
    ),
    *_certification(),
    *_flips(),
    *_attestation_keys(),
    *_qe_reports(),
    *_signatures(),
    *_points(),
    *_sgx_attributes(),
    *_tdx_attributes(),
    *_module(),
    *_identity(),
]
