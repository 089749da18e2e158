"""What executing a transaction gave, and the hash over a block's results."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self

from enigmacli import protobuf
from enigmacli.chain import merkle


@dataclass(frozen=True, slots=True)
class EventAttribute:
    """One key and value of an event."""

    key: str
    value: str
    index: bool = False
    """Whether nodes may index it."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened while a transaction or block was executed."""

    type: str
    attributes: tuple[EventAttribute, ...]


@dataclass(frozen=True, slots=True)
class TxResult:
    """The outcome of one transaction, or of checking it."""

    code: int = 0
    data: bytes = b""
    log: str = ""
    info: str = ""
    gas_wanted: int = 0
    gas_used: int = 0
    events: tuple[Event, ...] = ()
    codespace: str = ""

    @classmethod
    def of(cls, message: Any) -> Self:
        """Read an ABCI ``ExecTxResult`` or ``ResponseCheckTx``."""
        return cls(
            code=message.code,
            data=message.data,
            log=message.log,
            info=message.info,
            gas_wanted=message.gas_wanted,
            gas_used=message.gas_used,
            events=tuple(read_event(event) for event in message.events),
            codespace=message.codespace,
        )


def read_event(message: Any) -> Event:
    """Read an ABCI ``Event``."""
    return Event(
        message.type,
        tuple(EventAttribute(item.key, item.value, item.index) for item in message.attributes),
    )


def results_hash(results: Iterable[Any]) -> bytes:
    """The hash that the next header carries: over code, data and gas of each result.

    Args:
        results: :class:`TxResult`, or ABCI ``ExecTxResult`` messages.
    """
    leaves = [
        protobuf.new(
            "tendermint.abci.ExecTxResult",
            code=result.code,
            data=result.data,
            gas_wanted=result.gas_wanted,
            gas_used=result.gas_used,
        ).SerializeToString()
        for result in results
    ]
    return merkle.root(leaves)
