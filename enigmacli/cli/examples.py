"""Commands whose help ends with examples: lines to type, each of which works.

An example is one line of shell as somebody would type it, beginning with ``enigmacli``; what
it is good for may stand behind ``  # ``. A word in capitals (``NODE_ID``, ``FILE``) or with a
``$`` stands for a value of the reader's own.
"""

from collections.abc import Sequence
from typing import Any

import click

from enigmacli.cli.help_layout import Context


class Command(click.Command):
    """A command that knows examples of its use; ``--help`` and the manual show them."""

    context_class = Context

    def __init__(self, *args: Any, examples: Sequence[str] = (), **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self.examples = tuple(examples)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples, each on a line of its own that can be copied: never wrapped."""
        super().format_epilog(ctx, formatter)
        if self.examples:
            with formatter.section("Examples"):
                formatter.write("".join(f"  {example}\n" for example in self.examples))
