import json
import os
import shlex
import stat
import subprocess
import sys
from pathlib import Path

import click
import pytest

import enclave.errors as trusted
import enigmacli.errors as untrusted
from enigmacli.cli import cli
from enigmacli.cli.boundary import describe, report
from enigmacli.cli.context import Services
from enigmacli.cli.exit_codes import EXIT_CODES, MEANINGS, exit_code
from enigmacli.cli.explain import by_code
from enigmacli.cli.explanations import EXPLANATIONS, explanation_of
from tests.corpus import ROOT


def make(cls: type[Exception]) -> Exception:
    return cls("what happened")


@pytest.mark.parametrize(
    ("cls", "code"),
    [
        (untrusted.ConfigError, 3),
        (untrusted.HomeMissingError, 3),
        (untrusted.HomeBusyError, 3),
        (untrusted.FileExistsAlreadyError, 3),
        (untrusted.StorageError, 3),
        (untrusted.GenesisError, 3),
        (untrusted.KeyringError, 3),
        (untrusted.PassphraseError, 3),
        (untrusted.NotBootstrappedError, 3),
        (untrusted.SeedMissingError, 3),
        (untrusted.SeedMismatchError, 3),
        (untrusted.PortBusyError, 3),
        (untrusted.ServiceRefusedError, 3),
        (untrusted.ServiceUnavailableError, 4),
        (untrusted.MalformedError, 5),
        (untrusted.UntrustedAnswerError, 5),
        (untrusted.ChainForkError, 5),
        (untrusted.TxRejectedError, 7),
        (untrusted.InsufficientFundsError, 7),
        (untrusted.NotFoundError, 7),
        (untrusted.WaitTimeoutError, 9),
        (untrusted.EnigmaError, 1),
        (trusted.NoRegistrationKeyError, 3),
        (trusted.NoSeedError, 3),
        (trusted.StateBusyError, 3),
        (trusted.StateWriteError, 3),
        (trusted.EvidenceFormatError, 5),
        (trusted.QuoteFormatError, 5),
        (trusted.UnsupportedEvidenceError, 5),
        (trusted.PolicyFormatError, 5),
        (trusted.PublicKeyError, 5),
        (trusted.VerificationError, 5),
        (trusted.ReportSignatureError, 5),
        (trusted.NotYetValidError, 5),
        (trusted.PolicyError, 6),
        (trusted.MeasurementNotAllowedError, 6),
        (trusted.EvidenceTooOldError, 6),
        (trusted.BindingError, 6),
        (trusted.EnclaveError, 8),
        (trusted.EnclaveUnavailableError, 8),
        (trusted.InstallError, 8),
        (trusted.SealedElsewhereError, 8),
        (trusted.BackupConflictError, 8),
        (trusted.BackendPolicyError, 8),
        (RuntimeError, 1),
    ],
)
def test_each_cause_has_its_exit_code(cls: type[Exception], code: int) -> None:
    assert exit_code(make(cls)) == code


def test_every_exit_code_is_explained() -> None:
    assert set(EXIT_CODES.values()) | {0, 2, 130} == set(MEANINGS)


def test_text_is_lower_case_without_full_stop_and_followed_by_the_hint(
    capsys: pytest.CaptureFixture[str],
) -> None:
    error = untrusted.ConfigError("The value is wrong.", hint="enigmacli config check")

    assert report(Services(), error) == 3
    assert capsys.readouterr().err == (
        "enigmacli: error: the value is wrong\nenigmacli: hint: enigmacli config check\n"
    )


def test_a_name_in_capitals_keeps_them(capsys: pytest.CaptureFixture[str]) -> None:
    report(Services(), untrusted.ServiceUnavailableError("IAS is unavailable", hint="wait"))

    assert capsys.readouterr().err.startswith("enigmacli: error: IAS is unavailable\n")


def test_json_has_code_message_hint_and_details(capsys: pytest.CaptureFixture[str]) -> None:
    error = trusted.MeasurementNotAllowedError("mr_enclave", expected="aa", seen="bb")

    assert report(Services(json=True), error) == 6

    shown = capsys.readouterr()
    assert shown.out == ""
    assert json.loads(shown.err) == {
        "error": {
            "code": "measurement-not-allowed",
            "message": "mr_enclave, expected aa, seen bb",
            "hint": "enigmacli enclave measure",
            "details": {"expected": "aa", "seen": "bb"},
        }
    }


def test_a_warning_travels_in_the_error_document(capsys: pytest.CaptureFixture[str]) -> None:
    services = Services(json=True)
    services.warn("simulation: beware")

    report(services, untrusted.ConfigError("no"))

    assert json.loads(capsys.readouterr().err)["warnings"] == ["simulation: beware"]


def test_control_characters_from_elsewhere_do_not_reach_the_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    report(Services(), untrusted.TxRejectedError("log \x1b[2J\x07 end", hint="x"))

    assert "log \\x1b[2J\\x07 end" in capsys.readouterr().err


@pytest.mark.parametrize("error", [KeyboardInterrupt(), click.Abort(), EOFError()])
def test_an_interruption_is_130(error: BaseException, capsys: pytest.CaptureFixture[str]) -> None:
    assert report(Services(), error) == 130
    assert capsys.readouterr().err == "enigmacli: error: interrupted\n"


def run_shell(line: str) -> "subprocess.CompletedProcess[str]":
    """Run a line of shell in which ``$enigmacli`` is the program."""
    program = f"{shlex.quote(sys.executable)} -m enigmacli"
    return subprocess.run(
        ["/bin/sh", "-c", line.replace("$enigmacli", program)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )


@pytest.mark.parametrize("arguments", ["explain", "--help", "keys --help", "explain -o json"])
def test_a_reader_that_went_away_is_no_failure(arguments: str) -> None:
    reader, writer = os.pipe()
    os.close(reader)

    ran = subprocess.run(
        [sys.executable, "-m", "enigmacli", *arguments.split()],
        stdout=writer,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writer)

    assert (ran.returncode, ran.stderr) == (0, b"")


@pytest.mark.parametrize("arguments", ["explain", "--help", "keys --help", "version -o json"])
def test_a_full_disk_behind_standard_output_is_said_with_exit_3(arguments: str) -> None:
    ran = run_shell(f"$enigmacli {arguments} > /dev/full")

    assert ran.returncode == 3
    assert "cannot write the output: no space left on device" in ran.stderr
    assert "Exception ignored" not in ran.stderr


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("$enigmacli explain >&-", 0),
        ("$enigmacli version -o json >&- 2>&-", 0),
        ("$enigmacli bogus 2>&-", 2),
        ("$enigmacli bogus 2>/dev/full", 2),
        ("$enigmacli attest verify - <&-", 5),
    ],
)
def test_a_standard_stream_that_is_closed_is_no_bug(line: str, code: int) -> None:
    ran = run_shell(line)

    assert ran.returncode == code
    assert "internal error" not in ran.stderr


def fail_with(secret: str) -> None:
    words = secret * 2
    raise ZeroDivisionError(len(words))


def bug(home: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[int, Services]:
    services = Services()
    services.home_flag = str(home)
    monkeypatch.setenv("TMPDIR", str(home.parent))
    monkeypatch.setattr("tempfile.tempdir", None)
    try:
        fail_with("open sesame")
    except ZeroDivisionError as error:
        return report(services, error), services
    raise AssertionError


def test_a_bug_is_exit_1_and_its_traceback_goes_to_a_private_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    logs = tmp_path / "home" / "logs"
    logs.mkdir(parents=True)

    code, _ = bug(tmp_path / "home", monkeypatch)

    (file,) = logs.iterdir()
    assert code == 1
    assert capsys.readouterr().err == (
        f"enigmacli: error: internal error ZeroDivisionError\n"
        f"enigmacli: hint: report it with {file}\n"
    )
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    text = file.read_text()
    assert "in fail_with" in text
    assert "ZeroDivisionError: 22" in text
    assert "open sesame" not in text.replace('fail_with("open sesame")', "")


def test_a_bug_without_a_home_leaves_its_traceback_in_the_temporary_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _ = bug(tmp_path / "missing", monkeypatch)

    (file,) = tmp_path.glob("enigmacli-bug-*.txt")
    assert code == 1
    assert str(file) in capsys.readouterr().err
    assert not (tmp_path / "missing").exists()


def test_an_expected_failure_without_a_class_of_its_own_is_a_bug(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = Services()
    services.home_flag = str(tmp_path)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    failure = describe(services, untrusted.EnigmaError("nobody knows"))

    assert failure.exit_code == 1
    assert failure.message == "internal error EnigmaError, nobody knows"
    assert Path(failure.details["traceback"]).exists()


def test_something_that_asked_for_an_exit_code_gets_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_ENIGMACLI_COMPLETE", "nonsense")

    with pytest.raises(SystemExit, match="1"):  # click's, for a shell that it does not know
        cli.main([], "enigmacli")


@pytest.mark.parametrize("code", sorted(by_code()))
def test_every_code_has_an_explanation(code: str) -> None:
    found = explanation_of(by_code()[code])

    assert found.why.endswith(".")
    assert found.remedy.endswith(".")
    assert code in ("error", "child-failed", "mempool", "request-order") or (
        found is not EXPLANATIONS["error"]
    )


def test_explanations_name_codes_that_exist() -> None:
    assert set(EXPLANATIONS) <= set(by_code())
