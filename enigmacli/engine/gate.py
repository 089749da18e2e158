"""The gate: no node syncs or serves before its enclave holds the network's seed.

protocol.md section 8 rule 7: before the first Info answer after process start when the
height is above 0, and before every InitChain answer, the keyed enclave is asked for the
public keys of seed 0. It stands around the application, not in it, so both engines pass
through the same gate.
"""

import threading
from collections.abc import Callable
from typing import Final, Protocol

from enclave.calls import PublicKeysReply
from enclave.errors import NoSeedError
from enigmacli import protobuf
from enigmacli.app.app_state import NetworkKeys
from enigmacli.engine.events import Report, SeedReady, WaitingForSeed
from enigmacli.engine.stopping import sleep_until_stopped
from enigmacli.errors import SeedMismatchError, SeedMissingError

_HINT: Final = "enigmacli seed unseal, or start with --wait-for-seed"


class SeedHolder(Protocol):
    """The keyed enclave, as far as the gate asks it."""

    def public_keys(self) -> PublicKeysReply:
        """The public keys derived from the seeds held; :class:`NoSeedError` without one."""
        ...


class Application(Protocol):
    """The replicated application: ABCI request bytes in, response bytes out."""

    def handle(self, request: bytes) -> bytes:
        """Answer one encoded ``tendermint.abci.Request``."""
        ...


class Gate:
    """Asks the enclave, and waits for its seed where waiting is wanted.

    Args:
        enclave: the keyed enclave of this home.
        expected: the keys of genesis.
        report: told about every try and about success.
        stop: ends a wait.
        unseal: tries to fetch and install the seed; ``None`` refuses instead of waiting.
        interval_s: the pause between two tries.
    """

    def __init__(
        self,
        enclave: SeedHolder,
        expected: NetworkKeys,
        report: Report,
        stop: threading.Event,
        *,
        unseal: Callable[[], bool] | None = None,
        interval_s: float = 2.0,
    ) -> None:
        self._enclave = enclave
        self._expected = expected
        self._report = report
        self._stop = stop
        self._unseal = unseal
        self._interval_s = interval_s

    def require_seed(self) -> None:
        """Return once the enclave holds this network's seed.

        Raises:
            SeedMissingError: it holds none, and waiting is not wanted.
            SeedMismatchError: it holds another network's.
            EnclaveUnavailableError: the enclave cannot be asked.
            StoppedError: the node was told to stop while it waited.
        """
        tries = 0
        while not self._holds_seed():
            if self._unseal is None:
                raise SeedMissingError("the enclave holds no seed of this network", hint=_HINT)
            tries += 1
            self._report(WaitingForSeed(tries))
            if not self._unseal():
                sleep_until_stopped(self._stop, self._interval_s)
        self._report(SeedReady(self._expected.exchange_pk))

    def _holds_seed(self) -> bool:
        try:
            keys = self._enclave.public_keys()
        except NoSeedError:
            return False
        seen = (keys.genesis_exchange_pk, keys.genesis_io_pk)
        if seen != (self._expected.exchange_pk, self._expected.io_pk):
            raise SeedMismatchError(
                "the enclave's seed is that of another network",
                details={
                    "expected": self._expected.exchange_pk.hex(),
                    "seen": keys.genesis_exchange_pk.hex(),
                },
            )
        return True


class GatedApplication:
    """The application behind its gate; for both engines, as bytes."""

    def __init__(self, application: Application, gate: Gate) -> None:
        self._application = application
        self._gate = gate
        self._info_passed = False

    def handle(self, request: bytes) -> bytes:
        """Answer ``request``, the first Info above height 0 and InitChain past the gate only."""
        kind = protobuf.parse("tendermint.abci.Request", request).WhichOneof("value")
        if kind == "init_chain":
            self._gate.require_seed()
        answer = self._application.handle(request)
        if kind == "info" and not self._info_passed:
            self._pass_info(answer)
        return answer

    def _pass_info(self, answer: bytes) -> None:
        info = protobuf.parse("tendermint.abci.Response", answer).info
        if info.last_block_height > 0:
            self._gate.require_seed()
        self._info_passed = True
