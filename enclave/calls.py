"""The interface of the trusted process: one frozen dataclass per request and reply.

A frame is ``u32be length ‖ u8 call number ‖ body``, where length counts what follows it;
a reply's number is that of its request, or 0 for an error. :mod:`enclave.codec` says how a
body is encoded. Every field has its bound here.
"""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Final

from enclave.codec import Int, Key, at_most, exactly

MAX_FRAME_BYTES: Final = 512 * 1024
"""The longest frame either side accepts."""

MAX_CERTIFICATE_BYTES: Final = 64 * 1024
"""The longest ``certificate`` field (protocol.md section 5)."""

MAX_POLICY_BYTES: Final = 64 * 1024
"""The longest canonical JSON of a policy (protocol.md section 2)."""

MAX_CERTIFICATION_BYTES: Final = 16 * 1024
"""The longest PCK certificate chain that a quote takes in; Intel's have less than 4 KiB."""

MAX_QUOTE_BYTES: Final = 2 * MAX_CERTIFICATION_BYTES
"""The longest quote, such a chain included."""

MAX_EPOCHS: Final = 256
"""How many consensus seeds one enclave may hold."""


Certificate = Annotated[bytes, at_most(MAX_CERTIFICATE_BYTES)]
PolicyJson = Annotated[bytes, at_most(MAX_POLICY_BYTES)]


@dataclass(frozen=True, slots=True)
class ErrorReply:
    """What went wrong, as an :class:`enclave.errors.EnclaveError` without its class."""

    NUMBER: ClassVar[int] = 0
    code: Annotated[str, at_most(64)]
    message: Annotated[str, at_most(1024)]
    expected: Annotated[str, at_most(4096)]
    seen: Annotated[str, at_most(4096)]


@dataclass(frozen=True, slots=True)
class Done:
    """The call was carried out and has nothing to say."""


@dataclass(frozen=True, slots=True)
class StatusReply:
    """What this process is and holds; never a secret."""

    role: Annotated[str, at_most(8)]
    """``keys`` or ``judge``."""
    backend: Annotated[str, at_most(32)]
    """``simulation``, a hardware backend's name, or empty for the judge."""
    simulation: bool
    measurement: Key
    """mr_enclave of the running code."""
    platform_key: Annotated[bytes, at_most(32)]
    """Simulation only: the Ed25519 public key of the simulated quoting enclave, else empty."""
    epid_group_id: Annotated[int, at_most(2**32 - 1)]
    chain_id: Annotated[str, at_most(50)]
    """Empty before keygen, bootstrap or configure; network_id and policy then likewise."""
    network_id: Annotated[bytes, at_most(32)]
    node_id: Annotated[bytes, at_most(32)]
    """The registration public key, empty where there is none."""
    seeds: Annotated[int, at_most(MAX_EPOCHS)]
    """How many epochs' seeds are held."""
    exchange_pk: Annotated[bytes, at_most(32)]
    """exchange_pk of epoch 0, empty without a seed."""
    clock_us: Int
    """The sealed clock bound in microseconds since the Unix epoch, 0 where there is none."""
    pck_key: Annotated[bytes, at_most(64)] = b""
    """Simulation only: the P-256 public key, x ‖ y, of the simulated PCE, else empty."""


@dataclass(frozen=True, slots=True)
class Status:
    """Ask what the process is and holds."""

    NUMBER: ClassVar[int] = 1
    REPLY: ClassVar[type] = StatusReply


@dataclass(frozen=True, slots=True)
class KeygenReply:
    """The registration public key; ``created`` is false where it existed before."""

    node_id: Key
    created: bool


@dataclass(frozen=True, slots=True)
class Keygen:
    """Make and seal the registration key; an existing one is kept.

    The first of keygen and bootstrap fixes chain id and policy for good.
    """

    NUMBER: ClassVar[int] = 2
    REPLY: ClassVar[type] = KeygenReply
    chain_id: Annotated[str, at_most(50)]
    policy: PolicyJson
    """Canonical JSON (protocol.md section 2)."""


@dataclass(frozen=True, slots=True)
class EvidenceReply:
    """A quote over report_data that the enclave built itself."""

    quote: Annotated[bytes, at_most(MAX_QUOTE_BYTES)]
    report_data: Annotated[bytes, exactly(64)]


@dataclass(frozen=True, slots=True)
class Evidence:
    """Quote the registration key, or on the first node the network's keys.

    ``owner`` is 20 bytes, all zero where the policy requires no owner and for
    ``bootstrap``.
    """

    NUMBER: ClassVar[int] = 3
    REPLY: ClassVar[type] = EvidenceReply
    purpose: Annotated[str, at_most(16)]
    """``registration`` or ``bootstrap``."""
    kind: Annotated[str, at_most(16)]
    """``epid``, ``dcap-sgx`` or ``dcap-tdx``."""
    owner: Annotated[bytes, exactly(20)]
    sig_rl: Annotated[bytes, at_most(64 * 1024)]
    """The signature revocation list of the EPID group; empty where there is none, and for DCAP."""
    certification_data: Annotated[bytes, at_most(MAX_CERTIFICATION_BYTES)] = b""
    """The platform's PCK certificate chain as PEM, leaf first; empty for ``epid``."""


@dataclass(frozen=True, slots=True)
class PublicKeysReply:
    """The network's public keys, as derived from the seeds held."""

    epoch: Annotated[int, at_most(MAX_EPOCHS - 1)]
    """The highest epoch held."""
    genesis_exchange_pk: Key
    genesis_io_pk: Key
    exchange_pk: Key
    """Of the highest epoch held."""
    io_pk: Key


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """Make and seal the network's first consensus seed; an existing one is kept."""

    NUMBER: ClassVar[int] = 4
    REPLY: ClassVar[type] = PublicKeysReply
    chain_id: Annotated[str, at_most(50)]
    policy: PolicyJson


@dataclass(frozen=True, slots=True)
class PublicKeys:
    """Ask for the network's public keys; :class:`NoSeedError` without a seed."""

    NUMBER: ClassVar[int] = 5
    REPLY: ClassVar[type] = PublicKeysReply


@dataclass(frozen=True, slots=True)
class Configure:
    """Tell a judge, once, for which network it judges."""

    NUMBER: ClassVar[int] = 6
    REPLY: ClassVar[type] = Done
    chain_id: Annotated[str, at_most(50)]
    policy: PolicyJson


@dataclass(frozen=True, slots=True)
class JudgeReply:
    """The attestation result of acceptable evidence."""

    node_id: Key
    evidence_kind: Annotated[str, at_most(16)]
    measurement: Annotated[bytes, at_most(48)]
    tcb_status: Annotated[str, at_most(64)]
    valid_from_us: Int
    """The newest start date in the evidence; acceptable from here minus the allowed skew."""
    valid_until_us: Int
    """The last instant at which this evidence is acceptable."""


@dataclass(frozen=True, slots=True)
class Judge:
    """Is this evidence authentic, acceptable and bound to this owner at that time?"""

    NUMBER: ClassVar[int] = 7
    REPLY: ClassVar[type] = JudgeReply
    certificate: Certificate
    owner: Annotated[bytes, exactly(20)]
    at_us: Int
    """Microseconds since the Unix epoch."""
    catch_up: bool
    """Judge at the evidence's own newest start date where that is later (CheckTx)."""


@dataclass(frozen=True, slots=True)
class JudgeBootstrap:
    """Does this evidence prove that an allowed enclave made these network keys?"""

    NUMBER: ClassVar[int] = 8
    REPLY: ClassVar[type] = JudgeReply
    certificate: Certificate
    at_us: Int
    exchange_pk: Key
    io_pk: Key


@dataclass(frozen=True, slots=True)
class AdmitReply:
    """What the confirm transaction carries."""

    node_id: Key
    encrypted_seed: Annotated[bytes, at_most(48 * MAX_EPOCHS)]
    epoch: Annotated[int, at_most(MAX_EPOCHS - 1)]
    evidence_kind: Annotated[str, at_most(16)]
    measurement: Annotated[bytes, at_most(48)]
    tcb_status: Annotated[str, at_most(64)]


@dataclass(frozen=True, slots=True)
class Admit:
    """Judge, and encrypt the seeds to the newcomer; needs a seed, and t not before the clock."""

    NUMBER: ClassVar[int] = 9
    REPLY: ClassVar[type] = AdmitReply
    certificate: Certificate
    owner: Annotated[bytes, exactly(20)]
    at_us: Int


@dataclass(frozen=True, slots=True)
class RecheckReply:
    """Whether this enclave would have produced the same confirm; never a wrap."""

    equal: bool


@dataclass(frozen=True, slots=True)
class Recheck:
    """Compare a committed confirm with what this enclave computes at any t."""

    NUMBER: ClassVar[int] = 10
    REPLY: ClassVar[type] = RecheckReply
    certificate: Certificate
    owner: Annotated[bytes, exactly(20)]
    at_us: Int
    confirm: AdmitReply


@dataclass(frozen=True, slots=True)
class Install:
    """Open the encrypted seeds, check them against genesis, seal all or nothing."""

    NUMBER: ClassVar[int] = 11
    REPLY: ClassVar[type] = PublicKeysReply
    genesis_exchange_pk: Key
    genesis_io_pk: Key
    bootstrap_certificate: Certificate
    bootstrap_at_us: Int
    exchange_pk: Key
    """The exchange key used, that of the current epoch."""
    encrypted_seed: Annotated[bytes, at_most(48 * MAX_EPOCHS)]


@dataclass(frozen=True, slots=True)
class Advance:
    """Move the sealed clock bound forwards; a time before it changes nothing."""

    NUMBER: ClassVar[int] = 12
    REPLY: ClassVar[type] = Done
    at_us: Int


@dataclass(frozen=True, slots=True)
class SealedBlob:
    """A sealed file by name and content; opaque outside the enclave."""

    name: Annotated[str, at_most(64)]
    data: Annotated[bytes, at_most(128 * 1024)]


@dataclass(frozen=True, slots=True)
class SealedFile:
    """What is sealed where, as the enclave found it when it opened the file."""

    name: Annotated[str, at_most(64)]
    purpose: Annotated[str, at_most(16)]
    generation: Int
    sha256: Key


@dataclass(frozen=True, slots=True)
class SealReply:
    """The sealed files, each opened and found good."""

    files: Annotated[tuple[SealedFile, ...], at_most(8)]


@dataclass(frozen=True, slots=True)
class Seal:
    """Open every sealed file of this home and say what it is; never overwrites one."""

    NUMBER: ClassVar[int] = 13
    REPLY: ClassVar[type] = SealReply


@dataclass(frozen=True, slots=True)
class BackupBundle:
    """A byte-for-byte copy of the sealed files and a manifest of their hashes."""

    manifest: Annotated[bytes, at_most(8 * 1024)]
    """Canonical JSON."""
    blobs: Annotated[tuple[SealedBlob, ...], at_most(8)]


@dataclass(frozen=True, slots=True)
class Backup:
    """Copy the sealed files, each opened first."""

    NUMBER: ClassVar[int] = 14
    REPLY: ClassVar[type] = BackupBundle


@dataclass(frozen=True, slots=True)
class VerifyBackup:
    """Would this backup open here, whole?"""

    NUMBER: ClassVar[int] = 15
    REPLY: ClassVar[type] = SealReply
    bundle: BackupBundle


@dataclass(frozen=True, slots=True)
class RestoreReply:
    """The names of the files that were written; those in place already are not among them."""

    restored: Annotated[tuple[Annotated[str, at_most(64)], ...], at_most(8)]


@dataclass(frozen=True, slots=True)
class Restore:
    """Bring back what is missing; a key that differs is never replaced."""

    NUMBER: ClassVar[int] = 16
    REPLY: ClassVar[type] = RestoreReply
    bundle: BackupBundle


@dataclass(frozen=True, slots=True)
class Shutdown:
    """End the process after the reply."""

    NUMBER: ClassVar[int] = 17
    REPLY: ClassVar[type] = Done


REQUESTS: Final = (
    Status, Keygen, Evidence, Bootstrap, PublicKeys, Configure, Judge, JudgeBootstrap,
    Admit, Recheck, Install, Advance, Seal, Backup, VerifyBackup, Restore, Shutdown,
)  # fmt: skip
BY_NUMBER: Final[dict[int, type]] = {request.NUMBER: request for request in REQUESTS}
