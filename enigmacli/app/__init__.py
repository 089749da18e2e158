"""The replicated state machine: what every node of a network computes alike.

Pure: no clock, environment, randomness, network or logging. Blocks and time come in as
ABCI requests, evidence is judged behind the ports of :mod:`enigmacli.app.ports`, and what is
worth a log line goes out as a typed reason.
"""
