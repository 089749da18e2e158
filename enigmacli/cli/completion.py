"""``enigmacli completion``: a script that lets the shell complete our commands."""

from typing import Final

import click

from enigmacli.cli.context import Services, pass_services
from enigmacli.cli.options import command as declare
from enigmacli.cli.output import emit

SHELLS: Final = ("bash", "zsh", "fish")


@declare(
    "completion",
    examples=(
        "enigmacli completion bash > ~/.local/share/bash-completion/completions/enigmacli",
        "enigmacli completion zsh > ~/.zfunc/_enigmacli",
        "enigmacli completion fish > ~/.config/fish/completions/enigmacli.fish",
    ),
)
@click.argument("shell", type=click.Choice(SHELLS))
@pass_services
def command(services: Services, shell: str) -> None:
    """Print the script that completes commands, options and names in SHELL.

    Names are those of this home's keys, of configuration keys, error codes and states; the
    network is never asked.
    """
    from click import shell_completion as shells  # noqa: PLC0415 -- not paid by --help

    kinds = {kind.name: kind for kind in shells.ShellComplete.__subclasses__()}
    program = services.program
    made = kinds[shell](click.Command(program), {}, program, f"_{program.upper()}_COMPLETE")
    # not the shell's own: that one starts a shell to ask for its version
    script = shells.ShellComplete.source(made)
    emit(services, {"shell": shell, "script": script}, script.strip())
