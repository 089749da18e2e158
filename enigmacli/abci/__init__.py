"""The ABCI socket protocol: framing and messages, for an engine in another process."""
