"""Account keys: made from BIP-39 words, kept one to a file, used for signing transactions.

They hold money and the right to own registered nodes, never the network's secret, which
only the enclave sees.
"""

from enigmacli.keyring.derivation import (
    PrivateKey,
    RecoveryPhrase,
    generate_phrase,
    parse_phrase,
)
from enigmacli.keyring.keyring import BACKENDS, AccountKey, Keyring

__all__ = [
    "BACKENDS",
    "AccountKey",
    "Keyring",
    "PrivateKey",
    "RecoveryPhrase",
    "generate_phrase",
    "parse_phrase",
]
