"""What orders transactions: the embedded producer, the follower, and the gate around the app.

The application is driven with the bytes of ABCI requests and nothing else, so that a real
CometBFT sees the same program. Blocks, commits and stored data are CometBFT 0.38's.
"""
