"""Options of ``start`` under the peer's names: each sets what our option sets, or is refused."""

from typing import Final

import click

from enigmacli.cli.context import Services
from enigmacli.cli.options import Decorator, F
from enigmacli.cli.peer.refusals import refused_option

SAME: Final = {
    ("--rpc.laddr",): "rpc.listen",
    ("--p2p.laddr",): "p2p.listen",
    ("--p2p.external-address", "--p2p.external_address"): "p2p.external_address",
    ("--p2p.persistent_peers", "--persistent_peers"): "p2p.persistent_peers",
    ("--p2p.seeds",): "p2p.seeds",
    ("--moniker",): "node.moniker",
    ("--log_level", "--log-level"): "cometbft.log_level",
}
"""The peer's option -> the configuration key that it overrides."""

REFUSED: Final = {
    ("--minimum-gas-prices",): "the least price is the policy's, min_gas_price",
    ("--pruning",): "every block and the newest state are kept",
}
"""The peer's option -> what there is instead."""


def peer_start_options(function: F) -> F:
    """The peer's options, which ``--help`` does not show."""
    for names, key in SAME.items():
        function = _same(*names, key=key)(function)
    for names, hint in REFUSED.items():
        function = refused_option(*names, hint=hint)(function)
    return function


def _same(*names: str, key: str) -> Decorator:
    """An option that overrides ``key``; an address may begin with ``tcp://``."""

    def remember(ctx: click.Context, _: click.Parameter, value: str | None) -> None:
        if value is not None:
            ctx.ensure_object(Services).override(key, value.removeprefix("tcp://"))

    # a name with a dot in it is none to click, so the parameter gets another one
    named = "peer_" + key.replace(".", "_")
    return click.option(*names, named, hidden=True, expose_value=False, callback=remember)
