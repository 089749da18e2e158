"""``init --simulated``: which kinds of evidence the roots bring into the policy."""

import json
from pathlib import Path
from typing import Any

import pytest

from enclave import measurement
from enclave.appraise.policy import Policy
from enigmacli.simulated_intel.dcap_pki import DcapPki
from enigmacli.simulated_intel.pki import SimulatedPki
from enigmacli.simulated_policy import find_root, simulated_policy

DCAP_KINDS = ["dcap-sgx", "dcap-tdx"]


@pytest.fixture
def dcap_root(dcap_pki: DcapPki, tmp_path: Path) -> Path:
    """The root certificate of a simulated PCCS, as PEM."""
    file = tmp_path / "dcap_root.pem"
    file.write_bytes(dcap_pki.root_pem)
    return file


def params(program: Any) -> dict[str, Any]:
    genesis = json.loads((program.home / "config" / "genesis.json").read_text())
    found: dict[str, Any] = genesis["app_state"]["register"]["params"]
    return found


def test_a_pccs_root_alone_accepts_dcap_alone(program: Any, dcap_root: Path) -> None:
    program.ok("init", "a", "--simulated", "--pccs-root", str(dcap_root))

    policy = params(program)
    assert policy["evidence_kinds"] == DCAP_KINDS
    assert policy["epid_quote_statuses"] == []
    assert policy["platform_tcb_statuses"] == ["SWHardeningNeeded", "UpToDate"]
    assert policy["qe_tcb_statuses"] == ["UpToDate"]
    assert len(policy["trust_roots"]) == 1


def test_both_roots_make_a_mixed_network(program: Any, root_file: Path, dcap_root: Path) -> None:
    program.ok(
        "init", "a", "--simulated", "--ias-root", str(root_file), "--pccs-root", str(dcap_root)
    )

    policy = params(program)
    assert policy["evidence_kinds"] == [*DCAP_KINDS, "epid"]
    assert policy["epid_quote_statuses"] == ["OK", "SW_HARDENING_NEEDED"]
    assert policy["advisories"] == ["INTEL-SA-00334", "INTEL-SA-00615"]
    assert len(policy["trust_roots"]) == 2


def test_an_ias_root_alone_accepts_no_dcap(simulated: Any) -> None:
    policy = params(simulated)

    assert policy["evidence_kinds"] == ["epid"]
    assert policy["platform_tcb_statuses"] == policy["qe_tcb_statuses"] == []
    assert len(policy["measurements"]) == 1


def test_one_measurement_is_listed_for_each_kind_of_enclave(dcap_pki: DcapPki) -> None:
    code = b"\xab" * 32

    policy = simulated_policy(code, [dcap_pki.trust_root_entry()])

    values = [one.to_value() for one in policy.measurements]
    td = {name: value.hex() for name, value in measurement.simulated_td(code).items()}
    assert td in values
    assert [value["mr_enclave"] for value in values if "mr_enclave" in value] == [code.hex()]
    assert Policy.parse(policy.encode()) == policy


@pytest.mark.parametrize("order", [1, -1])
def test_a_policy_does_not_depend_on_the_order_of_its_roots(
    pki: SimulatedPki, dcap_pki: DcapPki, order: int
) -> None:
    roots = [pki.trust_root_entry(), dcap_pki.trust_root_entry()]

    assert simulated_policy(bytes(32), roots[::order]) == simulated_policy(bytes(32), roots)


@pytest.mark.parametrize("option", ["--ias-root", "--pccs-root"])
def test_a_root_of_the_other_kind_is_refused(
    program: Any, root_file: Path, dcap_root: Path, option: str
) -> None:
    wrong = dcap_root if option == "--ias-root" else root_file

    failed = program("init", "a", "--simulated", option, str(wrong), "-o", "json")

    assert failed.code == 3
    assert "anchors" in failed.error["message"]
    assert "--pccs-root" in failed.error["hint"]
    assert not program.home.exists()


def test_a_pccs_root_is_read_in_every_form(dcap_pki: DcapPki, tmp_path: Path) -> None:
    entry = dcap_pki.trust_root_entry()
    for form in (dcap_pki.root_pem, dcap_pki.root_der, entry.encode()):
        (tmp_path / "root").write_bytes(form)

        assert find_root(str(tmp_path / "root")) == entry


@pytest.mark.parametrize("arguments", [(), ("--chain-id", "net-1"), ("--genesis", "genesis.json")])
def test_a_root_without_a_simulated_network_is_wrong_usage(
    program: Any, dcap_root: Path, arguments: tuple[str, ...]
) -> None:
    failed = program("init", "a", *arguments, "--pccs-root", str(dcap_root))

    assert failed.code == 2
    assert "--pccs-root" in failed.err
