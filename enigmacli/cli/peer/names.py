"""The peer's names: what each is here. Tables only, since ``--help`` reads them."""

from collections.abc import Sequence
from typing import Final

ALIASES: Final = {
    "q": "query",
    "add-genesis-account": "genesis add-account",
    "auto-register": "join",
    "config get client": "config",
    "config set client": "config",
    "genesis add-genesis-account": "genesis add-account",
    "genesis validate-genesis": "genesis validate",
    "reset-enclave": "enclave reset",
    "validate-genesis": "genesis validate",
}
"""Words of the peer -> our words, in the place of which they may be typed."""

PEER_COMMANDS: Final = (
    "init-enclave",
    "parse",
    "dump",
    "init-bootstrap",
    "configure-secret",
    "check-enclave",
)
"""Names with a module of their own, ``enigmacli.cli.peer.<name>``, that holds ``command``."""

_FIRST_VALIDATOR: Final = "leave it out: init-bootstrap makes this node the first validator"
_MORE_VALIDATORS: Final = "enigmacli tx validator set: operators vote, nothing is staked"
_CONTRACTS: Final = "there are no contracts here"
_NODE_KEYS: Final = "init prints the peer id and the validator key; so does /status of a node"
_BY_MEASUREMENT: Final = "another measurement is another network, which nodes join anew"
_REST: Final = "query the node itself: --node URL"

NOT_HERE: Final = {
    "collect-gentxs": _FIRST_VALIDATOR,
    "comet": _NODE_KEYS,
    "emergency_approve_upgrade": _BY_MEASUREMENT,
    "genesis collect-gentxs": _FIRST_VALIDATOR,
    "genesis gentx": _FIRST_VALIDATOR,
    "gentx": _FIRST_VALIDATOR,
    "migrate_op": _BY_MEASUREMENT,
    "query compute": _CONTRACTS,
    "query staking": "enigmacli query register nodes",
    "rest-server": _REST,
    "tendermint": _NODE_KEYS,
    "tx compute": _CONTRACTS,
    "tx staking": _MORE_VALIDATORS,
    "unsafe-reset-all": "make a new home with --home DIR; keys are never deleted",
}
"""Words of the peer that mean nothing here -> what there is instead."""

LISTED: Final = tuple(
    sorted([*PEER_COMMANDS, *(words for words in ALIASES if " " not in words)]),
)
"""The names that ``--help`` tells."""

_MOST_WORDS: Final = 3


def translate(words: Sequence[str]) -> list[str]:
    """``words`` with those of the peer at their beginning replaced by ours."""
    for count in range(_MOST_WORDS, 0, -1):
        ours = ALIASES.get(" ".join(words[:count])) if len(words) >= count else None
        if ours is not None:
            return [*ours.split(), *words[count:]]
    return list(words)


def refused(words: Sequence[str]) -> str | None:
    """Those of ``words``, from the first on, that :data:`NOT_HERE` knows."""
    joined = (" ".join(words[:count]) for count in (1, 2) if len(words) >= count)
    return next((one for one in joined if one in NOT_HERE), None)
