"""``join``: phases 1 to 3 of protocol.md section 1 for one home, in one flow that can be resumed.

What is done is never written down as done: the enclave knows its key and its seed, the home its
files, the chain what it registered. The one thing that none of them can tell, the transaction
that was signed and may be on its way, is noted before it is sent.
"""
