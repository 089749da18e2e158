"""The receipt in a home: made once a node is registered, and made anew where that changed."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from enigmacli import home as homes
from enigmacli.app.genesis import genesis_hash
from enigmacli.cli.context import Services
from enigmacli.cli.joining import Told
from enigmacli.cli.network import light_from_the_root
from enigmacli.errors import (
    MalformedError,
    NotFoundError,
    StorageError,
    TrustExpiredError,
)
from enigmacli.join.flow import DONE, KEPT
from enigmacli.receipt.collection import collect
from enigmacli.receipt.document import MAX_BYTES, Receipt
from enigmacli.receipt.verification import Genesis, TrustedHeader, verify

FILE_NAME: Final = "join-receipt.json"


@dataclass(frozen=True, slots=True)
class KeptReceipt:
    """A receipt and its file."""

    path: Path
    receipt: Receipt


def keep(services: Services, told: Told, node_id: bytes, height: int) -> KeptReceipt | None:
    """Let the home have a receipt of this registration.

    Where the way from what this home trusts does not lead to the block, there is none, and a
    warning says why: the node is registered all the same.

    Raises:
        ServiceUnavailableError: the node did not answer.
        UntrustedAnswerError: it gave something that is not the chain's.
    """
    path = services.home.path / FILE_NAME
    found = _found(path, node_id, height)
    if found is not None:
        told.done("receipt", KEPT, str(path))
        return KeptReceipt(path, found)
    try:
        with told.working("receipt", "collecting proofs"):
            receipt = _collect(services, node_id, height)
    except (NotFoundError, TrustExpiredError) as error:
        services.warn(f"there is no join receipt: {error.message}")
        return None
    homes.replace(path, receipt.encode())
    told.done("receipt", DONE, str(path))
    return KeptReceipt(path, receipt)


def _found(path: Path, node_id: bytes, height: int) -> Receipt | None:
    try:
        receipt = Receipt.parse(homes.read(path, MAX_BYTES))
    except (StorageError, MalformedError):
        return None
    is_of_it = (receipt.claims.node_id, receipt.claims.height) == (node_id.hex(), height)
    return receipt if is_of_it else None


def _collect(services: Services, node_id: bytes, height: int) -> Receipt:
    light, lowest = light_from_the_root(services)
    if light is None or height < lowest:
        raise TrustExpiredError(f"what this home trusts does not lead to block {height}")
    known = own_genesis(services)
    receipt = collect(services.rpc(), light, known, node_id)
    chain = services.config.chain
    named = TrustedHeader(lowest, bytes.fromhex(chain.trust_hash)) if chain.trust_height else None
    verify(receipt, known, named, services.now_us() * 1000)
    return receipt


def own_genesis(services: Services) -> Genesis:
    """The genesis document of this home, and its hash.

    Raises:
        HomeMissingError: there is none.
        GenesisError: it is malformed.
    """
    return Genesis(services.genesis, genesis_hash(services.home.read_genesis()))
