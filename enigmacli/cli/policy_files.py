"""The policy in a file: its own JSON, or that of a genesis document."""

import json
from typing import Final

from enclave import canonical_json
from enclave.appraise.policy import Policy
from enigmacli.cli import inputs
from enigmacli.errors import ConfigError
from enigmacli.policy_check import Reading, read_policy

_MAX_BYTES: Final = 64 * 1024 * 1024
"""Of a genesis document; a policy is much shorter."""


def read_file(name: str) -> Reading:
    """The policy in the file ``name`` (``-``: standard input), or all that is wrong with it.

    Raises:
        ConfigError: it is a genesis document without a policy.
        StorageError: it cannot be read.
    """
    return read_policy(_policy_bytes(name))


def load_policy(name: str) -> Policy:
    """The policy in the file ``name`` (``-``: standard input).

    Raises:
        PolicyFormatError: it is malformed.
        ConfigError: it is a genesis document without a policy.
        StorageError: it cannot be read.
    """
    return Policy.parse_any_layout(_policy_bytes(name))


def _policy_bytes(name: str) -> bytes:
    data = inputs.read_input(name, _MAX_BYTES)
    if b'"app_state"' not in data:
        return data
    try:
        document = canonical_json.loads(data, max_bytes=_MAX_BYTES)
    except ValueError:
        return data  # whoever reads it as a policy says what is wrong
    if not isinstance(document, dict) or "app_state" not in document:
        return data
    state = document["app_state"]
    register = state.get("register") if isinstance(state, dict) else None
    if not isinstance(register, dict) or "params" not in register:
        raise ConfigError(
            f"the genesis document in {name} has no policy", hint="genesis set-policy FILE"
        )
    return json.dumps(register["params"]).encode()
