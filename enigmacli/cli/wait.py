"""``enigmacli wait``: until a home, a node or a chain has come so far."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from enigmacli.cli.context import Services, pass_services
from enigmacli.cli.lines import printable
from enigmacli.cli.options import chain_options, config_option
from enigmacli.cli.options import command as declare
from enigmacli.cli.output import animates, console, emit
from enigmacli.standing import STATES

if TYPE_CHECKING:
    from enigmacli.waiting import Goal

_NAMES = [state.value for state in STATES[1:]]


class GoalType(click.ParamType[Any]):
    """A state of the home, ``node``, or ``height:N``."""

    name = "goal"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> "Goal":
        """Read what is waited for."""
        from enigmacli.waiting import Goal  # noqa: PLC0415 -- not paid by --help

        if isinstance(value, Goal):
            return value
        try:
            return Goal.parse(value)
        except ValueError:
            names = ", ".join((*_NAMES, "node"))
            self.fail(f"'{value}' is none of {names}, height:N", param, ctx)


@declare(
    "wait",
    examples=(
        "enigmacli wait --for synced --timeout 300",
        "enigmacli wait --for registered && enigmacli seed unseal",
        "enigmacli wait --for height:100 --node http://127.0.0.1:26657",
    ),
)
@click.option(
    "--for", "goal", type=GoalType(), required=True, metavar="STATE|node|height:N",
    help="What to wait for: a state that status names, any answer of the node, or a height.",
)  # fmt: skip
@config_option(
    "--timeout", key="chain.wait_timeout_s", metavar="SECONDS", help="Longest wait in all."
)
@chain_options
@pass_services
def command(services: Services, goal: "Goal") -> None:
    """Wait until this home has come so far, its node answers, or the chain is so high.

    The states, in their order: initialised, keyed, attested, sent, registered, seeded, running,
    synced, validator. Says nothing when it is reached; exit code 9 when it is not in time, and
    at once the code of the cause when it can never be. The time-out counts whatever hangs.
    """
    from enigmacli.cli.deadline import DeadlineError, within  # noqa: PLC0415 -- not paid by --help
    from enigmacli.cli.network import SystemClock, refusal_of  # noqa: PLC0415
    from enigmacli.cli.surroundings import HomeSurroundings  # noqa: PLC0415
    from enigmacli.waiting import Wait  # noqa: PLC0415

    timeout_s = services.config.chain.wait_timeout_s
    wait = Wait(goal, HomeSurroundings(services), lambda sent: refusal_of(services, sent))
    started = time.monotonic()
    try:
        with within(timeout_s), _progress(services, f"waiting for {goal}") as told:
            found = wait.run(SystemClock(), timeout_s, told)
    except DeadlineError:
        raise wait.timed_out(timeout_s) from None
    waited = round(time.monotonic() - started, 1)
    emit(services, {"for": str(goal)} | found | {"waited_s": waited}, "")


@contextmanager
def _progress(services: Services, what: str) -> Iterator[Callable[[str], None]]:
    """Shows what was found last, on a terminal; elsewhere nothing, so that scripts stay quiet."""
    if not animates(services):
        yield lambda _: None
        return
    with console(services, err=True).status(what, spinner="line") as shown:
        yield lambda seen: shown.update(printable(f"{what}: {seen}"))
