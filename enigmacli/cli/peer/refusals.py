"""How what the peer has and we have not is refused: at once, and with the way that there is."""

import click

from enigmacli.cli.options import Decorator


class RefusedError(click.UsageError):
    """What was typed is refused; ``hint`` tells what there is instead."""

    def __init__(self, message: str, hint: str, ctx: click.Context | None = None) -> None:
        super().__init__(message, ctx)
        self.hint = hint


def refused_option(*names: str, hint: str, is_flag: bool = False) -> Decorator:
    """An option of the peer that is refused where it is given.

    Raises:
        RefusedError: by the option, when it is read.
    """

    def refuse(ctx: click.Context, param: click.Parameter, value: object) -> None:
        if value:
            raise RefusedError(f"{param.opts[0]} is not possible here", hint, ctx)

    return click.option(
        *names, is_flag=is_flag, hidden=True, expose_value=False, callback=refuse, help=hint
    )
