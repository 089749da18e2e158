"""What the new node's account needs before it can register, and where it may come from."""

from contextlib import suppress
from typing import Final, Protocol

from enigmacli.chain.messages import Coin
from enigmacli.errors import ServiceUnavailableError, WaitTimeoutError
from enigmacli.registration import Backoff
from enigmacli.submission import Clock

_BACKOFF: Final = Backoff(first_s=0.1, most_s=2.0)


class Balances(Protocol):
    """A node of the network, as far as coins go."""

    def balance(self, address: str, denom: str) -> int:
        """Whole coins held."""
        ...


def wait_for_funds(
    chain: Balances, address: str, needed: Coin, clock: Clock, *, timeout_s: float
) -> None:
    """Wait until an account can pay.

    Args:
        chain: a node of the network.
        address: bech32.
        needed: the fee.
        clock: the source of time and of waiting.
        timeout_s: the longest wait.

    Raises:
        WaitTimeoutError: the coins did not come in time.
    """
    held = 0
    deadline = clock.monotonic() + timeout_s
    for pause in _BACKOFF.pauses():
        with suppress(ServiceUnavailableError):  # away for a moment; the deadline holds
            held = chain.balance(address, needed.denom)
        if held >= needed.amount:
            return
        left = deadline - clock.monotonic()
        if left <= 0:
            raise _never_came(address, needed, held, timeout_s)
        clock.sleep(min(pause, left))


def _never_came(address: str, needed: Coin, held: int, timeout_s: float) -> WaitTimeoutError:
    return WaitTimeoutError(
        f"account {address} holds {held}{needed.denom} after {timeout_s:g} s, and registering "
        f"costs {needed}; nothing was sent",
        hint=f"let somebody send coins (enigmacli tx bank send FROM {address} {needed}), "
        "then run join again",
        details={"state": "no-funds", "address": address, "needed": str(needed),
                 "held": f"{held}{needed.denom}"},
    )  # fmt: skip
