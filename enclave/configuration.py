"""What an enclave is told once, and then judges by for good: chain id and policy."""

from dataclasses import dataclass
from typing import Self

from enclave.appraise.policy import Policy
from enclave.binding import NO_OWNER
from enclave.errors import AlreadyConfiguredError, CallError
from enclave.network import network_id


@dataclass(frozen=True, slots=True)
class Configuration:
    """A network as an enclave knows it (protocol.md section 2)."""

    chain_id: str
    policy_json: bytes
    """Canonical JSON, byte for byte as given."""
    policy: Policy
    network_id: bytes
    """32 bytes, computed here from the other two."""

    @classmethod
    def parse(cls, chain_id: str, policy_json: bytes) -> Self:
        """Check both values and compute the network's identifier.

        Raises:
            CallError: ``chain_id`` is malformed.
            PolicyFormatError: ``policy_json`` is not a policy in canonical JSON.
        """
        return cls(
            chain_id=chain_id,
            policy_json=policy_json,
            policy=Policy.parse(policy_json),
            network_id=network_id(chain_id, policy_json),
        )

    def check_same(self, other: "Configuration") -> None:
        """Refuse other values than these.

        Raises:
            AlreadyConfiguredError: chain id or policy differ.
        """
        if self.network_id != other.network_id:
            raise AlreadyConfiguredError(
                f"this enclave belongs to {self.chain_id} under the policy it was given first",
                expected=self.network_id.hex(),
                seen=other.network_id.hex(),
            )

    def check_owner(self, owner: bytes) -> None:
        """Refuse an owner where the policy knows none (protocol.md section 5).

        Raises:
            CallError: ``owner`` is not 20 zero bytes.
        """
        if not self.policy.require_owner and owner != NO_OWNER:
            raise CallError(
                "this network's policy requires no owner",
                expected=NO_OWNER.hex(),
                seen=owner.hex(),
            )
