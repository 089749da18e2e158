from enigmacli.doctor.checks import CHECKS, error, found, note, ok, warning
from enigmacli.doctor.findings import Severity
from enigmacli.doctor.verdict import ORDER, count, exit_code

HINT = "do it"


def test_severities_are_ordered_by_how_bad_they_are() -> None:
    mildest, *_, worst = sorted(Severity)

    assert (mildest, worst) == (Severity.OK, Severity.ERROR)
    assert Severity.NOTE < Severity.WARNING <= Severity.WARNING
    assert Severity.ERROR > Severity.WARNING >= Severity.NOTE


def test_a_finding_knows_its_group_and_why_it_matters() -> None:
    finding = found("disk.space", Severity.WARNING, "little", HINT)

    assert finding.group == "disk"
    assert finding.why == CHECKS["disk.space"].why


def test_the_exit_code_is_that_of_the_first_cause() -> None:
    service, local, trusted = "node.answers", "disk.space", "enclave.starts"

    assert exit_code([ok(local, ""), note(service, ""), warning(trusted, "", HINT)]) == 0
    assert exit_code([error(service, "", HINT)]) == 4
    assert exit_code([error(service, "", HINT), error(trusted, "", HINT)]) == 8
    assert exit_code([error(trusted, "", HINT), error(local, "", HINT)]) == 3


def test_strict_lets_warnings_fail_and_notes_pass() -> None:
    assert exit_code([warning("node.answers", "", HINT)], strict=True) == 4
    assert exit_code([note("node.answers", "")], strict=True) == 0


def test_every_exit_code_has_its_place_in_the_order() -> None:
    assert {check.exit_code for check in CHECKS.values()} <= set(ORDER)


def test_the_findings_are_counted_by_severity() -> None:
    counted = count([ok("disk.space", ""), ok("disk.sync", ""), note("clock.kept", "")])

    assert counted == {"ok": 2, "note": 1, "warning": 0, "error": 0}
