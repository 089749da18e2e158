"""How much room a transaction takes in a block."""

from enigmacli.chain.merkle import uvarint

_TAG_BYTES = 1  # Data.txs = 1


def proto_size(length: int) -> int:
    """Bytes of a transaction of ``length`` bytes within ``tendermint.types.Data``."""
    return _TAG_BYTES + len(uvarint(length)) + length
