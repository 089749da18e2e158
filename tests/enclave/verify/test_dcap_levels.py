import pytest

from enclave.evidence.pck import PckExtension
from enclave.evidence.qe_identity import QeIdentity, QeLevel
from enclave.evidence.tcb_info import (
    ModuleIdentity,
    ModuleLevel,
    TcbInfo,
    TcbLevel,
    TdxModule,
)
from enclave.verify.dcap_levels import (
    TcbVerdict,
    converge,
    expected_module,
    judge_levels,
    relaunch,
)

MODULE = TdxModule(bytes(48), bytes(8), b"\xff" * 8)
OTHER_MODULE = TdxModule(b"\1" * 48, bytes(8), b"\xff" * 8)


def svns(*first: int) -> bytes:
    return bytes(first) + bytes(16 - len(first))


def level(sgx: bytes, pce_svn: int, status: str, *advisories: str, tdx: bytes = b"") -> TcbLevel:
    return TcbLevel(sgx, pce_svn, tdx, status, advisories)


def tcb_info(*levels: TcbLevel, identities: tuple[ModuleIdentity, ...] = ()) -> TcbInfo:
    return TcbInfo(
        issue_us=0, next_update_us=1, fmspc=bytes(6), pce_id=bytes(2), evaluation_number=17,
        levels=levels, module=MODULE, module_identities=identities,
    )  # fmt: skip


def identity(*levels: QeLevel) -> QeIdentity:
    return QeIdentity(
        issue_us=0, next_update_us=1, evaluation_number=17, misc_select=0, misc_select_mask=0,
        attributes=bytes(16), attributes_mask=bytes(16), mr_signer=bytes(32), isv_prod_id=1,
        levels=levels,
    )  # fmt: skip


def pck(cpu_svn: bytes, pce_svn: int) -> PckExtension:
    return PckExtension(
        ppid=bytes(16), components=cpu_svn, pce_svn=pce_svn, cpu_svn=cpu_svn, pce_id=bytes(2),
        fmspc=bytes(6), sgx_type=0, instance_id=None, configuration=(),
    )  # fmt: skip


QE = identity(QeLevel(8, "UpToDate", ()), QeLevel(6, "OutOfDate", ("Q",)))
SGX = tcb_info(
    level(svns(5, 5), 13, "UpToDate"),
    level(svns(5, 5), 10, "SWHardeningNeeded", "B", "A"),
    level(svns(5, 2), 10, "OutOfDate", "C"),
)
MODULES = (
    ModuleIdentity(
        "TDX_03", OTHER_MODULE, (ModuleLevel(3, "UpToDate", ()), ModuleLevel(2, "Revoked", ()))
    ),
    ModuleIdentity(
        "tdx_0a", MODULE, (ModuleLevel(4, "UpToDate", ()), ModuleLevel(2, "OutOfDate", ("M",)))
    ),
)
TDX = tcb_info(
    level(svns(1), 10, "UpToDate", tdx=svns(5, 0, 7)),
    level(svns(1), 10, "ConfigurationNeeded", "T", tdx=svns(5, 0, 6)),
    identities=MODULES,
)
PLATFORM = pck(svns(1), 10)


@pytest.mark.parametrize(
    ("cpu_svn", "pce_svn", "status", "advisories"),
    [
        (svns(5, 5), 13, "UpToDate", ()),
        (svns(9, 9), 99, "UpToDate", ()),
        (svns(5, 5), 12, "SWHardeningNeeded", ("A", "B")),
        (svns(5, 4), 13, "OutOfDate", ("C",)),
        (svns(5, 5), 9, None, ()),
        (svns(4, 9), 13, None, ()),
    ],
)
def test_the_first_level_reached_counts(
    cpu_svn: bytes, pce_svn: int, status: str | None, advisories: tuple[str, ...]
) -> None:
    verdict = judge_levels(SGX, QE, pck(cpu_svn, pce_svn), (), 8)

    assert verdict == TcbVerdict(status, "UpToDate", status, advisories)


@pytest.mark.parametrize(
    ("qe_svn", "qe_status", "status", "advisories"),
    [(9, "UpToDate", "UpToDate", ()), (7, "OutOfDate", "OutOfDate", ("Q",)), (5, None, None, ())],
)
def test_platform_and_quoting_enclave_are_told_apart(
    qe_svn: int, qe_status: str | None, status: str | None, advisories: tuple[str, ...]
) -> None:
    verdict = judge_levels(SGX, QE, pck(svns(5, 5), 13), (), qe_svn)

    assert verdict == TcbVerdict("UpToDate", qe_status, status, advisories)


@pytest.mark.parametrize(
    ("tee_tcb_svn", "status", "advisories"),
    [
        (svns(5, 0, 7), "UpToDate", ()),
        (svns(4, 0, 7), None, ()),
        (svns(5, 0, 6), "ConfigurationNeeded", ("T",)),
        (svns(4, 10, 7), "UpToDate", ()),
        (svns(3, 10, 7), "OutOfDate", ("M",)),
        (svns(3, 10, 6), "OutOfDateConfigurationNeeded", ("M", "T")),
        (svns(1, 10, 7), None, ()),
        (svns(3, 3, 7), "UpToDate", ()),
        (svns(2, 3, 7), "Revoked", ()),
        (svns(9, 2, 7), None, ()),
    ],
)
def test_a_tdx_modules_own_versions_have_levels_of_their_own(
    tee_tcb_svn: bytes, status: str | None, advisories: tuple[str, ...]
) -> None:
    verdict = judge_levels(TDX, QE, PLATFORM, (tee_tcb_svn,), 8)

    assert verdict == TcbVerdict(status, "UpToDate", status, advisories)


NEW, OLD, NONE, GONE = svns(4, 10, 7), svns(3, 10, 7), svns(1, 10, 7), svns(2, 3, 7)


@pytest.mark.parametrize(
    ("launched", "present", "platform", "status"),
    [
        (NEW, NEW, "UpToDate", "UpToDate"),
        (OLD, NEW, "OutOfDate", "TDRelaunchAdvised"),
        (OLD, svns(4, 10, 6), "OutOfDate", "TDRelaunchAdvisedConfigurationNeeded"),
        (OLD, OLD, "OutOfDate", "OutOfDate"),
        (NEW, OLD, "UpToDate", "UpToDate"),
        (NEW, NONE, None, None),
        (NONE, NEW, None, None),
        (NEW, GONE, "Revoked", "Revoked"),
        (GONE, NEW, "Revoked", "Revoked"),
    ],
)
def test_a_preserved_td_is_judged_at_its_launch_and_at_present(
    launched: bytes, present: bytes, platform: str | None, status: str | None
) -> None:
    verdict = judge_levels(TDX, QE, PLATFORM, (launched, present), 8)

    assert (verdict.platform_status, verdict.status) == (platform, status)


def test_an_outdated_quoting_enclave_is_not_mended_by_a_relaunch() -> None:
    verdict = judge_levels(TDX, QE, PLATFORM, (OLD, NEW), 7)

    assert verdict.status == "OutOfDate"


ALL = (
    "UpToDate", "SWHardeningNeeded", "ConfigurationNeeded", "ConfigurationAndSWHardeningNeeded",
    "OutOfDate", "OutOfDateConfigurationNeeded", "Revoked",
)  # fmt: skip


def test_only_an_outdated_or_revoked_component_changes_a_status() -> None:
    for component in ("UpToDate", "ConfigurationNeeded", "OutOfDateConfigurationNeeded"):
        assert [converge(platform, component) for platform in ALL] == list(ALL)
    assert {converge(platform, "Revoked") for platform in ALL} == {"Revoked"}
    assert [converge(platform, "OutOfDate") for platform in ALL] == [
        "OutOfDate", "OutOfDate", "OutOfDateConfigurationNeeded", "OutOfDateConfigurationNeeded",
        "OutOfDate", "OutOfDateConfigurationNeeded", "Revoked",
    ]  # fmt: skip


def test_a_relaunch_is_advised_where_it_helps() -> None:
    helped = ALL[:4]
    for launched in ALL:
        outdated = launched in {"OutOfDate", "OutOfDateConfigurationNeeded"}
        for present in ALL:
            advised = relaunch(launched, present) != launched
            assert advised == (outdated and present in helped)
    assert relaunch("OutOfDate", "SWHardeningNeeded") == "TDRelaunchAdvised"
    for launched, present in (
        ("OutOfDate", "ConfigurationNeeded"),
        ("OutOfDate", "ConfigurationAndSWHardeningNeeded"),
        ("OutOfDateConfigurationNeeded", "UpToDate"),
    ):
        assert relaunch(launched, present) == "TDRelaunchAdvisedConfigurationNeeded"


def test_each_major_version_of_the_module_has_its_signer() -> None:
    assert expected_module(TDX, svns(5, 0)) == MODULE
    assert expected_module(TDX, svns(5, 3)) == OTHER_MODULE
    assert expected_module(TDX, svns(5, 10)) == MODULE
    assert expected_module(TDX, svns(5, 4)) is None
