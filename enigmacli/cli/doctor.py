"""``enigmacli doctor``: what is wrong here, and what helps; it changes nothing."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from enigmacli.cli.context import Services, pass_services
from enigmacli.cli.options import chain_options, nearest
from enigmacli.cli.options import command as declare

if TYPE_CHECKING:
    from enigmacli.doctor.subject import Subject


@declare(
    "doctor",
    examples=(
        "enigmacli doctor",
        "enigmacli doctor --only clock --only disk.space",
        "enigmacli doctor --strict -o json  # for a monitor: fails on warnings, too",
        "enigmacli doctor --before-update --backup DIR  # before a BIOS or microcode update",
    ),
)
@click.option(
    "--only", metavar="ID|GROUP", multiple=True,
    help="Examine this alone: clock, or clock.kept. May be repeated.",
)  # fmt: skip
@click.option("--strict", is_flag=True, help="Let warnings fail like errors.")
@click.option(
    "--before-update", is_flag=True,
    help="Will the sealed keys survive a BIOS or microcode update? What to do before and after.",
)  # fmt: skip
@click.option(
    "--backup", "backups", metavar="DIR", multiple=True,
    help="A backup of the sealed files [default: those in the home and beside it].",
)  # fmt: skip
@chain_options
@click.pass_context
@pass_services
def command(
    services: Services,
    ctx: click.Context,
    *,
    only: tuple[str, ...],
    strict: bool,
    before_update: bool,
    backups: tuple[str, ...],
) -> None:
    """Examine this machine, this home and its network; nothing is changed.

    Each finding says what was seen, why it matters, and what helps. Ends within 15 seconds,
    whatever hangs. Works without a home, too.

    Exit code 0: no error. Else by cause: 3 local state, 8 the enclave, 6 the policy refuses, 5 not
    authentic, 4 only a service or the network fails; of several the first in this order.
    """
    from enigmacli.cli import doctor_report  # noqa: PLC0415 -- not paid by --help
    from enigmacli.doctor import examination, verdict  # noqa: PLC0415

    if only and before_update:
        raise click.UsageError("--only and --before-update exclude each other")
    _check_names(only, examination.selectable())
    subject = _subject(services, backups)
    if before_update:
        group = examination.BEFORE_UPDATE
        facts = examination.gather(subject, [group])
        findings = list(examination.judge(facts, [group]))
        code = verdict.exit_code(findings, strict=strict)
        doctor_report.emit_before_update(services, facts, findings, code)
    else:
        findings = list(examination.examine(subject, only))
        code = verdict.exit_code(findings, strict=strict)
        doctor_report.emit_findings(services, findings, code, everything=bool(only))
    ctx.exit(code)


def _check_names(only: tuple[str, ...], known: list[str]) -> None:
    for name in only:
        if name not in known:
            near = nearest(name, known)
            words = f"; did you mean {' or '.join(near)}?" if near else ""
            raise click.BadParameter(f"no check or group is called '{name}'{words}")


def _subject(services: Services, backups: tuple[str, ...]) -> "Subject":
    """What this call is about; a configuration that cannot be read is a finding."""
    from enigmacli.cli import registration_note  # noqa: PLC0415
    from enigmacli.cli.attest_fetch import DCAP_FILES, EPID_FILES  # noqa: PLC0415
    from enigmacli.config import Config  # noqa: PLC0415
    from enigmacli.doctor.subject import Subject  # noqa: PLC0415
    from enigmacli.errors import ConfigError  # noqa: PLC0415

    home = services.home_path
    fault = ""
    try:
        config = services.config
    except ConfigError as error:
        config, fault = Config(), error.message
    ports: dict[str, Any] = {} if fault else {"node": services.rpc, "enclave": services.enclave}
    return Subject(
        home=home,
        config=config,
        now_us=services.now_us,
        noted=lambda node_id: registration_note.read(home, node_id),
        config_fault=fault,
        environ=services.environ,
        evidence=tuple(
            home / name for names in (EPID_FILES, DCAP_FILES) for name in names.values()
        ),
        backups=tuple(Path(os.path.expanduser(folder)).absolute() for folder in backups),  # noqa: PTH111 -- Path's may raise
        program=services.program,
        **ports,
    )
