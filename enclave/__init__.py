"""The trusted side: the only code that ever holds the network's secrets.

It runs as a process of its own (:mod:`enclave.__main__`) and is reached through
:mod:`enclave.client` only.
"""
