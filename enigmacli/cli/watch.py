"""``status --watch``: where this home stands, again and again.

On a terminal that can, a view that is drawn over; elsewhere one line for each look, with
``-o json`` one document. A node or an enclave that goes away is shown as such, and asked again.
"""

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

import click

from enclave.errors import EnclaveError
from enclave.times import US_PER_S, format_rfc3339
from enigmacli.cli.attest_expiry import apart, calendars
from enigmacli.cli.context import Services
from enigmacli.cli.lines import as_json, printable
from enigmacli.cli.output import animates, columns, console, draws, show_warnings
from enigmacli.cli.surroundings import look
from enigmacli.errors import ConfigError, EnigmaError
from enigmacli.standing import NEXT, STATES, Standing, has_reached

if TYPE_CHECKING:
    from rich.console import RenderableType

_NEWEST: Final = 5

Marks = tuple[str, str, str]
"""Before a phase that is behind, the present one, and one to come."""


@dataclass(frozen=True, slots=True)
class Expiry:
    """What of the home's evidence runs out first."""

    part: str
    until: str
    remaining_s: int


@dataclass(frozen=True, slots=True)
class Observation:
    """One look."""

    at_us: int
    standing: Standing | None
    """``None`` where the look failed, with ``error``."""
    peers: int | None = None
    """As the node asked says."""
    admitted: tuple[tuple[int, str], ...] | None = None
    """Height and node_id of every registered node, as the node asked says, the newest last."""
    expiry: Expiry | None = None
    error: EnigmaError | None = None

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        failed = self.error and {"code": self.error.code, "message": self.error.message}
        return {
            "at": format_rfc3339(self.at_us),
            **(self.standing.document() if self.standing else {}),
            "peers": self.peers,
            "registrations": None if self.admitted is None else len(self.admitted),
            "evidence_expiry": asdict(self.expiry) if self.expiry else None,
            "error": failed,
        }


def watch(services: Services, interval_s: float) -> None:
    """Look and show until interrupted.

    Raises:
        ConfigError: the configuration or the genesis document is malformed.
    """
    observer = _Observer(services)
    first = observer.observe()
    if animates(services, err=False) and not services.environ.get("NO_COLOR"):
        _draw(services, observer, first, interval_s)
        return
    for seen in _repeated(observer, first, interval_s):
        line = as_json(seen.document()) if services.json else printable(line_of(seen))
        show_warnings(services)
        click.echo(line)


def _repeated(
    observer: "_Observer", first: Observation, interval_s: float
) -> Iterator[Observation]:
    yield first
    while True:
        time.sleep(interval_s)
        yield observer.observe()


class _Observer:
    """Asks again only what may have changed."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._height = -1
        self._admitted: tuple[tuple[int, str], ...] | None = None

    def observe(self) -> Observation:
        at_us = self._services.now_us()
        try:
            standing = look(self._services, thoroughly=True)
            peers, admitted = self._network(standing)
        except ConfigError:
            raise
        except EnigmaError as error:
            return Observation(at_us, None, error=error)
        return Observation(at_us, standing, peers, admitted, self._expiry(standing, at_us))

    def _network(self, standing: Standing) -> tuple[int | None, Any]:
        """How many peers the node has, and who is registered."""
        if standing.node is None:
            return None, None
        try:
            peers = int(self._services.rpc().call("net_info")["n_peers"])
            if standing.node.height != self._height:
                records = self._services.queries().nodes()
                self._admitted = tuple(sorted((one.height, one.node_id.hex()) for one in records))
                self._height = standing.node.height
        except (EnigmaError, ValueError, TypeError, KeyError):
            return None, None  # it went away in between, or talks nonsense
        return peers, self._admitted

    def _expiry(self, standing: Standing, at_us: int) -> Expiry | None:
        if standing.genesis is None or standing.evidence is None:
            return None
        try:
            calendar = calendars(self._services, str(standing.evidence))[str(standing.evidence)]
        except (EnigmaError, EnclaveError):
            return None  # what is wrong with it is said by attest expiry
        ends = [(one.end_us, one.name) for one in calendar.entries
                if one.ends_evidence and one.end_us is not None]  # fmt: skip
        if not ends:
            return None
        end_us, name = min(ends)
        return Expiry(name, format_rfc3339(end_us), (end_us - at_us) // US_PER_S)


# --- as a line ----------------------------------------------------------------------------------


def line_of(seen: Observation) -> str:
    """One look in one line."""
    at = format_rfc3339(seen.at_us)
    if seen.standing is None:
        return f"{at}  {seen.error.message if seen.error else 'nothing was seen'}"
    parts = [str(seen.standing.state), *(text for _, text in _facts(seen))]
    return f"{at}  {', '.join(parts)}"


def _facts(seen: Observation) -> Iterator[tuple[str, str]]:
    """What changes, name and words."""
    standing = seen.standing
    if standing is None:
        return
    if isinstance(standing.enclave, EnclaveError):
        yield "enclave", f"enclave: {standing.enclave}"
    node = standing.node
    if node is None:
        yield "node", "no node answers"
    else:
        behind = ", catching up" if node.catching_up else ""
        foreign = "" if node.same_network else f", of another network {node.chain_id}"
        yield "node", f"height {node.height}{behind}{foreign}"
    if seen.peers is not None:
        yield "peers", f"peers {seen.peers}"
    if seen.admitted is not None:
        yield "registrations", f"registrations {len(seen.admitted)}"
    if seen.expiry is not None:
        left = apart(seen.expiry.remaining_s * US_PER_S)
        yield "evidence", f"evidence runs out {left} ({seen.expiry.part})"


# --- as a view ----------------------------------------------------------------------------------


def _draw(services: Services, observer: _Observer, first: Observation, interval_s: float) -> None:
    from rich.live import Live  # noqa: PLC0415 -- paid only by people at a terminal

    screen = console(services)
    with Live(console=screen, auto_refresh=False) as live:
        for seen in _repeated(observer, first, interval_s):
            live.update(_view(services, seen), refresh=True)


def _view(services: Services, seen: Observation) -> "RenderableType":
    from rich.text import Text  # noqa: PLC0415 -- paid only by people at a terminal

    marks = ("✓", "●", "·") if draws(services, "✓●·") else ("x", ">", ".")
    return Text(printable(view_of(services.program, seen, marks, columns())))


def view_of(program: str, seen: Observation, marks: Marks, width: int) -> str:
    """One look as a picture of at most ``width`` columns."""
    lines = [f"{format_rfc3339(seen.at_us)}  ctrl-c ends", ""]
    if seen.standing is None:
        return "\n".join([*lines, seen.error.message if seen.error else ""])
    standing = seen.standing
    lines += [f"home  {standing.home}", *_phases(standing, marks, width), ""]
    lines += [text for _, text in _facts(seen)]
    if standing.verified is not None:
        lines.append(f"registered, proven by header {standing.verified.height}")
    if seen.admitted:
        lines += ["", "newest registrations"]
        lines += [f"  {height:>8}  {node_id}" for height, node_id in seen.admitted[-_NEWEST:]]
    following = NEXT.get(standing.state)
    lines += ["", f"next  {program} {following}"] if following else []
    return "\n".join(line[:width] for line in lines)


def _phases(standing: Standing, marks: Marks, width: int) -> list[str]:
    """The states in their order, as many on a line as there is room for."""
    behind, present, ahead = marks
    lines = [""]
    for state in STATES[1:]:
        mark = present if state is standing.state else ahead
        if has_reached(standing.state, state) and state is not standing.state:
            mark = behind
        word = f"{mark} {state}"
        if lines[-1] and len(lines[-1]) + len(word) + 2 > width:
            lines.append("")
        lines[-1] += f"  {word}" if lines[-1] else word
    return lines
