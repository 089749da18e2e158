"""``enigmacli nodes``: who was admitted when, as a table and a picture."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

import click

from enigmacli.cli.context import Services, pass_services
from enigmacli.cli.options import chain_options
from enigmacli.cli.options import command as declare
from enigmacli.cli.output import columns, draws, emit, is_plain, table
from enigmacli.cli.timeline import ASCII, DRAWN, Pen, shorten, timeline

if TYPE_CHECKING:
    from enigmacli.admissions import Admission, Census, Prove

_SPACING: Final = 2
_SHORT: Final = {"node": 10, "owner": 16, "tcb status": 24}
_LEAST: Final = ("epoch", "owner", "evidence", "votes")
"""The columns that a narrow terminal does without, in this order."""


@declare(
    "nodes",
    examples=(
        "enigmacli nodes",
        "enigmacli nodes --prove",
        "enigmacli nodes -o json | jq -r '.nodes[] | select(.power > 0).node_id'",
    ),
)
@click.option("--prove", is_flag=True, help="Prove each record by a verified header.")
@chain_options
@pass_services
def command(services: Services, *, prove: bool) -> None:
    """Show who was admitted when, under which measurement and TCB status, and who votes.

    The list is the word of the node asked, which may leave somebody out; --prove checks every
    record that it gave against a verified header. The picture shows the heights of the
    admissions: a dot is one node, a digit so many.
    """
    from enigmacli.admissions import block_times, take_census  # noqa: PLC0415 -- not paid by --help
    from enigmacli.cli.network import connect  # noqa: PLC0415

    if services.has_genesis:
        connect(services)
    proof = _prover(services) if prove else None
    found = take_census(services.queries(), services.rpc(), proof)
    heights = [one.record.height for one in found.admissions]
    times = block_times(services.rpc(), {*heights[:1], *heights[-1:]})
    emit(services, _document(services, found, times), lambda: _text(services, found, times))


def _prover(services: Services) -> "Prove":
    from enigmacli.cli.network import proving  # noqa: PLC0415 -- not paid by --help

    chain = proving(services)
    return lambda node_id: (chain.node(node_id), chain.verified)


# --- as a document ----------------------------------------------------------------------------


def _document(services: Services, found: "Census", times: dict[int, int]) -> dict[str, Any]:
    from enigmacli.chain.block_time import format_time  # noqa: PLC0415 -- not paid by --help
    from enigmacli.cli.query import record_document  # noqa: PLC0415

    nodes = [
        record_document(services, one.record) | {"power": one.power, "verified": _proof(one)}
        for one in found.admissions
    ]
    voters = [
        {
            "consensus_pubkey": voter.public_key.hex(),
            "power": voter.power,
            "node_id": voter.node_id.hex() or None,
        }
        for voter in found.voters
    ]
    return {
        "nodes": nodes,
        "validators": voters,
        "block_times": {str(height): format_time(at_ns) for height, at_ns in times.items()},
    }


def _proof(one: "Admission") -> dict[str, Any] | None:
    by = one.verified
    return {"height": by.height, "header_hash": by.header_hash.hex().upper()} if by else None


# --- for people -------------------------------------------------------------------------------


def _text(services: Services, found: "Census", times: dict[int, int]) -> str:
    if not found.admissions:
        return f"no node is registered\n{_voters(found)}"
    pen = DRAWN if draws(services, "─●◆…") else ASCII
    parts = [] if is_plain(services) else [_picture(found, times, pen)]
    by_measurement: dict[str, list[Admission]] = {}
    for one in found.admissions:
        by_measurement.setdefault(one.record.measurement.hex(), []).append(one)
    for measurement, members in by_measurement.items():
        name = measurement if is_plain(services) else shorten(measurement, columns() - 12, pen)
        parts.append(f"measurement {name}\n{_table(services, members, pen)}")
    return "\n\n".join([*parts, f"{_voters(found)}\n{_trust(found)}"])


def _table(services: Services, members: "Iterable[Admission]", pen: Pen) -> str:
    whole = is_plain(services)
    rows = [_row(services, one, pen, whole=whole) for one in members]
    names = list(rows[0])
    for name in _LEAST:
        if _width(rows, names) <= columns() or whole:
            break
        names.remove(name)
    cells = [tuple(row[name] for name in names) for row in rows]
    return table([tuple(names), *cells], heading=True)


def _width(rows: list[dict[str, str]], names: list[str]) -> int:
    widest = (max(len(name), *(len(row[name]) for row in rows)) for name in names)
    return sum(widest) + _SPACING * (len(names) - 1)


def _row(services: Services, one: "Admission", pen: Pen, *, whole: bool) -> dict[str, str]:
    from enigmacli.cli.query import record_document  # noqa: PLC0415 -- not paid by --help

    record = record_document(services, one.record)
    row = {
        "height": str(record["height"]),
        "node": record["node_id"],
        "owner": record["owner"] or "none",
        "evidence": record["evidence_kind"],
        "tcb status": record["tcb_status"],
        "epoch": str(record["epoch"]),
        "votes": str(one.power or "no"),
    }
    if whole:
        return row
    return {name: shorten(value, _SHORT.get(name, 10), pen) for name, value in row.items()}


def _picture(found: "Census", times: dict[int, int], pen: Pen) -> str:
    from enigmacli.chain.block_time import format_time  # noqa: PLC0415 -- not paid by --help

    events: dict[str, list[int]] = {}
    for one in found.admissions:
        record = one.record
        label = f"{record.measurement.hex()[:8]} {record.evidence_kind} {record.tcb_status}"
        events.setdefault(label, []).append(record.height)
    heights = sorted(times)
    spans = [f"{height} at {format_time(times[height])[:19]}Z" for height in heights]
    title = f"admissions by height, {' to '.join(spans)}" if spans else "admissions by height"
    lines = [shorten(title, columns(), pen), *timeline(events, columns(), pen)]
    return "\n".join(lines)


def _voters(found: "Census") -> str:
    registered = {one.record.node_id for one in found.admissions}
    others = sum(voter.node_id not in registered for voter in found.voters)
    bootstrap = f", {others} of them not registered: the bootstrap node" if others else ""
    return f"{len(found.admissions)} nodes, {len(found.voters)} validators{bootstrap}"


def _trust(found: "Census") -> str:
    proven = [one.verified.height for one in found.admissions if one.verified]
    if len(proven) == len(found.admissions):
        return f"every record is proven by a header, the newest {max(proven)}; the list is told"
    return "all of it is told by the node asked; --prove checks each record"
