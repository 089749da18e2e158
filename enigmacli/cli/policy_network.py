"""The chain behind ``--node``, as ``policy what-if`` asks it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from enigmacli.app.genesis import GenesisDocument
from enigmacli.chain.blocks import Header
from enigmacli.cli import network
from enigmacli.cli.context import Services
from enigmacli.errors import TrustExpiredError
from enigmacli.policy_what_if import Network

if TYPE_CHECKING:
    from enigmacli.chain.light_client import LightClient


@dataclass(frozen=True, slots=True)
class VerifiedHeaders:
    """Headers of any height that trust leads to."""

    light: "LightClient | None"
    """None where this home has nothing to verify from."""
    lowest: int
    """Below this height nothing can be verified."""

    def header(self, height: int) -> Header | None:
        """The verified header of a height; None where nothing leads to it.

        Raises:
            UntrustedAnswerError: what the node gives is not the chain's.
        """
        if self.light is None or height < self.lowest:
            return None
        try:
            return self.light.at(height).header
        except TrustExpiredError:
            return None


def asked_network(services: Services) -> Network:
    """The network of this home, or without a home the one that the node says it is of.

    Raises:
        ConfigError: the node is of another network than this home.
        GenesisError: a genesis document is malformed.
        ServiceUnavailableError: the node did not answer.
    """
    light, lowest = network.light_from_the_root(services)
    owned = services.has_genesis
    genesis = services.genesis if owned else GenesisDocument.from_value(services.rpc().genesis())
    return Network(
        genesis=genesis,
        listing=services.queries(),
        records=network.connect(services) if owned else network.proving(services),
        blocks=services.rpc(),
        headers=VerifiedHeaders(light, lowest),
        proves=owned and light is not None,
    )
