"""A running node's events as lines on standard output: words, or with ``-o json`` documents."""

import re
from dataclasses import fields
from typing import Any, Final

import click

from enigmacli.cli.context import Services
from enigmacli.cli.lines import as_json, printable
from enigmacli.cli.output import show_warnings
from enigmacli.engine import events
from enigmacli.engine.events import NodeEvent

_CAPITAL: Final = re.compile(r"(?<!^)(?=[A-Z])")

_NAMES: Final = {events.BlockCommitted: "block", events.AppReason: "reason"}
_FIELDS: Final = {"url": "rpc"}
_WORDS: Final[dict[type, str]] = {
    events.Listening: "listening on {rpc}",
    events.AbciListening: "waiting for CometBFT at {address}",
    events.WaitingForSeed: "waiting for the network's seed, try {tries}",
    events.SeedReady: "the enclave holds the network's seed",
    events.ChainReady: "chain {chain_id} at height {height}, {replayed} blocks replayed",
    events.BlockCommitted: "block {height}  transactions {txs}  app hash {app_hash}",
    events.CaughtUp: "caught up at height {height}  app hash {app_hash}",
    events.AppReason: "{text}",
    events.EngineLog: "cometbft {level}: {text}",
    events.Alarm: "ALARM at height {height}: {text}",
}


class Printer:
    """Prints each event as one line, at once, so that whoever reads a pipe sees it."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def __call__(self, event: NodeEvent) -> None:
        """Print ``event``."""
        as_document = self._services.json
        line = as_json(document(event)) if as_document else printable(words(event))
        click.echo(line, err=isinstance(event, events.Alarm) and not as_document)
        show_warnings(self._services)


def name_of(event: NodeEvent) -> str:
    """The event's name: that of its class with underscores, and shorter for the common ones."""
    kind = type(event)
    return _NAMES.get(kind) or _CAPITAL.sub("_", kind.__name__).lower()


def document(event: NodeEvent) -> dict[str, Any]:
    """The event as JSON values; bytes become lower-case hex."""
    values = {field.name: getattr(event, field.name) for field in fields(event)}
    return {"event": name_of(event)} | {
        _FIELDS.get(name, name): value.hex() if isinstance(value, bytes) else value
        for name, value in values.items()
    }


def words(event: NodeEvent) -> str:
    """The event in one line for people."""
    told = document(event)
    template = _WORDS.get(type(event))
    if template is not None:
        return template.format_map(told)
    rest = " ".join(f"{name}={value}" for name, value in told.items() if name != "event")
    return f"{told['event'].replace('_', ' ')} {rest}".rstrip()
