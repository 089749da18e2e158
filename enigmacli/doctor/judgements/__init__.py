"""Judgements: facts in, findings out, one module per group; no clock, no disk, no network.

A fact that is ``None`` was not gathered: what depends on it is then not judged, and the
examination says so once.
"""
