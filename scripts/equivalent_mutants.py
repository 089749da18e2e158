# ruff: noqa: INP001 -- a part of a program, in no package
"""Mutants that no test can kill, and why: by name, as ``scripts/mutants.py --list`` shows it."""

from types import MappingProxyType

EQUIVALENT = MappingProxyType[str, str]({})
