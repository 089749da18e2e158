"""Where failures end: a message, a hint and an exit code; a bug's traceback goes to a file.

An error is ``enigmacli: error: <lower case, no full stop>`` on standard error, followed by
``enigmacli: hint: …`` where there is something to do; with ``-o json`` it is one document
``{"error": {"code", "message", "hint", "details"}}``.
"""

import contextlib
import os
import sys
import tempfile
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TextIO

import click

from enclave.errors import EnclaveError
from enigmacli.cli.context import Services
from enigmacli.cli.exit_codes import BUG, DONE, INTERRUPTED, USAGE, exit_code
from enigmacli.cli.explanations import hint_for
from enigmacli.cli.lines import as_json, printable
from enigmacli.cli.options import MissingCommandError
from enigmacli.errors import EnigmaError, StorageError

_MAX_TRACEBACK_FRAMES: Final = 200


@dataclass(frozen=True, slots=True)
class Failure:
    """What is said about an error, and the exit code it leads to."""

    exit_code: int
    code: str
    message: str
    hint: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)


def report(services: Services, error: BaseException) -> int:
    """Say what went wrong; returns the exit code."""
    if isinstance(error, BrokenPipeError):
        _stop_writing()
        return DONE
    if isinstance(error, MissingCommandError) and not services.json:
        click.echo(error.overview, err=True)
        return USAGE
    failure = _unwritable(error) or describe(services, error)
    try:
        _print(services, failure)
    except OSError:
        _stop_writing()
    return failure.exit_code


def describe(services: Services, error: BaseException) -> Failure:
    """The words and the exit code for any error."""
    if isinstance(error, (KeyboardInterrupt, click.Abort, EOFError)):
        return Failure(INTERRUPTED, "interrupted", "interrupted")
    if isinstance(error, EnigmaError) and exit_code(error) != BUG:
        hint = error.hint or hint_for(error)
        return Failure(exit_code(error), error.code, error.message, hint, error.details)
    if isinstance(error, EnclaveError):
        named = {"expected": error.expected, "seen": error.seen}
        details = {name: value for name, value in named.items() if value}
        return Failure(exit_code(error), error.code, str(error), hint_for(error), details)
    if isinstance(error, click.ClickException):
        return Failure(USAGE, "usage", _plain(error), _usage_hint(services, error))
    return _bug(services, error)


def _print(services: Services, failure: Failure) -> None:
    warnings = services.take_warnings()
    if services.json:
        shown = {
            "code": failure.code,
            "message": _sentence(failure.message),
            "hint": failure.hint,
            "details": dict(failure.details),
        }
        document = {"error": shown} | ({"warnings": warnings} if warnings else {})
        click.echo(as_json(document), err=True)
        return
    click.echo(f"{services.program}: error: {printable(_sentence(failure.message))}", err=True)
    if failure.hint:
        click.echo(f"{services.program}: hint: {printable(failure.hint)}", err=True)


def _sentence(message: str) -> str:
    """Lower case at the start, unless the first word is a name in capitals; no full stop."""
    text = message.strip().removesuffix(".")
    second_is_upper = len(text) > 1 and text[1].isupper()
    return text if second_is_upper else text[:1].lower() + text[1:]


def _plain(error: click.ClickException) -> str:
    """Click's message without the suggestion that it puts behind some of them."""
    if getattr(error, "possibilities", None):
        return error.message
    return error.format_message()


def _usage_hint(services: Services, error: click.ClickException) -> str:
    own = getattr(error, "hint", "")
    if own:
        return str(own)
    possible = getattr(error, "possibilities", None)
    if possible:
        return "did you mean " + " or ".join(f"'{name}'" for name in possible) + "?"
    ctx = getattr(error, "ctx", None)
    return f"try '{ctx.command_path if ctx else services.program} --help'"


def _unwritable(error: BaseException) -> Failure | None:
    """What is said where ``error`` is that output takes no more, as on a full disk.

    All output goes through click's echo.
    """
    if not isinstance(error, OSError):
        return None
    *_, (last, _) = traceback.walk_tb(error.__traceback__)
    if last.f_code is not click.echo.__code__:
        return None
    _stop_writing(sys.stdout)
    why = (error.strerror or "unknown error").lower()
    return Failure(exit_code(StorageError("")), "storage", f"cannot write the output: {why}")


def _stop_writing(*streams: TextIO) -> None:
    """Send what is still to be written nowhere: whoever read our output has gone."""
    with contextlib.suppress(OSError, ValueError):
        nothing = os.open(os.devnull, os.O_WRONLY)
        for stream in streams or (sys.stdout, sys.stderr):
            os.dup2(nothing, stream.fileno())


# --- bugs -----------------------------------------------------------------------------------


def _bug(services: Services, error: BaseException) -> Failure:
    name = type(error).__name__
    if isinstance(error, EnigmaError):  # ours, so its words hold no secret
        name += f", {error.message}"
    try:
        path = _write_traceback(services.home_path, error)
    except OSError as failed:
        why = (failed.strerror or "unknown error").lower()
        return Failure(BUG, "bug", f"internal error {name} (its traceback was not saved: {why})")
    return Failure(
        BUG, "bug", f"internal error {name}", f"report it with {path}", {"traceback": str(path)}
    )


def _write_traceback(home: Path, error: BaseException) -> Path:
    """Save frames and error, no local values, with mode 0600."""
    lines = traceback.TracebackException.from_exception(
        error, limit=-_MAX_TRACEBACK_FRAMES, capture_locals=False
    ).format()
    handle, name = _temporary(home / "logs")
    with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
        file.writelines(lines)
    return Path(name)


def _temporary(logs: Path) -> tuple[int, str]:
    """A new file of mode 0600: in the home's log folder, or else in the system's."""
    try:
        return tempfile.mkstemp(prefix="bug-", suffix=".txt", dir=logs)
    except OSError:
        return tempfile.mkstemp(prefix="enigmacli-bug-", suffix=".txt")
