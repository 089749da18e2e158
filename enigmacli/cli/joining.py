"""What ``join`` works with: this home's evidence, account and note, and the node of the network."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from enclave.calls import JudgeReply
from enigmacli import home as homes
from enigmacli import registration
from enigmacli.chain.messages import Coin, RaAuthenticate
from enigmacli.chain.tx import TxInvalidError, decode_tx
from enigmacli.cli import attestation_service, registration_note, sending
from enigmacli.cli.accounts import signer_of
from enigmacli.cli.attest_fetch import DCAP_FILES, EPID_FILES
from enigmacli.cli.context import NotAskedError, Services
from enigmacli.cli.network import connect
from enigmacli.cli.output import say, working
from enigmacli.errors import NotFoundError, ServiceRefusedError, StorageError
from enigmacli.submission import Account, Draft, price, sign

if TYPE_CHECKING:
    from enigmacli.chain.answers import BroadcastAnswer, TxAnswer
    from enigmacli.chain.light_queries import VerifiedQueries
    from enigmacli.chain.queries import Queries
    from enigmacli.chain.records import NodeRecord
    from enigmacli.keyring import AccountKey

_REGISTRATION: Final = "registration"


class NetworkNode:
    """The node named by ``--node``: proven answers, and where transactions stand.

    Raises:
        ConfigError: it is of another network.
        ServiceUnavailableError: it did not answer.
    """

    def __init__(self, services: Services) -> None:
        self._rpc = services.rpc()
        self.chain: Queries | VerifiedQueries = connect(services)

    def node(self, node_id: bytes) -> "NodeRecord":
        """The record of a node; see :class:`~enigmacli.chain.light_queries.VerifiedQueries`."""
        return self.chain.node(node_id)

    def encrypted_seed(self, node_id: bytes) -> bytes:
        """What the network encrypted to a node."""
        return self.chain.encrypted_seed(node_id)

    def current_epoch(self) -> int:
        """Of the network's newest seed."""
        return self.chain.current_epoch()

    def exchange_key(self) -> bytes:
        """The network's seed-exchange key of the current epoch."""
        return self.chain.exchange_key()

    def account(self, address: str) -> Account:
        """Number and sequence of an account."""
        return self.chain.account(address)

    def balance(self, address: str, denom: str) -> int:
        """Whole coins held."""
        return self.chain.balance(address, denom)

    def broadcast(self, raw: bytes, *, check: bool) -> "BroadcastAnswer":
        """Hand over a transaction."""
        return self.chain.broadcast(raw, check=check)

    def find_tx(self, tx_hash: bytes) -> "TxAnswer | None":
        """The transaction in its block, as the node says; ``None`` where it knows none.

        A node that keeps no list of transactions knows none; what it includes is seen by the
        record and by the account's number.
        """
        try:
            return self._rpc.tx(tx_hash)
        except (NotFoundError, ServiceRefusedError):
            return None


@dataclass(frozen=True, slots=True)
class HomeEvidence:
    """Evidence of this home's enclave, in the file where ``attest fetch`` puts it."""

    services: Services
    owner: bytes

    def kept(self) -> bytes | None:
        """The file's bytes; what cannot be read is fetched anew."""
        try:
            return homes.read(self._file)
        except StorageError:
            return None

    def fetch(self) -> bytes:
        """New evidence, which takes the file's place."""
        fetched = attestation_service.fetch(self.services, _REGISTRATION, self.owner)
        homes.replace(self._file, fetched.certificate)
        return fetched.certificate

    def judge(self, certificate: bytes) -> JudgeReply:
        """The validators' own judgement, now."""
        services = self.services
        return registration.preview(services.judge(), certificate, self.owner, services.now_us())

    @property
    def _file(self) -> Path:
        kind = attestation_service.kind_of(self.services)
        names = EPID_FILES if kind == attestation_service.EPID else DCAP_FILES
        return self.services.home.path / names[_REGISTRATION]


@dataclass(frozen=True, slots=True)
class HomePurse:
    """The account that registers, and what it asks people and faucets."""

    services: Services
    account: "AccountKey"

    @property
    def address(self) -> str:
        """bech32."""
        return self.account.address

    def price(self, certificate: bytes) -> tuple[int, Coin]:
        """Gas limit and fee, by the options of this call."""
        return price(self._message(certificate), sending.terms(self.services))

    def sign(self, certificate: bytes, gas_limit: int, fee: Coin, account: Account) -> bytes:
        """The register transaction, signed; the question comes before."""
        ask_for_fee(self.services, str(fee))
        draft = Draft(
            self._message(certificate), self.address, self.services.chain_id,
            account.number, account.sequence, gas_limit, fee, "",
        )  # fmt: skip
        return sign(draft, signer_of(self.services, self.account))

    def ask_for(self, needed: Coin) -> None:
        """Ask the faucet where one is configured, else tell people what is needed."""
        url = self.services.config.chain.faucet
        if not url:
            say(
                self.services,
                f"account {self.address} needs {needed}: waiting for somebody to send it",
            )
            return
        from enigmacli.attestation.service_client import ServiceClient  # noqa: PLC0415
        from enigmacli.join.faucet import ask  # noqa: PLC0415

        client = ServiceClient("faucet", url)
        try:
            with working(self.services, "funds: asking the faucet"):
                told = ask(client, self.address)
        finally:
            client.close()
        say(self.services, told)

    def _message(self, certificate: bytes) -> RaAuthenticate:
        return RaAuthenticate(self.account.account, certificate)


def ask_for_fee(services: Services, fee: str) -> None:
    """Ask whether a fee may be paid; not on a simulated network, where it is worth nothing.

    Raises:
        NotAskedError: nobody can answer, and ``-y`` was not given.
    """
    if not services.policy.simulation:
        services.confirm(f"register this node on {services.chain_id}, for a fee of {fee}?")


def check_can_ask(services: Services) -> None:
    """Refuse at the beginning what :func:`ask_for_fee` would refuse at the end.

    Raises:
        NotAskedError: nobody can answer, and ``-y`` was not given.
    """
    if not (services.policy.simulation or services.assume_yes or sys.stdin.isatty()):
        raise NotAskedError("nobody can be asked about the fee", "add -y to say yes in advance")


@dataclass(frozen=True, slots=True)
class HomeNote:
    """The note of the signed transaction in the home."""

    services: Services
    node_id: bytes

    def read(self) -> bytes | None:
        """The transaction, if one of this node was noted and can be read."""
        raw = registration_note.read_tx(self.services.home.path, self.node_id)
        try:
            return raw if raw is not None and decode_tx(raw).register is not None else None
        except TxInvalidError:
            return None

    def write(self, raw: bytes) -> None:
        """Keep it, durably."""
        registration_note.write(self.services.home.path, self.node_id, raw)

    def drop(self) -> None:
        """Forget it."""
        registration_note.drop(self.services.home.path)


@dataclass(slots=True)
class Told:
    """Progress for people, and what ``-o json`` says of it at the end."""

    services: Services
    phases: dict[str, dict[str, str]] = field(default_factory=dict)

    @contextmanager
    def working(self, phase: str, what: str) -> Iterator[None]:
        """A spinner where things may move, else one plain line."""
        with working(self.services, f"{phase}: {what}"):
            yield

    def done(self, phase: str, outcome: str, words: str) -> None:
        """One line for a phase that is over."""
        self.phases[phase] = {"outcome": outcome, "said": words}
        again = ", by an earlier run" if outcome == "kept" and phase != "funds" else ""
        say(self.services, f"  {phase:9} {words}{again}")
