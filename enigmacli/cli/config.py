"""``enigmacli config``: show, change and check the configuration."""

import stat
from pathlib import Path
from typing import Any

import click

from enigmacli import home as homes
from enigmacli import trusted_package
from enigmacli.cli.completers import config_keys
from enigmacli.cli.context import Services, pass_services
from enigmacli.cli.options import group
from enigmacli.cli.output import emit, table
from enigmacli.cli.peer import settings
from enigmacli.config import (
    KEYS,
    Config,
    parse,
    unknown_key,
    unknown_variable,
    unknown_variables,
)
from enigmacli.config_file import toml, with_value
from enigmacli.errors import ConfigError


@group(
    "config",
    examples=(
        "enigmacli config show --origin",
        "enigmacli config set chain.node http://127.0.0.1:26657",
    ),
)
def command() -> None:
    """Show, change and check the configuration."""


for _setting in settings.commands():
    command.add_command(_setting)


@command.command(
    "show", examples=("enigmacli config show --origin", "enigmacli config show chain.node")
)
@click.argument("name", metavar="[KEY]", required=False, shell_complete=config_keys)
@click.option("--origin", is_flag=True, help="Say where each value came from.")
@pass_services
def show(services: Services, name: str | None, *, origin: bool) -> None:
    """Show the values in force: all of them, or one KEY (section.key)."""
    config = services.config
    if name is not None and name not in KEYS:
        raise unknown_key(name)
    for variable in unknown_variables(services.environ):
        services.warn(unknown_variable(variable))
    wanted = {key: value for key, value in config.values() if name in (None, key)}
    document: dict[str, Any] = {}
    for key, value in wanted.items():
        section = document.setdefault(KEYS[key].section, {})
        origins = config.origins[key]
        section[KEYS[key].word] = (
            {"value": value, "origin": origins.kind, "where": origins.where} if origin else value
        )
    if name is not None and not origin:
        emit(services, document, str(wanted[name]))
    else:
        emit(services, document, lambda: _listing(config, list(wanted), origin=origin))


def _listing(config: Config, names: list[str], *, origin: bool) -> str:
    values = dict(config.values())
    rows = [(f"{name} = {toml(values[name])}", f"# {config.origins[name]}") for name in names]
    return table(rows) if origin else "\n".join(setting for setting, _ in rows)


@command.command(
    "set",
    examples=(
        "enigmacli config set chain.node http://127.0.0.1:26657",
        "enigmacli config set chain.gas_prices 0.25uscrt --dry-run",
    ),
)
@click.argument("name", metavar="KEY", shell_complete=config_keys)
@click.argument("value")
@click.option("--dry-run", is_flag=True, help="Check the value, change nothing.")
@pass_services
def set_value(services: Services, name: str, value: str, *, dry_run: bool) -> None:
    """Set KEY (section.key) to VALUE in this home's config.toml; comments stay."""
    file = services.home.config_file
    with services.home.changing_config():
        before = homes.read(file)
        after, typed = with_value(before, name, value)
        if after != before and not dry_run:
            homes.replace(file, after)
    document = {"key": name, "value": typed, "changed": after != before and not dry_run}
    emit(services, document, f"{name} = {toml(typed)}")


@command.command("check", examples=("enigmacli config check",))
@pass_services
def check(services: Services) -> None:
    """Check the file, the environment, and the files that the values name."""
    config = services.config
    file = services.home_path / "config.toml"
    notes = [unknown_variable(name) for name in unknown_variables(services.environ)]
    if file.exists():
        parse(homes.read(file), str(file))
    else:
        notes.append(f"there is no {file}: defaults apply")
    if config.enclave.path:
        trusted_package.measure_package(services.package)
    if config.attestation.ias_api_key_file:
        _check_secret(Path(config.attestation.ias_api_key_file).expanduser())
    for note in notes:
        services.warn(note)
    emit(services, {"ok": True, "file": str(file), "warnings": notes}, f"{file} is good")


def _check_secret(path: Path) -> None:
    homes.read(path)
    mode = path.stat().st_mode
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ConfigError(
            f"{path} is open to other users (mode {stat.S_IMODE(mode):04o})",
            hint=f"chmod 600 {path}",
        )
