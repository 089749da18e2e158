"""A local network of real processes: a simulated Intel, a first node, and nodes that join it.

Everything is a command that a person could type, run in a folder that a later command takes
up: what runs is known by locks that the processes themselves hold, so a killed ``up`` leaves
nothing that the next one, or ``down``, does not find.
"""
