"""What the command line and the network both call things; cheap to import."""

from typing import Final

INTEL: Final = "intel"
FAUCET: Final = "faucet"
COMETBFT: Final = "cometbft"
APP: Final = "app"
PARTS: Final = (APP, "enclave", "judge", COMETBFT)
"""The processes of one node."""
MAX_NODES: Final = 32
