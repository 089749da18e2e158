"""Raw entries of a store, with the two ``simple:v`` operators that prove one."""

from enigmacli.app import layout
from enigmacli.app.overlay import STORES
from enigmacli.app.refusals import RefusedError, RegisterCode
from enigmacli.app.state import CommittedView
from enigmacli.chain.merkle import ProofOp, value_op
from enigmacli.chain.sdk_codes import SdkCode


def read_entry(view: CommittedView, store: str, key: bytes) -> bytes:
    """The value under a raw key.

    Raises:
        RefusedError: no such store, or nothing under that key.
    """
    _check_store(store)
    value = view.get(store, key)
    if not value and store == layout.REGISTER and key.startswith(layout.NODES):
        raise not_registered(key[len(layout.NODES) :])
    if not value:
        raise RefusedError(SdkCode.KEY_NOT_FOUND, f"key-not-found: {store} has no {key.hex()}")
    return value


def prove_entry(view: CommittedView, store: str, key: bytes) -> tuple[ProofOp, ProofOp]:
    """The operator of a key that exists in its store, then that of the store."""
    entry, root = view.prove(store, key)
    return value_op(key, entry), value_op(store.encode(), root)


def not_registered(node_id: bytes) -> RefusedError:
    """That there is no record of a node."""
    return RefusedError(
        RegisterCode.NOT_REGISTERED, f"not-registered: node {node_id.hex()} is not registered"
    )


def _check_store(store: str) -> None:
    if store not in STORES:
        raise RefusedError(
            SdkCode.UNKNOWN_REQUEST,
            f"unknown-store: expected one of {', '.join(STORES)}, seen {store[:40]!r}",
        )
