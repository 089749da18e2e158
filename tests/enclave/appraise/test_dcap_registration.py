import base64
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enclave.appraise.policy import TCB_STATUSES, Policy
from enclave.appraise.registration import judge_bootstrap, judge_registration
from enclave.binding import bootstrap_report_data, registration_report_data
from enclave.calls import JudgeReply
from enclave.dcap_errors import DcapVerificationError, QuoteLengthError, QuoteSignatureError
from enclave.errors import (
    BindingError,
    BoundKeyError,
    CollateralFormatError,
    ContainerFormatError,
    DebugEnclaveError,
    EnclaveError,
    EvidenceFormatError,
    EvidenceTooOldError,
    PolicyError,
    VerificationError,
)
from enclave.evidence.dcap_quote import DcapQuote
from enclave.times import parse_rfc3339
from tests import corpus
from tests.enclave import simulated_pki as pki
from tests.enclave.appraise import dcap_kit as kit
from tests.simulators.dcap_factory import SGX_V3, TDX_V4, TDX_V5, Made, make, tagged
from tests.simulators.dcap_quote_factory import MR_ENCLAVE, MR_TD, Form

NETWORK = b"n" * 32
OWNER = bytes(range(20))
NODE_ID = b"\x09" + bytes(31)
IO_PK = b"\x0a" + bytes(31)
S = 1_000_000
DAY_S = 86_400

AT_US = parse_rfc3339("2026-11-23T10:00:00Z")
ISSUED_US = parse_rfc3339("2026-11-13T10:00:00Z")
"""Both documents and the PCK's revocation list; the root's is older."""
ROOT_LIST_US = parse_rfc3339("2026-03-20T11:00:00Z")
EXPIRES_US = parse_rfc3339("2026-12-13T10:00:00Z") - 1
"""The last instant: the PCK's revocation list holds until its end, and not at it."""

FORMS = pytest.mark.parametrize(
    "form", [SGX_V3, TDX_V4, TDX_V5], ids=["sgx-v3", "tdx-v4", "tdx-v5"]
)


def made(form: Form = SGX_V3, /, report_data: bytes | None = None, **changes: Any) -> Made:
    data = report_data or registration_report_data(NODE_ID, NETWORK, OWNER)
    body = {"report_data": data} | changes.pop("body", {})
    return make(form, body=body, **changes)


def policy(form: Form = SGX_V3, **changes: Any) -> Policy:
    roots = {"trust_roots": [make(form).trust_root_entry], "max_evidence_age_s": 300 * DAY_S}
    return kit.policy(form, **(roots | changes))


def judge(
    certificate: bytes,
    rules: Policy | None = None,
    *,
    owner: bytes = OWNER,
    at_us: int = AT_US,
    catch_up: bool = False,
) -> JudgeReply:
    return judge_registration(
        certificate, owner, rules or policy(), NETWORK, at_us, catch_up=catch_up
    )


@FORMS
def test_acceptable_evidence_gives_the_attestation_result(form: Form) -> None:
    assert judge(made(form).container, policy(form)) == JudgeReply(
        node_id=NODE_ID,
        evidence_kind="dcap-sgx" if form.is_sgx else "dcap-tdx",
        measurement=MR_ENCLAVE if form.is_sgx else MR_TD,
        tcb_status="UpToDate",
        valid_from_us=ISSUED_US,
        valid_until_us=EXPIRES_US,
    )


@FORMS
def test_the_same_evidence_gives_the_same_result_at_every_time_it_is_valid(form: Form) -> None:
    evidence, rules = made(form).container, policy(form)
    reply = judge(evidence, rules)

    assert judge(evidence, rules, at_us=reply.valid_from_us - 30 * S) == reply
    assert judge(evidence, rules, at_us=reply.valid_until_us) == reply
    with pytest.raises(VerificationError):
        judge(evidence, rules, at_us=reply.valid_from_us - 30 * S - 1)
    with pytest.raises(VerificationError):
        judge(evidence, rules, at_us=reply.valid_until_us + 1)


def test_where_age_ends_first_the_result_says_so() -> None:
    rules = policy(max_evidence_age_s=260 * DAY_S)
    evidence = made().container

    reply = judge(evidence, rules)

    assert reply.valid_until_us == ROOT_LIST_US + 260 * DAY_S * S
    assert judge(evidence, rules, at_us=reply.valid_until_us) == reply
    with pytest.raises(EvidenceTooOldError):
        judge(evidence, rules, at_us=reply.valid_until_us + 1)


def test_catching_up_judges_at_the_newest_start_date_where_that_is_later() -> None:
    evidence = made().container

    assert judge(evidence, at_us=0, catch_up=True) == judge(evidence)
    assert judge(evidence, at_us=ISSUED_US - 31 * S, catch_up=True) == judge(evidence)
    with pytest.raises(VerificationError):
        judge(evidence, at_us=ISSUED_US - 31 * S)
    with pytest.raises(VerificationError):
        judge(evidence, at_us=EXPIRES_US + 1, catch_up=True)
    with pytest.raises(EvidenceTooOldError):
        judge(evidence, policy(max_evidence_age_s=200 * DAY_S), at_us=0, catch_up=True)


@pytest.mark.parametrize(
    "data",
    [
        registration_report_data(NODE_ID, b"m" * 32, OWNER),
        registration_report_data(NODE_ID, NETWORK, bytes(20)),
        registration_report_data(NODE_ID, NETWORK, OWNER[::-1]),
        NODE_ID + bytes(32),
        bootstrap_report_data(NODE_ID, NETWORK, IO_PK),
    ],
    ids=["network", "no owner", "owner", "nothing", "bootstrap"],
)
@FORMS
def test_evidence_bound_to_something_else_is_refused(form: Form, data: bytes) -> None:
    with pytest.raises(BindingError) as caught:
        judge(made(form, data).container, policy(form))

    assert caught.value.seen == data.hex()


def test_a_key_of_small_order_is_refused() -> None:
    data = registration_report_data(bytes(32), NETWORK, OWNER)

    with pytest.raises(BoundKeyError):
        judge(made(SGX_V3, data).container)


def test_without_owners_the_zero_owner_is_bound_whoever_sends() -> None:
    data = registration_report_data(NODE_ID, NETWORK, bytes(20))

    assert judge(made(SGX_V3, data).container, policy(require_owner=False))
    with pytest.raises(BindingError):
        judge(made().container, policy(require_owner=False))


# --- which fault is named ----------------------------------------------------------------------


def test_form_comes_before_authenticity() -> None:
    evidence = made(quote=lambda quote: quote + b"\0", body={"flags": 0x07})

    with pytest.raises(QuoteLengthError):
        judge(evidence.container)


@FORMS
def test_authenticity_comes_before_policy(form: Form) -> None:
    debug = {"flags": 0x07} if form.is_sgx else {"td_attributes": b"\x01" + bytes(7)}
    forged = made(form, body=debug, parts={"signature": lambda _: bytes(31) + b"\1" * 33})

    with pytest.raises(QuoteSignatureError):
        judge(forged.container, policy(form))


def test_dates_come_before_policy() -> None:
    with pytest.raises(DcapVerificationError):
        judge(made(body={"flags": 0x07}).container, at_us=EXPIRES_US + 1)


def test_policy_comes_before_age_and_age_before_binding() -> None:
    short = policy(max_evidence_age_s=0)

    with pytest.raises(DebugEnclaveError):
        judge(made(body={"flags": 0x07}).container, short)
    with pytest.raises(EvidenceTooOldError):
        judge(made(SGX_V3, bytes(64)).container, short)


# --- whom to believe ---------------------------------------------------------------------------


def test_a_simulated_quote_is_refused_on_a_production_chain() -> None:
    production = policy(trust_roots=["intel"], simulation=False)

    with pytest.raises(DcapVerificationError) as caught:
        judge(made().container, production)

    assert caught.value.code == "dcap-root"


def genuine(name: str) -> tuple[bytes, dict[str, Any]]:
    """A case of the corpus as a container on chain."""
    case = corpus.load(f"dcap/{name}.json")
    quote = base64.b64decode(case["quote_b64"])
    again = replace(make(SGX_V3), quote=quote, collateral=case["collateral"])
    return again.container, case


def test_a_genuine_quote_is_refused_on_a_simulated_chain() -> None:
    container, case = genuine("automata_quotev3")

    with pytest.raises(DcapVerificationError) as caught:
        judge(container, at_us=parse_rfc3339(case["verify_at"]))

    assert caught.value.code == "dcap-root"


def test_a_genuine_quote_passes_everything_but_the_binding_on_a_production_chain() -> None:
    container, case = genuine("dcapqvl_sgx_quote")
    expect = case["expect"]
    rules = policy(
        trust_roots=["intel"],
        simulation=False,
        measurements=[{key: expect[key] for key in ("mr_enclave", "mr_signer", "isv_prod_id")}],
        platform_tcb_statuses=[expect["platform_status"]],
        advisories=expect["advisory_ids"],
    )

    with pytest.raises(BindingError) as caught:
        judge(container, rules, at_us=parse_rfc3339(case["verify_at"]))

    assert caught.value.seen == expect["report_data"]


@pytest.mark.parametrize("name", corpus.names("dcap"))
def test_every_case_of_the_corpus_is_told_from_the_others_on_a_production_chain(
    name: str,
) -> None:
    container, case = genuine(name.removeprefix("dcap/").removesuffix(".json"))
    expect = case["expect"]
    plain = corpus.load(f"{name.removesuffix('.json').partition('__')[0]}.json")["expect"]
    members = ("mr_enclave",) if plain["tee"] == "sgx" else kit.TDX_MEMBERS
    every = sorted(TCB_STATUSES)
    rules = policy(
        trust_roots=["intel"],
        simulation=False,
        measurements=[{key: genuine_member(name, plain, key) for key in members}],
        platform_tcb_statuses=every,
        qe_tcb_statuses=every,
        advisories=sorted(expect.get("advisory_ids") or []),
        min_tcb_evaluation_data_number=0,
        max_evidence_age_s=10**9,
        max_clock_skew_s=0,
    )

    with pytest.raises(EnclaveError) as caught:
        judge(container, rules, at_us=parse_rfc3339(case["verify_at"]))

    if not expect["authentic"]:
        assert isinstance(caught.value, EvidenceFormatError | VerificationError)
    elif "reject_reason" in expect:
        assert isinstance(caught.value, PolicyError)
        assert not isinstance(caught.value, BindingError)
    else:
        assert isinstance(caught.value, BindingError)


def genuine_member(name: str, expect: dict[str, Any], key: str) -> str:
    """A member of the measurement that a case was made from."""
    if key in expect:
        return str(expect[key])
    base = name.removesuffix(".json").partition("__")[0]
    quote = DcapQuote.parse(base64.b64decode(corpus.load(f"{base}.json")["quote_b64"]))
    value: bytes = getattr(quote.body, key)
    return value.hex()


def test_a_mixed_network_names_a_root_for_each_kind() -> None:
    quote, report_root = made(), pki.trust_root(pki.root())
    data = registration_report_data(NODE_ID, NETWORK, OWNER)
    report = pki.on_chain(pki.signed(pki.report(pki.quote_body(data))))
    rules = policy(
        trust_roots=sorted([quote.trust_root_entry, report_root]),
        measurements=[{"mr_enclave": MR_ENCLAVE.hex()}],
    )

    assert judge(quote.container, rules).evidence_kind == "dcap-sgx"
    assert judge(report, rules, at_us=pki.AT_US).evidence_kind == "epid"
    alone = policy(measurements=[{"mr_enclave": MR_ENCLAVE.hex()}])
    with pytest.raises(VerificationError):
        judge(report, alone, at_us=pki.AT_US)


# --- what a transaction may not carry ------------------------------------------------------------


@FORMS
def test_padding_is_never_cut_on_chain(form: Form) -> None:
    for tail in (b"\0", bytes(70)):
        padded = made(form, quote=lambda quote, tail=tail: quote + tail)
        with pytest.raises(QuoteLengthError):
            judge(padded.container, policy(form))


def test_collateral_in_json_is_read_off_chain_only() -> None:
    evidence = made()

    with pytest.raises(CollateralFormatError):
        judge(tagged((2, evidence.quote), (3, evidence.collateral_json)))


def test_other_containers_of_a_quote_are_refused() -> None:
    evidence = made()
    quote, collateral = evidence.quote, evidence.collateral_intel
    sizes = b"".join(len(part).to_bytes(4, "little") for part in (b"", quote, collateral))

    for data in (
        quote,
        tagged((2, quote)),
        tagged((3, collateral), (2, quote)),
        tagged((2, quote), (3, collateral), (4, b"")),
        sizes + quote + collateral,
        evidence.container + b"\0",
    ):
        with pytest.raises(ContainerFormatError):
            judge(data)


# --- the network's first keys, and anything at all ------------------------------------------------


@FORMS
def test_bootstrap_evidence_proves_the_networks_keys(form: Form) -> None:
    evidence = made(form, bootstrap_report_data(NODE_ID, NETWORK, IO_PK)).container

    reply = judge_bootstrap(evidence, NODE_ID, IO_PK, policy(form), NETWORK, AT_US)

    assert reply.node_id == NODE_ID
    with pytest.raises(BindingError):
        judge_bootstrap(evidence, IO_PK, NODE_ID, policy(form), NETWORK, AT_US)
    with pytest.raises(VerificationError):
        judge_bootstrap(evidence, NODE_ID, IO_PK, policy(form), NETWORK, EXPIRES_US + 1)


@FORMS
@settings(max_examples=150, deadline=None)
@given(at=st.integers(0, 2**16), value=st.integers(0, 255))
def test_a_changed_byte_is_refused_or_changes_nothing(form: Form, at: int, value: int) -> None:
    genuine_one, rules = made(form).container, policy(form)
    evidence = bytearray(genuine_one)
    evidence[at % len(evidence)] = value
    try:
        reply = judge(bytes(evidence), rules)
    except (EvidenceFormatError, VerificationError, PolicyError):
        return
    assert reply == judge(genuine_one, rules)
