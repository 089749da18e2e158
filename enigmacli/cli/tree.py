"""The commands as a tree: what the manual and the checks walk over."""

from collections.abc import Iterator

import click

Path = tuple[str, ...]


def walk(command: click.Command, path: Path = ()) -> Iterator[tuple[Path, click.Command]]:
    """Every command that is listed, groups before what they hold.

    Args:
        command: where to begin.
        path: the words that lead there, without the program's name.
    """
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            if child is not None and not child.hidden:
                yield from walk(child, (*path, name))
