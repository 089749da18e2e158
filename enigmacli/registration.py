"""Registration from the newcomer's side: judge, send, wait, install (protocol.md section 1).

What the flow needs of the enclave, the chain and the clock are the protocols below; the
commands hand in the real ones, tests a chain and an enclave in memory.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Protocol

from enclave.calls import JudgeReply, PublicKeysReply
from enclave.evidence.containers import parse_on_chain
from enclave.evidence.dcap_quote import DcapQuote
from enclave.evidence.ias_report import IasReport, SignedReport
from enclave.evidence.sgx_report import SgxReport
from enclave.evidence.tdx_quote import TdReport
from enigmacli.app.app_state import NetworkKeys
from enigmacli.errors import (
    NotFoundError,
    ServiceUnavailableError,
    TxRejectedError,
    WaitTimeoutError,
)
from enigmacli.submission import Clock, Receipt

WRAP_SIZE: Final = 48
"""Bytes of one epoch's encrypted seed: 16 SIV, 32 ciphertext (protocol.md section 4)."""

NODE_ID_SIZE: Final = 32
"""Bytes of a registration public key, the first of report_data (protocol.md section 5)."""

NO_OWNER: Final = bytes(20)
"""The owner bound into evidence where the policy requires none."""

_OTHER_OWNER: Final = 7  # protocol.md section 7, codespace register


class Judge(Protocol):
    """The trusted program in the role that judges and holds no key."""

    def judge(self, certificate: bytes, owner: bytes, at_us: int, *, catch_up: bool) -> JudgeReply:
        """The attestation result, or the error of the first rule that refuses."""
        ...


class Installer(Protocol):
    """The trusted program in the role that keeps this node's keys."""

    def install(
        self,
        *,
        genesis_exchange_pk: bytes,
        genesis_io_pk: bytes,
        bootstrap_certificate: bytes,
        bootstrap_at_us: int,
        exchange_pk: bytes,
        encrypted_seed: bytes,
    ) -> PublicKeysReply:
        """Open the seeds, check them against genesis, seal all or nothing."""
        ...


class NodeRecord(Protocol):
    """What the chain keeps of a registered node."""

    @property
    def owner(self) -> bytes:
        """20 bytes, all zero where the policy requires no owner."""
        ...

    @property
    def epoch(self) -> int:
        """Of the newest seed in ``encrypted_seed``."""
        ...

    @property
    def height(self) -> int:
        """Of the block that wrote the record last."""
        ...


class Registry(Protocol):
    """The registration module, as queries see it."""

    def node(self, node_id: bytes) -> NodeRecord:
        """The record of ``node_id``; :class:`NotFoundError` without one."""
        ...

    def encrypted_seed(self, node_id: bytes) -> bytes:
        """What the network encrypted to ``node_id``; :class:`NotFoundError` without a record."""
        ...

    def current_epoch(self) -> int:
        """Of the network's newest seed."""
        ...

    def exchange_key(self) -> bytes:
        """The network's seed-exchange key of the current epoch, 32 bytes."""
        ...


@dataclass(frozen=True, slots=True)
class Registration:
    """A registered node; ``receipt`` is ``None`` where it was registered before."""

    node_id: bytes
    receipt: Receipt | None
    height: int | None
    """Of the block that wrote the record, ``None`` while it is not known."""


def preview(judge: Judge, certificate: bytes, owner: bytes, now_us: int) -> JudgeReply:
    """The validators' own judgement, before a fee is paid.

    Args:
        judge: configured with the network's chain id and policy.
        certificate: the evidence, as the transaction will carry it.
        owner: 20 bytes, see :func:`bound_owner`.
        now_us: microseconds since the Unix epoch; block time follows it closely.

    Raises:
        EvidenceFormatError: the evidence is malformed.
        VerificationError: it is not authentic.
        PolicyError: it is authentic, and the network refuses it.
        EnclaveUnavailableError: the judge could not be asked.
    """
    return judge.judge(certificate, owner, now_us, catch_up=True)


def bound_owner(sender: bytes, *, require_owner: bool) -> bytes:
    """The owner that evidence binds and the record shows (protocol.md section 5)."""
    return sender if require_owner else NO_OWNER


def claimed_node_id(certificate: bytes) -> bytes:
    """The registration public key that evidence claims to bind; nothing is verified.

    Raises:
        EvidenceFormatError: the evidence is not what a transaction may carry.
    """
    evidence = parse_on_chain(certificate)
    if isinstance(evidence, SignedReport):
        report: SgxReport | TdReport = IasReport.parse(evidence.report).quote.report
    else:
        report = DcapQuote.parse(evidence.quote).body
    return report.report_data[:NODE_ID_SIZE]


def find_registered(registry: Registry, node_id: bytes, owner: bytes) -> NodeRecord | None:
    """The record of ``node_id`` if it is registered by ``owner`` at the current epoch.

    Raises:
        TxRejectedError: another owner registered it, so the chain would take the fee and refuse.
    """
    try:
        record = registry.node(node_id)
    except NotFoundError:
        return None
    if record.owner != owner:
        raise TxRejectedError(
            f"node {node_id.hex()} is registered by another owner; nothing was sent",
            hint="make another registration key in a new home, or use the owner's account",
            details={
                "codespace": "register",
                "code": _OTHER_OWNER,
                "expected": owner.hex(),
                "seen": record.owner.hex(),
            },
        )
    return record if record.epoch == registry.current_epoch() else None


def register(
    registry: Registry, node_id: bytes, owner: bytes, send: Callable[[], Receipt]
) -> Registration:
    """Register a node, once: a node that is registered at the current epoch sends nothing.

    Args:
        registry: the chain's registration module.
        node_id: the registration public key that the evidence binds.
        owner: 20 bytes, see :func:`bound_owner`.
        send: previews the evidence, then signs and sends the transaction.

    Raises:
        TxRejectedError: another owner registered the node, or the chain refused.
        ServiceUnavailableError: the node of the network did not answer.
    """
    record = find_registered(registry, node_id, owner)
    if record is not None:
        return Registration(node_id, None, record.height)
    receipt = send()
    return Registration(node_id, receipt, receipt.height)


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long to pause between two questions."""

    first_s: float = 0.1
    factor: float = 1.5
    most_s: float = 3.0

    def pauses(self) -> Iterator[float]:
        """Seconds, growing up to ``most_s``, without end."""
        pause = self.first_s
        while True:
            yield pause
            pause = min(pause * self.factor, self.most_s)


def wait_for_seed(
    registry: Registry,
    node_id: bytes,
    clock: Clock,
    *,
    timeout_s: float,
    refusal: Callable[[], TxRejectedError | None] | None = None,
    backoff: Backoff | None = None,
) -> bytes:
    """Ask until the network has encrypted its seed to ``node_id``.

    Args:
        registry: the chain's registration module.
        node_id: 32 bytes.
        clock: the source of time and of waiting.
        timeout_s: how long in all.
        refusal: why a block's execution refused the register transaction of this home, where
            it did; leave it out where no such transaction is known.
        backoff: the pauses between two questions.

    Returns:
        The encrypted seed, 48 bytes for each epoch.

    Raises:
        TxRejectedError: a block holds the transaction, and the chain refused it.
        WaitTimeoutError: nothing came in time; ``details["state"]`` says what was seen last:
            ``not-included``, ``unknown`` (no transaction of this home is known) or
            ``unreachable``.
    """
    deadline = clock.monotonic() + timeout_s
    pauses = (backoff or Backoff()).pauses()
    while True:
        state, seed = _look(registry, node_id, refusal)
        if seed is not None:
            return seed
        left = deadline - clock.monotonic()
        if left <= 0:
            raise _timed_out(state, node_id, timeout_s)
        clock.sleep(min(next(pauses), left))


def _look(
    registry: Registry, node_id: bytes, refusal: Callable[[], TxRejectedError | None] | None
) -> tuple[str, bytes | None]:
    try:
        return "registered", registry.encrypted_seed(node_id)
    except (ServiceUnavailableError, WaitTimeoutError):
        return "unreachable", None
    except NotFoundError:
        pass
    if refusal is None:
        return "unknown", None
    try:
        refused = refusal()
    except ServiceUnavailableError:
        return "unreachable", None
    if refused is not None:
        raise refused
    return "not-included", None


_STATES: Final = {
    "not-included": (
        "the register transaction is in no block yet",
        "wait longer with `enigmacli seed wait --timeout`, or look with `enigmacli query tx`",
    ),
    "unknown": (
        "the chain does not know this node, and no register transaction of this home is known",
        "send the registration with `enigmacli tx register auth`",
    ),
    "unreachable": (
        "the node of the network did not answer",
        "check --node, and that the node runs",
    ),
}


def _timed_out(state: str, node_id: bytes, timeout_s: float) -> WaitTimeoutError:
    what, hint = _STATES[state]
    return WaitTimeoutError(
        f"no encrypted seed for node {node_id.hex()} after {timeout_s:g} s: {what}",
        hint=hint,
        details={"state": state, "node_id": node_id.hex(), "timeout_s": timeout_s},
    )


def unseal(
    enclave: Installer, registry: Registry, node_id: bytes, network: NetworkKeys
) -> PublicKeysReply:
    """Fetch the encrypted seed, and have the enclave open, check and seal it.

    Nothing that the chain's server says is trusted: ``registry`` wants proofs, and the enclave
    derives the network's public keys from what it opened and compares them with genesis.

    Raises:
        NotFoundError: the node is not registered (yet).
        EnclaveError: the seed does not open, or is another network's.
        ServiceUnavailableError: the node of the network did not answer.
    """
    encrypted = registry.encrypted_seed(node_id)
    one = len(encrypted) == WRAP_SIZE
    used = network.exchange_pk if one else registry.exchange_key()
    return install(enclave, network, used, encrypted)


def install(
    enclave: Installer, network: NetworkKeys, exchange_pk: bytes, encrypted_seed: bytes
) -> PublicKeysReply:
    """Have the enclave open, check and seal a seed, from wherever it came.

    Args:
        enclave: with the registration key that the seed is encrypted to.
        network: what genesis says of the network.
        exchange_pk: 32 bytes, the key that the network used.
        encrypted_seed: 48 bytes for each epoch.

    Raises:
        EnclaveError: the seed does not open, or is another network's.
    """
    return enclave.install(
        genesis_exchange_pk=network.exchange_pk,
        genesis_io_pk=network.io_pk,
        bootstrap_certificate=network.certificate,
        bootstrap_at_us=network.at_us,
        exchange_pk=exchange_pk,
        encrypted_seed=encrypted_seed,
    )


def try_unseal(
    enclave: Installer, registry: Registry, node_id: bytes, network: NetworkKeys
) -> bool:
    """:func:`unseal`, or ``False`` where the network has not answered yet."""
    try:
        unseal(enclave, registry, node_id, network)
    except (NotFoundError, ServiceUnavailableError, WaitTimeoutError):
        return False
    return True
