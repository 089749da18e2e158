"""Answers to Query, from the last committed state (protocol.md sections 9 and 10)."""

from dataclasses import dataclass

from enigmacli.app import method_queries
from enigmacli.app.refusals import RefusedError
from enigmacli.app.state import CommittedView
from enigmacli.app.store_queries import prove_entry, read_entry
from enigmacli.chain.merkle import ProofOp
from enigmacli.chain.sdk_codes import SdkCode


@dataclass(frozen=True, slots=True)
class Answer:
    """What a query gives."""

    value: bytes
    height: int
    """Of the state that the value is from; the header after it proves it."""
    key: bytes = b""
    """Raw key, of a store query."""
    proof: tuple[ProofOp, ...] = ()
    """The key's operator, then the store's; empty unless asked for."""


def answer(
    view: CommittedView, path: str, data: bytes, *, height: int = 0, prove: bool = False
) -> Answer:
    """Answer one query.

    Args:
        view: the committed state.
        path: a gRPC method path, or ``/store/<name>/key``.
        data: the request's message, or the raw key.
        height: 0, or the height that the answer must have.
        prove: whether an entry of a store is to be proven.

    Raises:
        RefusedError: why there is no answer.
    """
    match path.split("/"):
        case ["", "store", store, "key"]:
            with view.pinned():  # value, proof and height of one state
                height = _answer_height(view, height)
                value = read_entry(view, store, data)
                proof = prove_entry(view, store, data) if prove else ()
            return Answer(value, height, data, proof)
    height = _answer_height(view, height)
    return Answer(method_queries.call(view, path, data).SerializeToString(), height)


def _answer_height(view: CommittedView, wanted: int) -> int:
    meta = view.meta()
    if not meta.height:
        raise RefusedError(SdkCode.INVALID_HEIGHT, "no-block: no block has been committed yet")
    if wanted not in {0, meta.answer_height}:
        raise RefusedError(
            SdkCode.INVALID_HEIGHT,
            f"height: expected 0 or {meta.answer_height}, the only one kept, seen {wanted}",
        )
    return meta.answer_height
