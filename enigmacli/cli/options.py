"""The options that commands share, and the decorators that declare a command.

How a command file looks (``enigmacli/cli/<name>.py``, found by the table in
:mod:`enigmacli.cli`, which wants an attribute ``command``)::

    @group("keys")                      # or @command("status") for a single command
    def command() -> None:
        '''Account keys.'''

    # a sub-command: --home and -o come by themselves; the examples end its --help
    @command.command("show", examples=["enigmacli keys show alice"])
    @click.argument("name")
    @chain_options                      # --node --chain-id: they only override configuration
    @pass_services
    def show(services: Services, name: str) -> None:
        '''Show one key.'''
        key = services.keyring().show(name)
        emit(services, {"name": key.name}, key.address)

An option made by :func:`config_option` is not passed to the function: it overrides the
configuration key it names, so its value is read from ``services.config`` like any other.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol, TypeVar

import click

from enigmacli.cli.completers import complete_paths, key_names
from enigmacli.cli.context import Services
from enigmacli.cli.examples import Command

F = TypeVar("F", bound=Callable[..., Any])
C = TypeVar("C", bound=click.Command)


class Decorator(Protocol):
    """Adds options to a command's function and leaves its type alone."""

    def __call__(self, function: F, /) -> F:
        """The same function, with the options."""
        ...


OUTPUTS: Final = ("text", "json")


class MissingCommandError(click.UsageError):
    """A group was called without a command; ``overview`` is its help."""

    def __init__(self, ctx: click.Context) -> None:
        super().__init__(f"missing command after '{ctx.command_path}'", ctx)
        self.overview = ctx.get_help()


class Group(Command, click.Group):
    """A group whose commands share ``--home`` and ``-o``, and which suggests the nearest name."""

    command_class = Command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Refuse an empty call with the overview.

        Raises:
            MissingCommandError: there are no arguments.
        """
        if not args and not ctx.resilient_parsing:
            raise MissingCommandError(ctx)
        return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command by its exact name.

        Raises:
            click.UsageError: there is none; the error carries the nearest names.
        """
        name = args[0]
        known = ctx.resilient_parsing or self.get_command(ctx, name) is not None
        if not known and not name.startswith("-"):
            raise _unknown_command(name, self.list_commands(ctx), ctx)
        return super().resolve_command(ctx, args)

    def add_command(self, cmd: click.Command, name: str | None = None) -> None:
        """Like click's, with the options that every command has."""
        super().add_command(share(cmd), name)


def _unknown_command(name: str, known: list[str], ctx: click.Context) -> click.UsageError:
    error = click.UsageError(f"no such command '{name}'", ctx)
    vars(error)["possibilities"] = nearest(name, known)
    return error


def nearest(name: str, known: list[str]) -> list[str]:
    """The names most like ``name``, best first, at most three."""
    from difflib import get_close_matches  # noqa: PLC0415 -- paid only by a mistyped name

    return get_close_matches(name, known, n=3)


def command(name: str, **attributes: Any) -> Callable[[Callable[..., Any]], click.Command]:
    """Declare a command of its own, with the options that every command has.

    Args:
        name: as it is typed.
        attributes: ``examples``, lines for the help (:mod:`enigmacli.cli.examples`); else click's.
    """

    def declare(function: Callable[..., Any]) -> click.Command:
        made: click.Command = click.command(name, cls=Command, **attributes)(function)
        return share(made)

    return declare


def group(name: str, **attributes: Any) -> Callable[[Callable[..., Any]], Group]:
    """Declare a group; its commands are added with ``@<group>.command("name", examples=[…])``."""

    def declare(function: Callable[..., Any]) -> Group:
        made: Group = click.command(name, cls=Group, **attributes)(function)
        return share(made)

    return declare


def _remember_home(ctx: click.Context, _: click.Parameter, value: str | None) -> None:
    if value is not None:
        ctx.ensure_object(Services).home_flag = value


def _remember_output(ctx: click.Context, _: click.Parameter, value: str | None) -> None:
    if value is not None:
        ctx.ensure_object(Services).json = value == "json"


def share(declared: C) -> C:
    """Give a command ``--home``, ``-o/--output`` and ``--plain``, unless it has them.

    What names a file is made to complete as one.
    """
    if not any(option.name == "output" for option in declared.params):
        declared.params += [
            click.Option(
                ["--home"], metavar="DIR", expose_value=False, is_eager=True,
                callback=_remember_home,
                help="Folder of this node [default: $ENIGMA_HOME or ~/.enigmacli].",
            ),
            click.Option(
                ["-o", "--output"], type=click.Choice(OUTPUTS), expose_value=False, is_eager=True,
                callback=_remember_output, help="Form of the result [default: text].",
            ),
            ConfigOption(
                ["--plain"], key="output.plain", is_flag=True, flag_value="true", default=None,
                help="Plain words, one fact a line, as screen readers like them.",
            ),
        ]  # fmt: skip
    for parameter in declared.params:
        complete_paths(parameter)
    return declared


class ConfigOption(click.Option):
    """An option that overrides the configuration key ``key`` (``section.name``) for one call."""

    def __init__(self, names: Sequence[str], /, *, key: str, **attributes: Any) -> None:
        super().__init__(names, expose_value=False, callback=self._remember, **attributes)
        self.key = key

    def _remember(self, ctx: click.Context, _: click.Parameter, value: str | None) -> None:
        if value is not None:
            ctx.ensure_object(Services).override(self.key, value)


def config_option(*names: str, key: str, **attributes: Any) -> Decorator:
    """Declare a :class:`ConfigOption`."""
    return click.option(*names, cls=ConfigOption, key=key, **attributes)


def _all(function: F, *decorators: Decorator) -> F:
    for decorate in reversed(decorators):
        function = decorate(function)
    return function


def chain_options(function: F) -> F:
    """``--node`` and ``--chain-id``, and what answers are verified from."""
    return _all(
        function,
        config_option("--node", key="chain.node", metavar="URL", help="Node to ask."),
        config_option("--chain-id", key="chain.chain_id", metavar="ID", help="Network's chain id."),
        config_option(
            "--trust-height",
            key="chain.trust_height",
            metavar="N",
            help="Header to trust, in place of genesis.",
        ),
        config_option(
            "--trust-hash", key="chain.trust_hash", metavar="HEX", help="Hash of that header."
        ),
    )


def keyring_options(function: F) -> F:
    """``--keyring-backend`` and ``--passphrase-file``."""
    return _all(
        function,
        config_option(
            "--keyring-backend", key="account.keyring_backend", type=click.Choice(("file", "test")),
            help="Where account keys are kept.",
        ),
        passphrase_option,
    )  # fmt: skip


def passphrase_option(function: F) -> F:
    """``--passphrase-file``; :meth:`Services.passphrase` reads it."""

    def remember(ctx: click.Context, _: click.Parameter, value: str | None) -> None:
        ctx.ensure_object(Services).passphrase_file = value

    return click.option(
        "--passphrase-file", metavar="FILE", expose_value=False, callback=remember,
        help="File with the keyring's passphrase ('-': standard input).",
    )(function)  # fmt: skip


def yes_option(function: F) -> F:
    """``-y/--yes``; :meth:`Services.confirm` obeys it."""

    def remember(ctx: click.Context, _: click.Parameter, value: bool) -> None:  # noqa: FBT001 -- click's
        if value:
            ctx.ensure_object(Services).assume_yes = True

    return click.option(
        "-y", "--yes", is_flag=True, expose_value=False, callback=remember,
        help="Answer every question with yes.",
    )(function)  # fmt: skip


def account_options(function: F) -> F:
    """``--from`` with the keyring's options: whose account acts."""
    return _all(
        function,
        config_option(
            "--from", key="account.from", metavar="KEY", shell_complete=key_names,
            help="Account key that signs.",
        ),
        keyring_options,
    )  # fmt: skip


def tx_options(function: F) -> F:
    """Everything a transaction takes; passes ``dry_run`` and ``generate_only`` to the function."""
    modes = click.Choice(("sync", "async", "block"))
    return _all(
        function,
        account_options,
        chain_options,
        config_option("--gas", key="chain.gas", metavar="N|auto", help="Gas limit."),
        config_option(
            "--gas-prices", key="chain.gas_prices", metavar="COIN", help="Price of one gas."
        ),
        config_option("--fees", key="chain.fees", metavar="COIN", help="Fee in place of a price."),
        config_option(
            "--broadcast-mode", key="chain.broadcast_mode", type=modes, help="How long to wait."
        ),
        click.option("--dry-run", is_flag=True, help="Estimate and check, send nothing."),
        click.option("--generate-only", is_flag=True, help="Print the unsigned transaction."),
        yes_option,
    )
