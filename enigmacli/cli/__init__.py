"""The command line: one module per command or group, imported when it is called.

``enigmacli --help`` and ``--version`` import click and this package's base, nothing else.
How a command is written is told in :mod:`enigmacli.cli.options`; what becomes of a failure,
in :mod:`enigmacli.cli.boundary`.
"""

import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import PurePath
from typing import Any, Final

import click

from enigmacli.arguments import asks_json
from enigmacli.cli import streams
from enigmacli.cli.context import Services
from enigmacli.cli.options import Group, share
from enigmacli.cli.peer.names import LISTED, NOT_HERE, PEER_COMMANDS, refused, translate
from enigmacli.version import VERSION

PROGRAMS: Final = ("enigmacli", "enigmad")
"""The names under which the program is installed, the usual one first."""

COMMANDS: Final = {
    "quickstart": "The whole story on this machine: two nodes and a simulated Intel.",
    "join": "Join a network: from an empty home to a node that may sync.",
    "init": "Create a home: configuration, node keys, genesis document.",
    "keys": "Account keys: add, list, show, delete, export, import.",
    "genesis": "The genesis document, appraisal policy included.",
    "policy": "Appraisal policies: check, explain, compare, try on the chain's nodes.",
    "bootstrap": "Make the network's first seed and put its public keys into genesis.",
    "enclave": "The trusted side: keys, status, measurement, backup.",
    "attest": "Evidence: fetch it, read it, verify it.",
    "tx": "Send a transaction: register, transfer, validator power.",
    "query": "Ask the chain.",
    "seed": "The network's seed: wait for it, unseal it, see what is held.",
    "receipt": "Join receipts: files that prove an admission.",
    "start": "Run the node.",
    "localnet": "A local network with real processes: up, status, logs, fund, kill, down.",
    "ias": "A simulated Intel Attestation Service, or a proxy to the real one.",
    "pccs": "A simulated service of DCAP certificates and collateral.",
    "status": "Where this home stands, and the node it talks to.",
    "wait": "Until this home, its node or the chain has come so far.",
    "nodes": "Who was admitted when, as a table and a picture.",
    "doctor": "What is wrong here, and what helps; the preflight before a BIOS update.",
    "config": "Show, change and check the configuration.",
    "completion": "A script that completes commands and names in bash, zsh or fish.",
    "explain": "What an error code means, and what to do.",
    "replay": "Execute stored blocks again and compare the app hashes.",
    "version": "Versions of the program and what it runs on.",
}
"""Name -> one-line summary; the module ``enigmacli.cli.<name>`` holds ``command``."""


class EndedError(Exception):
    """A command was ended from outside; its cause says how."""


class Root(Group):
    """The program itself: finds commands by name, turns every failure into an exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 -- click's signature
        """The names in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 -- click's signature
        """Import the command's module."""
        if cmd_name in PEER_COMMANDS:
            module = f"enigmacli.cli.peer.{cmd_name.replace('-', '_')}"
        elif cmd_name in COMMANDS:
            module = f"enigmacli.cli.{cmd_name}"
        else:
            return None
        command: click.Command = import_module(module).command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command by its name, or by the peer's name for it.

        Raises:
            RefusedError: the peer has such a command, and we have not.
        """
        words = translate(args)
        unknown = refused(words)
        if unknown is not None:
            from enigmacli.cli.peer.refusals import RefusedError  # noqa: PLC0415 -- rarely needed

            raise RefusedError(f"there is no '{unknown}' here", NOT_HERE[unknown], ctx)
        return super().resolve_command(ctx, words)

    def format_commands(
        self,
        ctx: click.Context,  # noqa: ARG002 -- click's signature
        formatter: click.HelpFormatter,
    ) -> None:
        """List the commands from the table, and the peer's names, without importing one."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))
        with formatter.section("Names from the peer"):
            formatter.write_text(", ".join(LISTED))

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[Any]:
        """Offer commands from the table, without importing one."""
        from click.shell_completion import CompletionItem  # noqa: PLC0415 -- as click does

        names = [
            CompletionItem(name, help=summary)
            for name, summary in COMMANDS.items()
            if name.startswith(incomplete)
        ]
        return names + click.Command.shell_complete(self, ctx, incomplete)

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        """Like click's, but as :meth:`invoke`: ``--help`` prints already here.

        Raises:
            EndedError: whoever reads the output has gone.
        """
        try:
            return super().make_context(info_name, args, parent, **extra)
        except BrokenPipeError as end:
            raise EndedError from end

    def invoke(self, ctx: click.Context) -> Any:
        """Like click's, but an end from outside reaches the boundary as it is.

        Raises:
            EndedError: interrupted, or whoever reads the output has gone; click would print
                a line of its own, or exit with a code of its own.
        """
        try:
            return super().invoke(ctx)
        except (KeyboardInterrupt, EOFError, BrokenPipeError) as end:
            raise EndedError from end

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        *unused: Any,
        **extra: Any,
    ) -> Any:
        """Run one command and end the process with its exit code."""
        del unused
        arguments = list(sys.argv[1:] if args is None else args)
        program = prog_name if prog_name in PROGRAMS else program_name(sys.argv[0])
        services = extra.pop("obj", None) or Services(program, json=asks_json(arguments))
        extra.pop("standalone_mode", None)
        try:
            code = self._run(services, arguments, extra)
        finally:
            services.close()
        sys.exit(code)

    def _run(self, services: Services, arguments: list[str], extra: dict[str, Any]) -> int:
        try:
            result = super().main(
                arguments, services.program, standalone_mode=False, obj=services, **extra
            )
            click.echo(nl=False)  # flushes
        except SystemExit:  # something has decided on the exit code: a word was completed
            raise
        except BaseException as error:  # noqa: BLE001 -- the boundary: nothing passes
            from enigmacli.cli.boundary import report  # noqa: PLC0415 -- paid only by failures

            return report(
                services, error.__cause__ or error if isinstance(error, EndedError) else error
            )
        from enigmacli.cli.output import show_warnings  # noqa: PLC0415

        show_warnings(services)
        return result if isinstance(result, int) else 0


def program_name(called: str) -> str:
    """The name by which the program was called, where it is one of its own."""
    name = PurePath(called).name
    return name if name in PROGRAMS else PROGRAMS[0]


@click.group(
    cls=Root,
    context_settings={"help_option_names": ["-h", "--help"]},
    examples=(
        "enigmacli quickstart            # the whole story, on this machine alone",
        "enigmacli status                # where this home stands, and what comes next",
        "enigmacli explain home-missing  # what an error code means, and what to do",
    ),
)
@click.version_option(VERSION, prog_name=None, message="%(prog)s %(version)s")
def cli() -> None:
    """Network key agreement: register a node, receive the network's secret, run.

    Data goes to standard output, talk to standard error; -o json prints one JSON document.
    """


share(cli)


def main() -> None:
    """Run the program on the process's own arguments."""
    streams.prepare()
    cli.main()
