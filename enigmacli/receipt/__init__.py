"""The join receipt: a file that shows, without asking anybody, that a network admitted a node.

:mod:`~enigmacli.receipt.document` is its form, :mod:`~enigmacli.receipt.verification` says
what it proves, :mod:`~enigmacli.receipt.collection` asks a node for what goes into it.
"""
