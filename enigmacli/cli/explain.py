"""``enigmacli explain``: what a code means, why it happens, and what to do."""

from collections.abc import Iterator
from importlib import import_module
from typing import Any, Final

import click

from enclave.errors import EnclaveError
from enigmacli.cli.chain_codes import CHAIN_CODES, CHAIN_REMEDIES
from enigmacli.cli.completers import completer
from enigmacli.cli.context import Services, pass_services
from enigmacli.cli.exit_codes import MEANINGS, exit_code_of
from enigmacli.cli.explanations import explanation_of
from enigmacli.cli.options import command as declare
from enigmacli.cli.options import nearest
from enigmacli.cli.output import emit
from enigmacli.doctor.checks import CHECKS
from enigmacli.errors import EnigmaError

ELSEWHERE: Final = (
    "enclave.dcap_errors",
    "enclave.dcap_pki_errors",
    "enclave.error_base",
    "enclave.policy_errors",
    "enigmacli.app.errors",
    "enigmacli.chain.sdk_codes",
    "enigmacli.child",
    "enigmacli.engine.chain",
    "enigmacli.engine.cometbft",
    "enigmacli.engine.mempool",
    "enigmacli.engine.validator_key",
)
"""The modules, besides the two of errors, that define a code."""

_LOOK: Final = "`enigmacli doctor --only {}` looks at it and names the command that helps."


@declare(
    "explain",
    examples=(
        "enigmacli explain measurement-not-allowed",
        "enigmacli explain 6  # an exit code",
        "enigmacli explain register/3  # a code of the chain",
    ),
)
@click.argument("code", required=False, shell_complete=completer(lambda _: sorted(by_code())))
@click.option("--list", "lists", is_flag=True, help="List the codes of all errors.")
@pass_services
def command(services: Services, code: str | None, *, lists: bool) -> None:
    """Explain an error CODE, an exit code (6), a chain's code (register/3), or a finding's id.

    Without CODE, or with --list: list the codes of errors. docs/errors.md explains them all.
    """
    if lists and code is not None:
        raise click.UsageError("--list and a CODE exclude each other")
    classes = by_code()
    if code is None:
        emit(services, {"codes": sorted(classes)}, "\n".join(sorted(classes)))
        return
    document = explain(code, classes)
    emit(services, document, "\n".join(f"{name}: {value}" for name, value in document.items()))


def by_code() -> dict[str, type[Exception]]:
    """Every error class of the program by its code."""
    for module in ELSEWHERE:
        import_module(module)
    families: tuple[type[Any], ...] = (EnigmaError, EnclaveError)
    return {cls.code: cls for family in families for cls in reversed([*_descendants(family)])}


def _descendants(cls: type[Any]) -> Iterator[type[Any]]:
    yield cls
    for child in cls.__subclasses__():
        yield from _descendants(child)


def explain(code: str, classes: dict[str, type[Exception]]) -> dict[str, Any]:
    """All that is known about a code.

    Args:
        code: of an error, of the chain (``register/3``), or an exit code.
        classes: see :func:`by_code`.

    Raises:
        click.UsageError: there is none; the error carries the nearest ones.
    """
    if code.isascii() and code.isdigit() and int(code) in MEANINGS:
        meaning, remedy = MEANINGS[int(code)]
        return {"exit_code": int(code), "meaning": meaning, "what to do": remedy}
    if code in CHAIN_CODES:
        remedy = CHAIN_REMEDIES[code]
        return {"code": code, "meaning": CHAIN_CODES[code], "what to do": remedy, "exit_code": 7}
    if code in CHECKS:
        check = CHECKS[code]
        return {"finding": code, "why": check.why, "what to do": _LOOK.format(code)}
    if code not in classes:
        near = nearest(code, [*classes, *CHAIN_CODES, *CHECKS])
        error = click.UsageError(f"there is no code '{code}'")
        vars(error)["possibilities"] = near
        raise error
    cls = classes[code]
    found = explanation_of(cls)
    document = {
        "code": code,
        "meaning": " ".join((cls.__doc__ or "").partition("\n\n")[0].split()),
        "why": found.why,
        "what to do": found.remedy,
        "exit_code": exit_code_of(cls),
    }
    return document | ({"try": found.hint} if found.hint else {})
