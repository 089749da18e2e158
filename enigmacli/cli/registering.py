"""``tx register auth``: what asks for admission, and the steps that its sending takes."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from enclave.calls import MAX_CERTIFICATE_BYTES
from enclave.errors import ContainerFormatError
from enigmacli import registration
from enigmacli.chain.messages import RaAuthenticate
from enigmacli.cli import registration_note, sending
from enigmacli.cli.accounts import acting_account
from enigmacli.cli.context import Services
from enigmacli.cli.network import connect
from enigmacli.cli.output import emit, working
from enigmacli.errors import TxRejectedError
from enigmacli.registration import Registration
from enigmacli.submission import Draft, Receipt

if TYPE_CHECKING:
    from enigmacli.chain.light_queries import VerifiedQueries
    from enigmacli.chain.queries import Queries
    from enigmacli.keyring import AccountKey


@dataclass(frozen=True, slots=True)
class Candidate:
    """Evidence, and the account that registers with it."""

    services: Services
    chain: "Queries | VerifiedQueries"
    certificate: bytes
    node_id: bytes
    """That the evidence claims; nothing is verified yet."""
    account: "AccountKey"
    owner: bytes
    """20 bytes, as the policy wants it bound."""
    preview: bool

    @classmethod
    def read(cls, services: Services, certificate: bytes, *, preview: bool) -> Self:
        """Take evidence as it will be sent.

        Raises:
            EvidenceFormatError: it is not what a transaction may carry.
            KeyringError: whose account registers is not clear.
            ConfigError: the node named is of another network.
            ServiceUnavailableError: it did not answer.
        """
        if len(certificate) > MAX_CERTIFICATE_BYTES:
            raise ContainerFormatError(
                "the evidence is too long for a transaction",
                expected=f"at most {MAX_CERTIFICATE_BYTES} bytes",
                seen=str(len(certificate)),
            )
        node_id = registration.claimed_node_id(certificate)
        account = acting_account(services)
        owner = registration.bound_owner(
            account.account, require_owner=services.policy.require_owner
        )
        chain = connect(services)
        return cls(services, chain, certificate, node_id, account, owner, preview)

    def register(self) -> Registration:
        """Send the registration, unless the node is registered."""
        return registration.register(self.chain, self.node_id, self.owner, self._send)

    def rehearse(self, *, generate_only: bool) -> None:
        """Everything but sending: the verdict, the price, or the unsigned transaction."""
        found = registration.find_registered(self.chain, self.node_id, self.owner)
        if found is not None:
            text = f"node {self.node_id.hex()} is registered since height {found.height}"
            emit(
                self.services,
                {"node_id": self.node_id.hex(), "dry_run": True, "height": found.height},
                f"{text}; there is nothing to send",
            )
            return
        facts: dict[str, Any] = {"node_id": self.node_id.hex(), "verdict": self._judge()}
        sending.preview(self.services, self._draft(), generate_only=generate_only, facts=facts)

    def _send(self) -> Receipt:
        self._judge()
        home = self.services.home.path
        try:
            return sending.submit(
                self.services,
                self.chain,
                self._draft(),
                self.account,
                question=f"register node {self.node_id.hex()} for {self.account.address}",
                before_sending=lambda raw: registration_note.write(home, self.node_id, raw),
            )
        except TxRejectedError:
            registration_note.drop(home)
            raise

    def _judge(self) -> str:
        """The validators' own judgement, or a word that says that it was left out."""
        if not self.preview:
            return "not judged"
        with working(self.services, "judging the evidence as the validators will"):
            registration.preview(
                self.services.judge(), self.certificate, self.owner, self.services.now_us()
            )
        return "accept"

    def _draft(self) -> Draft:
        message = RaAuthenticate(self.account.account, self.certificate)
        return sending.prepare(self.services, self.chain, message, self.account)
