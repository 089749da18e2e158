"""A faucet: gives coins to new accounts of a simulated network, where coins are worth nothing.

An address gets the gift when it holds less than a tenth of it, so once until it is spent. One
request is served at a time, and its transfer awaited, so that asking twice never gives twice.
"""

import asyncio
import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Final, Protocol

from enclave import canonical_json
from enigmacli.app.genesis import GenesisDocument
from enigmacli.chain.address import decode_address
from enigmacli.chain.messages import Coin, MsgSend
from enigmacli.errors import ConfigError, EnigmaError, MalformedError
from enigmacli.simulated_intel.events import ServiceEvent
from enigmacli.simulated_intel.exchange import Answer, Request
from enigmacli.simulated_intel.rate_limit import RateLimit
from enigmacli.simulated_intel.service import SIMULATION_HEADERS
from enigmacli.simulated_intel.web import WebService, serve
from enigmacli.submission import Chain, Clock, Signer, Terms, draft, send, sign

PATH: Final = "/simulation/v1/coins"
AMOUNT: Final = 10_000_000
PER_MINUTE: Final = 60
_POOR: Final = Fraction(1, 10)
_TIMEOUT_S: Final = 30.0
_MAX_BODY_BYTES: Final = 4096
_JSON: Final = {"Content-Type": "application/json"}


class Giver(Protocol):
    """The account that gives, and the node that it gives through."""

    def balance(self, address: str) -> int:
        """Coins that an address holds."""
        ...

    def send(self, address: str) -> bytes:
        """Send the gift, and wait for its block; the transaction's hash."""
        ...


@dataclass
class Faucet:
    """Decides who gets coins.

    Attributes:
        gift: what an address gets.
        chain_id: of the network.
        prefix: of its addresses.
    """

    giver: Giver
    gift: Coin
    chain_id: str
    prefix: str
    limit: RateLimit = field(default_factory=lambda: RateLimit(PER_MINUTE))

    def answer(self, request: Request, now_s: float) -> Answer:
        """Decide what to answer; may take as long as a block.

        Args:
            request: read completely.
            now_s: from a clock that never goes back.
        """
        if request.path == "/" and request.method == "GET":
            return _document(200, {"simulation": True, "chain_id": self.chain_id,
                                   "gift": str(self.gift)})  # fmt: skip
        if request.path != PATH:
            return _refusal(404, "there is nothing at this path")
        if request.method != "POST":
            return _refusal(405, "ask with POST")
        return self._asked(request.body, now_s)

    def _asked(self, body: bytes, now_s: float) -> Answer:
        wait_s = self.limit.take(now_s)
        if wait_s:
            later = {**_JSON, "Retry-After": str(math.ceil(wait_s))}
            return replace(_refusal(429, "too many requests"), headers=later)
        try:
            return self._give(self._address(body))
        except MalformedError as error:
            return _refusal(400, error.message)

    def _give(self, address: str) -> Answer:
        held = self.giver.balance(address)
        if held >= self.gift.amount * _POOR:
            return _document(200, {"given": False, "address": address, "amount": str(self.gift),
                                   "reason": f"it holds {held}{self.gift.denom}"})  # fmt: skip
        digest = self.giver.send(address)
        return _document(200, {"given": True, "address": address, "amount": str(self.gift),
                               "tx_hash": digest.hex().upper()})  # fmt: skip

    def _address(self, body: bytes) -> str:
        try:
            value = canonical_json.loads(body, max_bytes=_MAX_BODY_BYTES)
        except ValueError as error:
            raise MalformedError("the body is not strict JSON") from error
        address = value.get("address") if isinstance(value, dict) else None
        if not isinstance(address, str) or not address.startswith(f"{self.prefix}1"):
            raise MalformedError(f"the body names no address of this network, {self.prefix}1…")
        decode_address(address)
        return address


@dataclass(frozen=True, slots=True)
class Account:
    """A :class:`Giver`: a key and a node."""

    signer: Signer
    chain: Chain
    chain_id: str
    terms: Terms
    gift: Coin
    clock: Clock

    def balance(self, address: str) -> int:
        """Coins of the gift's denomination."""
        return self.chain.balance(address, self.gift.denom)

    def send(self, address: str) -> bytes:
        """Send the gift.

        Raises:
            TxRejectedError: the account is empty, or the chain refuses.
            WaitTimeoutError: no block held it in time.
            ServiceUnavailableError: the node did not answer.
        """
        message = MsgSend(self.signer.address, address, (self.gift,))
        priced = draft(
            message, self.signer.address, self.chain, self.chain_id, self.terms, spends=self.gift
        )
        raw = sign(priced, self.signer)
        return send(raw, self.chain, "block", self.clock, timeout_s=_TIMEOUT_S).tx_hash


def check_simulated(genesis: GenesisDocument) -> None:
    """Refuse to give away coins of a network that may be worth something.

    Raises:
        ConfigError: the policy is not a simulated one.
    """
    policy = genesis.app_state.policy
    if policy is None or not policy.simulation:
        raise ConfigError(
            f"a faucet serves simulated networks only, and {genesis.chain_id} is none",
            hint="give coins with enigmacli tx bank send FROM TO AMOUNT",
        )


def run_faucet(
    faucet: Faucet, host: str, port: int, report: Callable[[ServiceEvent], None]
) -> None:
    """Serve until SIGTERM; for a process's main thread.

    Raises:
        PortBusyError: the address is taken, or not this machine's.
    """
    turns = asyncio.Lock()

    async def decide(request: Request) -> Answer:
        async with turns:  # one account, one transfer at a time
            try:
                return await asyncio.to_thread(faucet.answer, request, time.monotonic())
            except EnigmaError as error:
                return _refusal(503, error.message)

    serve(WebService(decide, report, SIMULATION_HEADERS), host, port)


def _document(status: int, document: dict[str, object], note: str = "") -> Answer:
    return Answer(status, json.dumps(document).encode() + b"\n", _JSON, note=note)


def _refusal(status: int, reason: str) -> Answer:
    return _document(status, {"reason": reason}, reason)
