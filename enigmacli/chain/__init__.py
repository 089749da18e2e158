"""The client side of the chain: addresses, transactions, blocks, proofs, light verification, RPC.

:mod:`~enigmacli.chain.light`, :mod:`~enigmacli.chain.merkle` and everything that they use
are pure; only :mod:`~enigmacli.chain.rpc` touches the network.
"""
