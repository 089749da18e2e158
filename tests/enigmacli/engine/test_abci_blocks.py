"""An embedded chain's blocks over the ABCI socket: the same application, the same hashes."""

from dataclasses import replace
from pathlib import Path

from enigmacli.abci.listening import listen_in
from enigmacli.abci.server import AbciServer
from enigmacli.engine.app_connection import AppConnection
from enigmacli.engine.chain import Chain
from enigmacli.engine.cometbft import BlockWatch
from enigmacli.engine.events import BlockCommitted, NodeEvent
from tests.enigmacli.app.chain import CHAIN_ID
from tests.enigmacli.engine.memory_source import MemorySource, make_follower
from tests.enigmacli.engine.test_real_application import RealKit, grown
from tests.simulators.abci_client import AbciClient


def test_an_embedded_chains_blocks_give_the_same_app_hashes_over_the_socket(
    tmp_path: Path,
) -> None:
    kit, other = grown(), RealKit()
    seen: list[NodeEvent] = []
    failures: list[Exception] = []
    server = AbciServer(
        BlockWatch(other.app.handle, seen.append).handle,
        listen_in(tmp_path, "abci.sock"),
        failures.append,
    )
    server.start()
    try:
        with AbciClient(tmp_path, "abci.sock") as client:
            other.chain = Chain(
                other.genesis, other.store, AppConnection(client.exchange), other.events.append
            )
            source = MemorySource(kit, chain_id=CHAIN_ID)  # type: ignore[arg-type]
            _, follower = make_follower(source, other)  # type: ignore[arg-type]
            follower.step()
    finally:
        server.close()

    assert failures == []
    assert other.chain.state == kit.chain.state
    assert other.state.meta == kit.state.meta
    made = [event for event in kit.events if isinstance(event, BlockCommitted)]
    assert [replace(event) for event in made] == seen
