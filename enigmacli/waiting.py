"""Wait until a home has come so far, a node answers, or a chain is so high: the flow of ``wait``.

What can never come is said at once, with the error that says why; a node or an enclave that is
away is asked again.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Self

from enclave.errors import EnclaveError, EnclaveUnavailableError, StateBusyError
from enigmacli.errors import (
    ConfigError,
    EnigmaError,
    HomeMissingError,
    MalformedError,
    ServiceRefusedError,
    ServiceUnavailableError,
    TxRejectedError,
    WaitTimeoutError,
)
from enigmacli.registration import Backoff
from enigmacli.standing import NEXT, Standing, State, Surroundings, has_reached, look
from enigmacli.submission import Clock

NODE: Final = "node"
HEIGHT: Final = "height"

_NUMBER: Final = re.compile("[1-9][0-9]{0,17}")
_AWAY: Final = (ServiceUnavailableError, ServiceRefusedError, MalformedError, WaitTimeoutError)
_TRANSIENT: Final = (EnclaveUnavailableError, StateBusyError)


@dataclass(frozen=True, slots=True)
class Goal:
    """What is waited for: a state of the home, or, without one, a height of the node's chain."""

    state: State | None = None
    height: int = 0
    """The least height; 0: that the node answers is enough."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``node``, ``height:N``, or the name of a state.

        Raises:
            ValueError: it is none of them.
        """
        if text == NODE:
            return cls()
        kind, separator, number = text.partition(":")
        if kind == HEIGHT and separator:
            if not _NUMBER.fullmatch(number):
                raise ValueError("a height is a whole number from 1 on")
            return cls(height=int(number))
        return cls(State(text))

    def __str__(self) -> str:
        if self.state is not None:
            return self.state.value
        return f"{HEIGHT}:{self.height}" if self.height else NODE


class Wait:
    """One wait.

    Args:
        goal: for what.
        at: the home and its node.
        refusal: why a block's execution refused the transaction of that hash, where it did.

    Attributes:
        seen: what was found last, in words.
    """

    def __init__(
        self, goal: Goal, at: Surroundings, refusal: Callable[[bytes], TxRejectedError | None]
    ) -> None:
        self.goal = goal
        self.seen = "nothing was answered yet"
        self._at = at
        self._refusal = refusal
        self._hint = ""

    def run(self, clock: Clock, timeout_s: float, told: Callable[[str], None]) -> dict[str, Any]:
        """Look until the goal is reached.

        Args:
            clock: the source of time and of waiting.
            timeout_s: how long in all; a look that hangs is the caller's to end.
            told: is called after every look with what was found, in words.

        Returns:
            ``state`` or ``height``, as it was found.

        Raises:
            WaitTimeoutError: the goal was not reached in time.
            ConfigError: there is no home, or its node is of another network.
            EnclaveError: the enclave refuses what it holds.
            TxRejectedError: the chain refused the registration.
        """
        deadline = clock.monotonic() + timeout_s
        pauses = Backoff(most_s=1.0).pauses()
        while True:
            found = self._look()
            if found is not None:
                return found
            told(self.seen)
            left = deadline - clock.monotonic()
            if left <= 0:
                raise self.timed_out(timeout_s)
            clock.sleep(min(next(pauses), left))

    def timed_out(self, timeout_s: float) -> WaitTimeoutError:
        """The error that says what was found last."""
        return WaitTimeoutError(
            f"not {self.goal} after {timeout_s:g} s: {self.seen}",
            hint=self._hint,
            details={"for": str(self.goal), "seen": self.seen, "timeout_s": timeout_s},
        )

    def _look(self) -> dict[str, Any] | None:
        return self._look_at_home(self.goal.state) if self.goal.state else self._look_at_node()

    # --- the node -------------------------------------------------------------------------

    def _look_at_node(self) -> dict[str, Any] | None:
        try:
            answer = self._at.node()
        except _AWAY as error:
            self.seen = error.message
            return None
        height = answer.latest_block_height
        self.seen = f"height {height}"
        return {"height": height} if height >= self.goal.height else None

    # --- the home -------------------------------------------------------------------------

    def _look_at_home(self, wanted: State) -> dict[str, Any] | None:
        found = look(self._at)
        if has_reached(found.state, wanted):
            return {"state": found.state.value}
        self._refuse_what_never_comes(found, wanted)
        self.seen = _words(found)
        following = NEXT.get(found.state)
        self._hint = f"enigmacli {following}" if following else "enigmacli status"
        return None

    def _refuse_what_never_comes(self, found: Standing, wanted: State) -> None:
        if found.state is State.NO_HOME:
            raise HomeMissingError(
                f"there is no home at {found.home}", hint="enigmacli init MONIKER"
            )
        if isinstance(found.enclave, EnclaveError) and not isinstance(found.enclave, _TRANSIENT):
            raise found.enclave
        if not has_reached(wanted, State.REGISTERED):
            return
        if found.node is not None and not found.node.same_network:
            raise ConfigError(
                f"the node at {found.node.url} is of another network, {found.node.chain_id}",
                hint="name a node of your network with --node",
                details={"seen": found.node.chain_id},
            )
        self._refuse_what_the_chain_refused(found)

    def _refuse_what_the_chain_refused(self, found: Standing) -> None:
        if found.state is not State.SENT or found.sent is None or found.node is None:
            return
        try:
            refused = self._refusal(found.sent)
        except TxRejectedError:
            raise
        except EnigmaError:
            return  # the node went away in between
        if refused is not None:
            raise refused


def _words(found: Standing) -> str:
    if isinstance(found.enclave, EnclaveError):
        return str(found.enclave)
    node = "no node answers" if found.node is None else f"node at height {found.node.height}"
    return f"the home is {found.state}, {node}"
