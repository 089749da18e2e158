"""``enigmacli status``: where this home stands, and the node it talks to."""

from typing import Any, Final

import click

from enclave.errors import EnclaveError
from enigmacli.cli.context import Services, pass_services
from enigmacli.cli.options import chain_options
from enigmacli.cli.options import command as declare
from enigmacli.cli.output import emit, table
from enigmacli.cli.surroundings import look
from enigmacli.errors import ConfigError, HomeMissingError, ServiceUnavailableError
from enigmacli.standing import NEXT, STATES, Standing, State, has_reached

NODE: Final = "node"
_INTERVAL_S: Final = 2.0


@declare(
    "status",
    examples=(
        "enigmacli status",
        "enigmacli status --require seeded && enigmacli start",
        "enigmacli status -o json | jq -r .state",
        "enigmacli status --watch --interval 5",
    ),
)
@click.option(
    "--require", type=click.Choice((*(state.value for state in STATES[1:]), NODE)),
    help="Fail unless the home has come this far, or the node answers.",
)  # fmt: skip
@click.option("--watch", is_flag=True, help="Show it again and again, until interrupted.")
@click.option(
    "--interval", "interval_s", type=click.FloatRange(min=0.1, max=3600), metavar="SECONDS",
    help="Between two looks of --watch [default: 2].",
)  # fmt: skip
@chain_options
@pass_services
def command(
    services: Services, *, require: str | None, watch: bool, interval_s: float | None
) -> None:
    """Show where this home stands and whether its node answers.

    That this home is registered is proven by a verified header, which is named; that it is not,
    and what the node says of itself, is the node's word. Succeeds whatever the state is, unless
    --require asks for one or the node gives an answer that it cannot prove.

    With --watch a terminal shows a view that is drawn over, with peers, registrations and what
    of the evidence runs out first; elsewhere each look is one line, with -o json one document.
    """
    if watch:
        _watch(services, require, interval_s)
        return
    if interval_s is not None:
        raise click.UsageError("--interval belongs to --watch")
    seen = look(services)
    emit(services, seen.document(), lambda: _text(services, seen))
    if require is not None:
        _check(services, seen, require)


def _watch(services: Services, require: str | None, interval_s: float | None) -> None:
    if require is not None:
        raise click.UsageError("--require looks once: to wait, use the command 'wait'")
    from enigmacli.cli.watch import watch  # noqa: PLC0415 -- paid only by who watches

    watch(services, _INTERVAL_S if interval_s is None else interval_s)


def _check(services: Services, seen: Standing, require: str) -> None:
    if require == NODE:
        if seen.node is None:
            raise ServiceUnavailableError(f"no node answers at {services.config.chain.node}")
        return
    if seen.state is State.NO_HOME:
        raise HomeMissingError(f"there is no home at {services.home_path}")
    if not has_reached(seen.state, State(require)):
        raise ConfigError(
            f"the home is {seen.state}, not yet {require}",
            hint=f"{services.program} {next_command(seen) or f'wait --for {require}'}",
            details={"expected": require, "seen": seen.state.value},
        )


def next_command(seen: Standing) -> str:
    """What brings the home further, without the program's name; empty where nothing does."""
    if isinstance(seen.enclave, EnclaveError):
        return f"explain {seen.enclave.code}"
    return NEXT.get(seen.state, "")


def _text(services: Services, seen: Standing) -> str:
    return table(rows(services.program, seen))


def rows(program: str, seen: Standing) -> list[tuple[str, str]]:
    """What a person is told, name and words."""
    document = seen.document()
    found = [("home", document["home"]), ("state", document["state"])]
    if seen.pid:
        found.append(("process", str(seen.pid)))
    found += [(name, text) for name in ("genesis", "enclave") for text in _lines(document[name])]
    told = "node says" if seen.node else "node"
    found += [(told, text) for text in _lines(document["node"])]
    if seen.evidence is not None:
        found.append(("evidence", str(seen.evidence)))
    if seen.sent is not None and not seen.registered:
        found.append(("sent", seen.sent.hex().upper()))
    if seen.registered is not None:
        found.append(("registered", _words(seen)))
    if next_command(seen):
        found.append(("next", f"{program} {next_command(seen)}"))
    return found


def _words(seen: Standing) -> str:
    by = f"proven by header {seen.verified.height}" if seen.verified else "as the node says"
    return f"{'yes' if seen.registered else 'no'}, {by}"


def _lines(part: dict[str, Any] | None) -> list[str]:
    if part is None:
        return ["none"]
    if "error" in part:
        return [part["error"]["message"]]
    return [
        f"{name.replace('_', ' ')} {value}" for name, value in part.items() if value is not None
    ]
