"""The node named by ``--node``, and the machine's clock, as the flows' ports want them."""

import time
from typing import TYPE_CHECKING

from enigmacli.chain.queries import check_code
from enigmacli.cli.context import Services
from enigmacli.errors import ConfigError, NotFoundError, TxRejectedError

if TYPE_CHECKING:
    from enigmacli.chain.queries import Queries


class SystemClock:
    """The machine's time."""

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Let ``seconds`` pass."""
        time.sleep(seconds)


def connect(services: Services) -> "Queries":
    """The node named by ``--node``, once it has said that it is of this network.

    Raises:
        ConfigError: it is of another network.
        ServiceUnavailableError: it did not answer.
    """
    expected, seen = services.chain_id, services.rpc().status().network
    if seen != expected:
        raise ConfigError(
            f"the node at {services.config.chain.node} is of another network, "
            f"expected {expected}, seen {seen}",
            hint="name a node of your network with --node",
            details={"expected": expected, "seen": seen},
        )
    return services.queries()


def refusal_of(services: Services, tx_hash: bytes) -> TxRejectedError | None:
    """Why a block's execution refused a transaction; ``None`` while none has."""
    try:
        found = services.rpc().tx(tx_hash)
        check_code(found.result.code, found.result.codespace, found.result.log, tx_hash)
    except NotFoundError:
        return None
    except TxRejectedError as error:
        return error
    return None
