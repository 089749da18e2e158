"""The engine's consensus parameters, as genesis has them (CometBFT v0.38, ``types/params.go``)."""

from dataclasses import dataclass
from typing import Any, Final, Self

from enigmacli import protobuf
from enigmacli.app.json_forms import MAX_INT64, decimal, members
from enigmacli.errors import GenesisError

MAX_BLOCK_BYTES: Final = 100 * 1024 * 1024
"""CometBFT's own limit of a block, in force where ``max_bytes`` is -1."""

KEY_TYPE: Final = "ed25519"
_SECOND_NS: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class ConsensusParams:
    """Limits of blocks and evidence of misbehaviour; other members have one value only."""

    max_bytes: int = 1_048_576
    """Of a block, -1 for the engine's own limit."""
    max_gas: int = 50_000_000
    """Of all transactions of a block; finite."""
    evidence_max_age_blocks: int = 100_000
    evidence_max_age_ns: int = 172_800_000_000_000
    evidence_max_bytes: int = 1_048_576

    @classmethod
    def from_value(cls, value: Any) -> Self:
        """Read CometBFT's JSON.

        Raises:
            GenesisError: another form, no finite gas limit, or keys other than ed25519.
        """
        path = "consensus_params"
        required = {"abci", "block", "evidence", "validator", "version"}
        top = members(value, path, required, {"authority"})
        block = members(top["block"], f"{path}.block", {"max_bytes", "max_gas"})
        evidence = members(
            top["evidence"],
            f"{path}.evidence",
            {"max_age_duration", "max_age_num_blocks", "max_bytes"},
        )
        _check_fixed(top, path)
        params = cls(
            max_bytes=decimal(block["max_bytes"], f"{path}.block.max_bytes", -1, MAX_BLOCK_BYTES),
            max_gas=decimal(block["max_gas"], f"{path}.block.max_gas", 1, MAX_INT64),
            evidence_max_age_blocks=decimal(
                evidence["max_age_num_blocks"], f"{path}.evidence.max_age_num_blocks", 1, MAX_INT64
            ),
            evidence_max_age_ns=decimal(
                evidence["max_age_duration"], f"{path}.evidence.max_age_duration", 1, MAX_INT64
            ),
            evidence_max_bytes=decimal(
                evidence["max_bytes"], f"{path}.evidence.max_bytes", 0, MAX_BLOCK_BYTES
            ),
        )
        check_block_limits(params.max_bytes, params.max_gas)
        return params

    def to_value(self) -> dict[str, Any]:
        """CometBFT's JSON values."""
        return {
            "abci": {"vote_extensions_enable_height": "0"},
            "block": {"max_bytes": str(self.max_bytes), "max_gas": str(self.max_gas)},
            "evidence": {
                "max_age_duration": str(self.evidence_max_age_ns),
                "max_age_num_blocks": str(self.evidence_max_age_blocks),
                "max_bytes": str(self.evidence_max_bytes),
            },
            "validator": {"pub_key_types": [KEY_TYPE]},
            "version": {"app": "0"},
        }

    def to_message(self) -> Any:
        """The protobuf form that the engine sends."""
        seconds, nanos = divmod(self.evidence_max_age_ns, _SECOND_NS)
        name = "tendermint.types.{}".format
        return protobuf.new(
            name("ConsensusParams"),
            block=protobuf.new(name("BlockParams"), max_bytes=self.max_bytes, max_gas=self.max_gas),
            evidence=protobuf.new(
                name("EvidenceParams"),
                max_age_num_blocks=self.evidence_max_age_blocks,
                max_age_duration=protobuf.new(
                    "google.protobuf.Duration", seconds=seconds, nanos=nanos
                ),
                max_bytes=self.evidence_max_bytes,
            ),
            validator=protobuf.new(name("ValidatorParams"), pub_key_types=[KEY_TYPE]),
            version=protobuf.new(name("VersionParams")),
            abci=protobuf.new(name("ABCIParams")),
        )


def check_block_limits(max_bytes: int, max_gas: int) -> None:
    """Refuse limits under which the application cannot keep its promises.

    Raises:
        GenesisError: a block without a finite gas limit, or with no room.
    """
    if max_bytes == 0 or not -1 <= max_bytes <= MAX_BLOCK_BYTES:
        raise GenesisError(f"block.max_bytes must be -1, or 1 to {MAX_BLOCK_BYTES}")
    if max_gas < 1:
        raise GenesisError("block.max_gas must be finite and at least 1")


def _check_fixed(top: Any, path: str) -> None:
    validator = members(top["validator"], f"{path}.validator", {"pub_key_types"})
    if validator["pub_key_types"] != [KEY_TYPE]:
        raise GenesisError(f"{path}.validator.pub_key_types must be [{KEY_TYPE!r}]")
    abci = members(top["abci"], f"{path}.abci", {"vote_extensions_enable_height"})
    if abci["vote_extensions_enable_height"] != "0":
        raise GenesisError(f"{path}.abci: vote extensions are not used")
    version = members(top["version"], f"{path}.version", (), {"app"})
    decimal(version.get("app", "0"), f"{path}.version.app", 0, 0)
    # CometBFT 0.39 and 0.40 add this member when they show a genesis that lacks it
    if top.get("authority", {"authority": ""}) != {"authority": ""}:
        raise GenesisError(f"{path}.authority must be empty")
