"""``config NAME VALUE``: settings under the peer's names, which may come before ``init``."""

from typing import Final

import click

from enigmacli.cli.context import Services, pass_services
from enigmacli.cli.options import command as declare
from enigmacli.cli.output import emit
from enigmacli.cli.peer import prepared
from enigmacli.config_file import toml
from enigmacli.home import Home

KEPT: Final = {
    "broadcast-mode": "chain.broadcast_mode",
    "chain-id": "chain.chain_id",
    "keyring-backend": "account.keyring_backend",
    "keyring-default-keyname": "account.from",
    "node": "chain.node",
}
"""The peer's name -> our configuration key."""

NOT_KEPT: Final = {
    "indent": "JSON is indented on a terminal",
    "output": "give -o json to each command that is to print JSON",
    "trust-node": "every answer is verified",
}
"""The peer's name -> why there is nothing to keep."""


def commands() -> list[click.Command]:
    """One hidden command of the group ``config`` for each name."""
    return [*map(_kept, KEPT), *map(_not_kept, NOT_KEPT)]


def _kept(name: str) -> click.Command:
    key = KEPT[name]

    @declare(name, hidden=True, help=f"Set {key}, or show it.", examples=_examples(name))
    @click.argument("value", required=False)
    @pass_services
    def command(services: Services, value: str | None) -> None:
        home = Home(services.home_path)
        if value is None:
            waiting = {} if home.config_file.exists() else prepared.settings(home)
            shown = waiting.get(key, dict(services.config.values())[key])
            emit(services, {"key": key, "value": shown}, str(shown))
            return
        typed = prepared.keep(home, key, value)
        emit(services, {"key": key, "value": typed}, f"{key} = {toml(typed)}")

    return command


def _not_kept(name: str) -> click.Command:
    why = NOT_KEPT[name]

    @declare(name, hidden=True, help=f"Keep nothing: {why}.", examples=_examples(name))
    @click.argument("value", required=False)
    @pass_services
    def command(services: Services, value: str | None) -> None:
        del value
        services.warn(f"{name} is not kept: {why}")
        emit(services, {"key": None, "value": None}, "")

    return command


def _examples(name: str) -> tuple[str, ...]:
    return (f"enigmacli config {name} VALUE",)
