"""What a running node serves: JSON-RPC in CometBFT's encoding."""
