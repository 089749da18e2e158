"""What the sealed files of a home hold, opened together and found to agree.

Inside the seal stand ``u16be length ‖ chain id ‖ u32be length ‖ policy`` and then, for a
registration, the private key (32 bytes), for seeds each epoch's seed (32 bytes) from epoch
0; for the clock ``u64be`` microseconds alone. So policy and keys cannot be parted.
"""

import hashlib
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

from enclave import keys, sealing
from enclave.backends import Backend, check_policy
from enclave.calls import MAX_EPOCHS, SealedFile
from enclave.configuration import Configuration
from enclave.errors import (
    NoRegistrationKeyError,
    NoSeedError,
    NotConfiguredError,
    SealedFormatError,
    SealedNetworkError,
)
from enclave.keys import Secret
from enclave.sealing import Label, Purpose

FILE_NAMES: Final = {
    Purpose.REGISTRATION: "registration.sealed",
    Purpose.SEED: "seed.sealed",
    Purpose.CLOCK: "clock.sealed",
}
"""In the order in which they are opened: the clock's blob names its network, but cannot
prove it."""

_CHAIN_ID_SIZE: Final = struct.Struct(">H")
_POLICY_SIZE: Final = struct.Struct(">I")
_INSTANT: Final = struct.Struct(">Q")
_SECRET_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Contents:
    """One home's opened secrets, for the length of one call; wiped at the end of a ``with``."""

    configuration: Configuration | None = None
    registration: Secret | None = None
    """The registration private key."""
    seeds: tuple[Secret, ...] = ()
    """From epoch 0."""
    clock_us: int = 0
    """The clock bound in microseconds since the Unix epoch."""
    files: tuple[SealedFile, ...] = ()

    def __enter__(self) -> Self:
        """The secrets are good until the end of the block."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Wipe them."""
        for secret in (*self.seeds, *([self.registration] if self.registration else [])):
            secret.wipe()

    def require_configuration(self) -> Configuration:
        """The network's rules.

        Raises:
            NotConfiguredError: neither keygen nor bootstrap nor restore has been here.
        """
        if self.configuration is None:
            raise NotConfiguredError("this enclave has no key yet, so it belongs to no network")
        return self.configuration

    def require_registration(self) -> Secret:
        """The registration key.

        Raises:
            NoRegistrationKeyError: there is none.
        """
        if self.registration is None:
            raise NoRegistrationKeyError("this enclave has no registration key yet")
        return self.registration

    def require_seeds(self) -> tuple[Secret, ...]:
        """At least one seed.

        Raises:
            NoSeedError: there is none.
        """
        if not self.seeds:
            raise NoSeedError("this enclave holds no seed yet")
        return self.seeds

    def generation(self, purpose: Purpose) -> int:
        """Of the file of that purpose, 0 where there is none."""
        return next((file.generation for file in self.files if file.purpose == purpose), 0)


def open_all(blobs: Mapping[Purpose, bytes], backend: Backend) -> Contents:
    """Open sealed files that have to belong together.

    Raises:
        SealedStateError: one does not open here, is not what it should be, or they belong to
            different networks.
        BackendPolicyError: the backend may not serve their network.
    """
    configuration: Configuration | None = None
    files: list[SealedFile] = []
    opened: dict[Purpose, list[Secret]] = {}
    clock_us = 0
    with backend.sealing_key() as sealing_key:
        for purpose in [purpose for purpose in FILE_NAMES if purpose in blobs]:
            data = blobs[purpose]
            network_id = configuration.network_id if configuration else None
            label, payload = sealing.unseal(data, sealing_key, backend.name, purpose, network_id)
            with payload:
                if purpose is Purpose.CLOCK:
                    clock_us = _decode_clock(payload)
                else:
                    configuration, secrets = _decode_keys(payload)
                    _check_label(label, configuration, secrets)
                    check_policy(backend, configuration.policy)
                    opened[purpose] = secrets
            files.append(_describe(purpose, label, data))
    return Contents(
        configuration=configuration,
        registration=opened[Purpose.REGISTRATION][0] if Purpose.REGISTRATION in opened else None,
        seeds=tuple(opened.get(Purpose.SEED, ())),
        clock_us=clock_us,
        files=tuple(files),
    )


def seal_keys(
    purpose: Purpose,
    configuration: Configuration,
    secrets: Sequence[Secret],
    generation: int,
    backend: Backend,
) -> bytes:
    """The blob of a registration key or of seeds, with chain id and policy inside.

    Raises:
        BackendPolicyError: the backend may not serve that policy.
    """
    check_policy(backend, configuration.policy)
    seeds = purpose is Purpose.SEED
    exchange_pk = keys.derive_exchange_pk(secrets[0]) if seeds else b""
    label = Label(backend.name, purpose, configuration.network_id, generation, exchange_pk)
    with _encode_keys(configuration, secrets) as payload, backend.sealing_key() as sealing_key:
        return sealing.seal(label, payload, sealing_key)


def seal_clock(
    configuration: Configuration, clock_us: int, generation: int, backend: Backend
) -> bytes:
    """The blob of a clock bound, in microseconds since the Unix epoch."""
    label = Label(backend.name, Purpose.CLOCK, configuration.network_id, generation, b"")
    payload = Secret(bytearray(_INSTANT.pack(clock_us)))
    with backend.sealing_key() as sealing_key:
        return sealing.seal(label, payload, sealing_key)


def _describe(purpose: Purpose, label: Label, data: bytes) -> SealedFile:
    digest = hashlib.sha256(data).digest()
    return SealedFile(FILE_NAMES[purpose], purpose, label.generation, digest)


def _encode_keys(configuration: Configuration, secrets: Sequence[Secret]) -> Secret:
    chain_id = configuration.chain_id.encode()
    payload = bytearray(_CHAIN_ID_SIZE.pack(len(chain_id)) + chain_id)
    payload += _POLICY_SIZE.pack(len(configuration.policy_json)) + configuration.policy_json
    for secret in secrets:
        payload += secret.data
    return Secret(payload)


def _decode_keys(payload: Secret) -> tuple[Configuration, list[Secret]]:
    try:
        chain_id, at = _take(payload.data, 0, _CHAIN_ID_SIZE)
        policy_json, at = _take(payload.data, at, _POLICY_SIZE)
        configuration = Configuration.parse(chain_id.decode(), policy_json)
    except (struct.error, UnicodeDecodeError) as error:
        raise SealedFormatError("a sealed file's inside is malformed") from error
    count, rest = divmod(len(payload) - at, _SECRET_BYTES)
    if rest or not 1 <= count <= MAX_EPOCHS:
        raise SealedFormatError("a sealed file's inside has another length")
    starts = range(at, len(payload), _SECRET_BYTES)
    return configuration, [Secret(payload.data[i : i + _SECRET_BYTES]) for i in starts]


def _take(data: bytearray, at: int, layout: struct.Struct) -> tuple[bytes, int]:
    (size,) = layout.unpack_from(data, at)
    start = at + layout.size
    return bytes(data[start : start + size]), start + size


def _decode_clock(payload: Secret) -> int:
    if len(payload) != _INSTANT.size:
        raise SealedFormatError("the sealed clock's inside has another length")
    (clock_us,) = _INSTANT.unpack(payload.data)
    return int(clock_us)


def _check_label(label: Label, configuration: Configuration, secrets: Sequence[Secret]) -> None:
    if label.network_id != configuration.network_id:
        raise SealedNetworkError(
            f"the sealed {label.purpose} belongs to another network",
            expected=configuration.network_id.hex(),
            seen=label.network_id.hex(),
        )
    seeds = label.purpose == Purpose.SEED
    if (not seeds and len(secrets) != 1) or label.exchange_pk != (
        keys.derive_exchange_pk(secrets[0]) if seeds else b""
    ):
        raise SealedFormatError(f"the sealed {label.purpose} is not what its label says")
