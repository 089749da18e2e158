"""The untrusted side: commands, chain client, replicated application and services.

Nothing in this package ever sees a plaintext seed or a private exchange key.
"""
