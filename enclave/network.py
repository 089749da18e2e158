"""What makes a network this network: chain id and policy (protocol.md section 2)."""

import hashlib
import re
import struct
from typing import Final

from enclave.errors import CallError

_DOMAIN: Final = b"enigma/network/v1"
_CHAIN_ID: Final = re.compile(r"[a-z0-9-]{1,50}", re.ASCII)


def check_chain_id(chain_id: str) -> None:
    """Refuse what is not 1 to 50 of ``[a-z0-9-]`` (protocol.md section 6).

    Raises:
        CallError: ``chain_id`` has another form.
    """
    if _CHAIN_ID.fullmatch(chain_id) is None:
        raise CallError(
            "the chain id is malformed",
            expected="1 to 50 of a-z, 0-9 and -",
            seen=ascii(chain_id)[:60],
        )


def network_id(chain_id: str, policy_json: bytes) -> bytes:
    """The 32-byte identifier that evidence, seed exchange and sealed state carry.

    Args:
        chain_id: the chain's name.
        policy_json: the policy in canonical JSON.

    Raises:
        CallError: ``chain_id`` is malformed.
    """
    check_chain_id(chain_id)
    name = chain_id.encode("ascii")
    return hashlib.sha256(
        b"".join((_DOMAIN, struct.pack(">H", len(name)), name, policy_json))
    ).digest()
