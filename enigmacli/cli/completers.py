"""What the shell offers for a word that is begun: names of this home, and files.

Fast, silent and without the network: only what this home's files and the program's own tables
know. Whatever goes wrong while a word is completed offers nothing.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final

import click

from enigmacli.cli.context import Services

Completer = Callable[[click.Context, click.Parameter, str], list[str]]
Offer = Callable[[Services], Iterable[str]]


def completer(offer: Offer) -> Completer:
    """A completer, as click wants it, of the words that ``offer`` knows."""

    def complete(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
        try:
            words = list(offer(ctx.ensure_object(Services)))
        except Exception:  # noqa: BLE001 -- a half-typed line is no place for any message
            return []
        return [word for word in words if word.startswith(incomplete)]

    return complete


def _key_names(services: Services) -> Iterable[str]:
    return (key.name for key in services.keyring().list())


def _config_keys(_: Services) -> Iterable[str]:
    from enigmacli.config import KEYS  # noqa: PLC0415 -- not paid by --help

    return KEYS


key_names: Final = completer(_key_names)
config_keys: Final = completer(_config_keys)


class PathText(click.types.StringParamType):
    """A text that may name a file (or folder): the shell completes it as one."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def shell_complete(
        self,
        ctx: click.Context,  # noqa: ARG002 -- click's signature
        param: click.Parameter,  # noqa: ARG002 -- click's signature
        incomplete: str,
    ) -> list[Any]:
        """Leave it to the shell."""
        from click.shell_completion import CompletionItem  # noqa: PLC0415 -- as click does

        return [CompletionItem(incomplete, type=self.kind)]


_FILE: Final = PathText("file")
_FOLDER: Final = PathText("dir")


def complete_paths(parameter: click.Parameter) -> None:
    """Let the shell complete a parameter whose metavar says that it names a file or folder."""
    named = (parameter.metavar or "").strip("[]").split("|")
    if type(parameter.type) is click.types.StringParamType:
        if "FILE" in named:
            parameter.type = _FILE
        elif "DIR" in named:
            parameter.type = _FOLDER
