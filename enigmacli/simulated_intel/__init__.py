"""SIMULATION ONLY: a simulated Intel, in the real formats and under roots of its own.

Nothing here proves anything about hardware. Its roots count only in networks whose policy
names them, and such a policy says ``simulation``.
"""
