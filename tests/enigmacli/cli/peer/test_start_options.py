from typing import Any

import click
import pytest

from enigmacli.cli import start
from enigmacli.cli.context import Services
from enigmacli.cli.peer.start_options import REFUSED, SAME

VALUES = {
    "rpc.listen": "127.0.0.1:5",
    "p2p.listen": "0.0.0.0:6",
    "p2p.external_address": "node.example:7",
    "p2p.persistent_peers": f"{'a' * 40}@node.example:8",
    "p2p.seeds": f"{'b' * 40}@node.example:9",
    "node.moniker": "alpha",
    "cometbft.log_level": "info",
}


@pytest.mark.parametrize(("option", "key"), [(one, SAME[names]) for names in SAME for one in names])
@pytest.mark.parametrize("scheme", ["", "tcp://"])
def test_an_option_of_the_peer_sets_what_ours_sets(option: str, key: str, scheme: str) -> None:
    services = Services(environ={})

    parsed = start.command.make_context("start", [option, scheme + VALUES[key]], obj=services)

    assert isinstance(parsed, click.Context)
    assert dict(services.config.values())[key] == VALUES[key]
    changed = {name for name, origin in services.config.origins.items() if str(origin) == "flag"}
    assert changed == {key}


@pytest.mark.parametrize("option", [one for names in REFUSED for one in names])
def test_an_option_without_a_meaning_here_is_refused(program: Any, option: str) -> None:
    refused = program("start", option, "1", "-o", "json")

    assert refused.code == 2
    assert refused.error["message"] == f"{option} is not possible here"
    assert refused.error["hint"]


def test_help_shows_our_options_only(program: Any) -> None:
    shown = program("start", "--help").out

    assert "--rpc-listen" in shown
    assert "laddr" not in shown
