"""Forgetting what the judgement remembers between two cases."""

import sys


def forget() -> None:
    """Empty every cache of the trusted side's formats, verification and appraisal."""
    for name, module in list(sys.modules.items()):
        if name.startswith(("enclave.evidence", "enclave.verify", "enclave.appraise")):
            for value in vars(module).values():
                clear = getattr(value, "cache_clear", None)
                if callable(clear) and getattr(value, "__module__", "") == name:
                    clear()
