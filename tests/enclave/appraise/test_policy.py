import json
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enclave import canonical_json
from enclave.appraise.policy import STRICT_PRODUCTION, Policy
from enclave.appraise.reference_values import SgxMeasurement, TdxMeasurement
from enclave.errors import PolicyFormatError
from enclave.network import network_id
from tests import corpus
from tests.enclave import simulated_pki as pki

TDX = {
    "mr_td": "00" * 48,
    "rtmr0": "01" * 48,
    "rtmr1": "02" * 48,
    "rtmr2": "03" * 48,
    "rtmr3": "04" * 48,
    "mr_config_id": "05" * 48,
    "mr_owner": "06" * 48,
    "mr_owner_config": "07" * 48,
    "mr_seam": "08" * 48,
    "td_attributes": "09" * 8,
    "xfam": "0a" * 8,
}
SGX = {"mr_enclave": "ab" * 32, "mr_signer": "cd" * 32, "isv_prod_id": 1, "min_isv_svn": 2}


def test_the_known_policy_is_read_and_written_byte_for_byte() -> None:
    known = corpus.load("kat/protocol_v1.json")
    data = known["policy_canonical_json"].encode()

    policy = Policy.parse(data)

    assert policy.encode() == data
    assert policy.to_value() == known["policy"]
    assert network_id(known["chain_id"], policy.encode()).hex() == known["network_id"]
    assert policy.gas_price() == (Fraction(1, 4), "uscrt")
    assert policy.note == "déjà vu ✓"


def test_every_member_is_read() -> None:
    policy = pki.policy(measurements=[SGX, TDX], note="of a test")

    assert policy.measurements == (
        SgxMeasurement(b"\xab" * 32, b"\xcd" * 32, 1, 2),
        TdxMeasurement(**{key: bytes.fromhex(text) for key, text in TDX.items()}),
    )
    assert policy.evidence_kinds == ("epid",)
    assert policy.max_evidence_age_s == 3600
    assert policy.max_clock_skew_s == 30
    assert policy.min_tcb_evaluation_data_number == 16
    assert policy.max_registrations_per_block == 8
    assert policy.require_owner
    assert policy.simulation
    assert not policy.allow_debug
    assert policy.note == "of a test"
    assert Policy.parse(policy.encode()) == policy


@pytest.mark.parametrize("member", sorted(set(pki.POLICY_MEMBERS)))
def test_an_absent_member_is_refused_by_name(member: str) -> None:
    with pytest.raises(PolicyFormatError, match=f"member {member} is missing"):
        Policy.parse(canonical_json.encode(pki.policy_value(**{member: ...})))


def test_an_unknown_member_is_refused_by_name() -> None:
    with pytest.raises(PolicyFormatError, match="member allow_everything is unknown"):
        Policy.from_value(pki.policy_value(allow_everything=True))


def test_a_hostile_name_is_shown_short_and_printable() -> None:
    with pytest.raises(PolicyFormatError) as caught:
        Policy.from_value(pki.policy_value(**{"\x1b[2J" + "x" * 5000: True}))

    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("member", sorted(set(pki.POLICY_MEMBERS)))
@pytest.mark.parametrize("value", [None, {}, "x", 1.5, -1])
def test_a_member_of_another_type_is_refused(member: str, value: object) -> None:
    with pytest.raises(PolicyFormatError):
        Policy.from_value(pki.policy_value(**{member: value}))


WRONG_FORMS: list[tuple[str, Any]] = [
    ("trust_roots", []),
    ("trust_roots", ["intel", "simulation:AAAA"]),
    ("trust_roots", ["simulation:AAAA"]),
    ("trust_roots", [1]),
    ("trust_roots", [[]]),
    ("evidence_kinds", ["sev-snp"]),
    ("evidence_kinds", ["epid", "dcap-sgx"]),
    ("evidence_kinds", ["epid", "epid"]),
    ("evidence_kinds", [["epid"]]),
    ("evidence_kinds", [{}]),
    ("evidence_kinds", "epid"),
    ("evidence_kinds", [1, "epid"]),
    ("measurements", [{}]),
    ("measurements", ["ab" * 32]),
    ("measurements", [[1]]),
    ("measurements", [SGX, SGX]),
    ("measurements", [TDX, SGX]),
    ("measurements", [SGX | {"mr_enclave": "AB" * 32}]),
    ("measurements", [SGX | {"mr_enclave": "ab" * 31}]),
    ("measurements", [SGX | {"mr_enclave": "ab" * 33}]),
    ("measurements", [SGX | {"mr_enclave": "0x" + "ab" * 31}]),
    ("measurements", [SGX | {"mr_enclave": "g" * 64}]),
    ("measurements", [SGX | {"mr_signer": None}]),
    ("measurements", [SGX | {"mr_signer": ""}]),
    ("measurements", [SGX | {"isv_prod_id": True}]),
    ("measurements", [SGX | {"isv_prod_id": 65536}]),
    ("measurements", [SGX | {"min_isv_svn": -1}]),
    ("measurements", [SGX | {"min_isv_svn": "1"}]),
    ("measurements", [SGX | {"isv_svn": 1}]),
    ("measurements", [TDX | {"mr_enclave": "ab" * 32}]),
    ("measurements", [{key: text for key, text in TDX.items() if key != "rtmr3"}]),
    ("measurements", [TDX | {"xfam": "0a" * 7}]),
    ("epid_quote_statuses", ["ok"]),
    ("epid_quote_statuses", ["SIGNATURE_INVALID"]),
    ("epid_quote_statuses", ["GROUP_REVOKED"]),
    ("epid_quote_statuses", ["KEY_REVOKED"]),
    ("epid_quote_statuses", ["SIGNATURE_REVOKED"]),
    ("epid_quote_statuses", ["SIGRL_VERSION_MISMATCH"]),
    ("epid_quote_statuses", ["SW_HARDENING_NEEDED", "OK"]),
    ("platform_tcb_statuses", ["Revoked"]),
    ("platform_tcb_statuses", ["uptodate"]),
    ("qe_tcb_statuses", ["Revoked"]),
    ("advisories", ["INTEL-SA-0334"]),
    ("advisories", ["intel-sa-00334"]),
    ("advisories", ["INTEL-SA-00334 "]),
    ("advisories", ["INTEL-SA-00615", "INTEL-SA-00334"]),
    ("advisories", ["INTEL-SA-00334", "INTEL-SA-00334"]),
    ("advisories", [334]),
    ("min_tcb_evaluation_data_number", True),
    ("max_evidence_age_s", "3600"),
    ("max_evidence_age_s", 2**53),
    ("max_clock_skew_s", -1),
    ("max_registrations_per_block", 1.0),
    ("allow_debug", 0),
    ("allow_debug", "false"),
    ("require_owner", 1),
    ("simulation", "true"),
    ("min_gas_price", ""),
    ("min_gas_price", "uscrt"),
    ("min_gas_price", "0.0025"),
    ("min_gas_price", ".25uscrt"),
    ("min_gas_price", "0.uscrt"),
    ("min_gas_price", "01uscrt"),
    ("min_gas_price", "-1uscrt"),
    ("min_gas_price", "0.0000000000000000001uscrt"),
    ("min_gas_price", "1 uscrt"),
    ("min_gas_price", "1uscrt,1uatom"),
    ("min_gas_price", "1us"),
    ("min_gas_price", 1),
    ("note", 1),
    ("note", None),
    ("note", "\ud800"),
    ("note", "n" * 70_000),
]


@pytest.mark.parametrize("number", range(len(WRONG_FORMS)))
def test_a_wrong_form_is_refused(number: int) -> None:
    member, value = WRONG_FORMS[number]

    with pytest.raises(PolicyFormatError):
        Policy.from_value(pki.policy_value(**{member: value}))


@pytest.mark.parametrize("price", ["0uscrt", "1uscrt", "0.25uscrt", "0.000000000000000001ibc/AB"])
def test_a_gas_price_has_at_most_18_places(price: str) -> None:
    amount, denomination = pki.policy(min_gas_price=price).gas_price()

    assert price.endswith(denomination)
    assert amount == Fraction(price.removesuffix(denomination))


def test_an_empty_list_is_well_formed_for_it_refuses() -> None:
    policy = pki.policy(measurements=[], advisories=[], evidence_kinds=[], epid_quote_statuses=[])

    assert policy.measurements == ()


def test_simulation_is_true_if_and_only_if_the_roots_are_simulated() -> None:
    with pytest.raises(PolicyFormatError, match="simulation"):
        pki.policy(simulation=False)
    with pytest.raises(PolicyFormatError, match="simulation"):
        pki.policy(trust_roots=["intel"])
    assert not pki.policy(trust_roots=["intel"], simulation=False).simulation


def test_debug_enclaves_need_a_simulated_root() -> None:
    assert pki.policy(allow_debug=True).allow_debug
    with pytest.raises(PolicyFormatError, match="allow_debug"):
        pki.policy(trust_roots=["intel"], simulation=False, allow_debug=True)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: data + b"\n",
        lambda data: b" " + data,
        lambda data: data.replace(b'":', b'": '),
        lambda data: data.replace(b"epid", b"\\u0065pid", 1),
        lambda data: json.dumps(json.loads(data), indent=1).encode(),
    ],
    ids=["newline", "space", "spaces", "escape", "indented"],
)
def test_only_canonical_json_is_a_policy(spoil: Any) -> None:
    spoiled = spoil(pki.policy().encode())

    with pytest.raises(PolicyFormatError, match="not canonical"):
        Policy.parse(spoiled)
    assert Policy.parse_any_layout(spoiled) == pki.policy()


@pytest.mark.parametrize(
    "data", [b"", b"null", b"[]", b'"x"', b"{}", b"\xff", b'{"note":"","note":""}', b"[" * 50_000]
)
def test_what_is_no_json_object_is_no_policy(data: bytes) -> None:
    with pytest.raises(PolicyFormatError):
        Policy.parse(data)


def test_the_strict_production_policy_lists_nothing_that_could_accept_an_enclave() -> None:
    assert STRICT_PRODUCTION.measurements == ()
    assert STRICT_PRODUCTION.trust_roots == ("intel",)
    assert not STRICT_PRODUCTION.allow_debug
    assert Policy.parse(STRICT_PRODUCTION.encode()) == STRICT_PRODUCTION


@given(st.binary(max_size=100))
def test_any_bytes_give_a_format_error(data: bytes) -> None:
    with pytest.raises(PolicyFormatError):
        Policy.parse(data)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from([*pki.POLICY_MEMBERS, "note"]), _json, max_size=3))
def test_any_members_give_a_policy_or_a_format_error(changes: dict[str, Any]) -> None:
    try:
        policy = Policy.from_value(pki.policy_value(**changes))
    except PolicyFormatError:
        assert changes
    else:
        assert Policy.parse(policy.encode()) == policy


@given(st.lists(st.sampled_from(["mr_signer", "isv_prod_id", "min_isv_svn"]), unique=True))
def test_an_optional_member_of_a_measurement_may_be_absent(absent: list[str]) -> None:
    value = {key: item for key, item in SGX.items() if key not in absent}

    (measurement,) = pki.policy(measurements=[value]).measurements

    assert measurement.to_value() == value
    assert all(getattr(measurement, key) is None for key in absent)
