"""ABCI messages to and from values."""

from collections.abc import Sequence
from typing import Any, Final

from enigmacli import protobuf
from enigmacli.app.block import Block
from enigmacli.app.errors import RequestOrderError
from enigmacli.chain.results import Event, TxResult

_ABCI: Final = "tendermint.abci."
_US_PER_SECOND: Final = 1_000_000
_NS_PER_US: Final = 1_000


def new(name: str, **values: Any) -> Any:
    """A message of the package ``tendermint.abci``."""
    return protobuf.new(_ABCI + name, **values)


def read_request(data: bytes) -> tuple[str, Any]:
    """Which request it is, and its message.

    Raises:
        ValueError: not a ``Request``, or one of another version of ABCI.
    """
    request = protobuf.parse(_ABCI + "Request", data)
    kind = request.WhichOneof("value")
    if kind is None:
        raise ValueError("an ABCI request of an unknown kind")
    return kind, getattr(request, kind)


def write_response(kind: str, message: Any) -> bytes:
    """The ``Response`` of that kind."""
    return bytes(new("Response", **{kind: message}).SerializeToString())


def to_us(time: Any) -> int:
    """Microseconds since the Unix epoch of a ``google.protobuf.Timestamp``."""
    return int(time.seconds) * _US_PER_SECOND + int(time.nanos) // _NS_PER_US


def to_block(request: Any) -> Block:
    """The block of a PrepareProposal, ProcessProposal or FinalizeBlock request."""
    return Block(request.height, to_us(request.time), tuple(request.txs))


def read_powers(updates: Any) -> dict[bytes, int]:
    """Voting power by Ed25519 key.

    Raises:
        RequestOrderError: a key of another type, or twice.
    """
    powers: dict[bytes, int] = {}
    for update in updates:
        if update.pub_key.WhichOneof("sum") != "ed25519" or update.pub_key.ed25519 in powers:
            raise RequestOrderError("validators must have an ed25519 key each, none twice")
        powers[update.pub_key.ed25519] = update.power
    return powers


def from_powers(updates: Sequence[tuple[bytes, int]]) -> list[Any]:
    """``ValidatorUpdate`` messages."""
    return [new("ValidatorUpdate", pub_key={"ed25519": key}, power=power) for key, power in updates]


def from_result(kind: str, result: TxResult) -> Any:
    """The result as ``ExecTxResult`` or ``ResponseCheckTx``."""
    return new(
        kind,
        code=result.code,
        data=result.data,
        log=result.log,
        gas_wanted=result.gas_wanted,
        gas_used=result.gas_used,
        events=[_from_event(event) for event in result.events],
        codespace=result.codespace,
    )


def _from_event(event: Event) -> Any:
    return new(
        "Event",
        type=event.type,
        attributes=[
            new("EventAttribute", key=one.key, value=one.value, index=one.index)
            for one in event.attributes
        ],
    )
