"""Commands under the names of the peer's program, each a thin second name for a flow of ours.

Which names there are, and which are refused and why: :mod:`enigmacli.cli.peer.names`.
docs/migrating.md tells operators what is different.
"""
