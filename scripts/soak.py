"""Four validators under random kills: `python -m scripts.soak`.

Every few seconds one process of one validator is killed -9, now and then all validators at once,
while registrations keep coming; what ended is started again. Afterwards every node's whole
chain is read. The last lines sum up; exit 1 if anything did not hold. The seed is printed.
"""

# ruff: noqa: INP001 -- a module to run, in no package

import argparse
import collections
import functools
import random
import statistics
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from enigmacli.chain.queries import Queries
from enigmacli.chain.rpc import RpcClient
from tests.e2e.chain_audit import Audit, compare
from tests.e2e.cometbft import cometbft
from tests.e2e.localnet import LocalNetwork, Registrar

PARTS = ("app", "enclave", "judge", "cometbft")
_ALL_SHARE = 0.05
_DOWN_S = (0.0, 4.0)
"""How long what was killed stays down."""
_RECOVERY_S = 300.0
"""How long all nodes together may need to start again in the end."""


@dataclass
class Traffic:
    """Registrations that keep coming, one after the other for each node that may send them."""

    network: LocalNetwork
    generator: random.Random
    included: list[tuple[str, int]] = field(default_factory=list)
    """Node and height of each one that a block held."""
    seconds: list[float] = field(default_factory=list)
    """From sending to the block, of each of these."""
    unknown: int = 0
    """How often it is not known what came of one, since a node was down."""
    faults: list[str] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def start(self) -> None:
        """Begin, with one thread for each node that joined."""
        for name in list(self.network.urls)[1:]:
            thread = threading.Thread(target=self._run, args=(name,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def stop(self) -> None:
        """End, when what is under way is done."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _run(self, name: str) -> None:
        registrar = Registrar(self.network, name)
        urls = list(self.network.urls.values())
        while not self._stop.wait(0.2):
            started = time.monotonic()
            try:
                height = registrar.try_to_renew(self.generator.choice(urls))
            except Exception as error:  # noqa: BLE001 -- a thread that ends unheard proves nothing
                self.faults.append(f"a registration of {name} failed: {error!r}")
                continue
            if height is None:
                self.unknown += 1
            else:
                self.included.append((name, height))
                self.seconds.append(time.monotonic() - started)


def main() -> int:
    """Kill for as long as asked; 1 if anything does not hold afterwards."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--every-s", type=float, default=10.0, help="pause between two kills")
    parser.add_argument("--nodes", type=int, default=4)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 10**6)
    options = parser.parse_args()
    _say(f"seed {options.seed}")
    generator = random.Random(options.seed)  # noqa: S311 -- replayed
    with tempfile.TemporaryDirectory(prefix="enigma-soak-") as name:
        network = LocalNetwork(Path(name) / "net")
        try:
            started = time.monotonic()
            network.command("up", "-n", str(options.nodes), "--engine", "cometbft",
                            "--cometbft", cometbft())  # fmt: skip
            _say(f"{options.nodes} validators after {time.monotonic() - started:.0f} s")
            traffic = Traffic(network, generator)
            traffic.start()
            kills = _kill_for(network, generator, options.minutes * 60, options.every_s)
            traffic.stop()
            return _judge(network, traffic, kills)
        finally:
            network.command("down")


def _kill_for(
    network: LocalNetwork, generator: random.Random, seconds: float, every_s: float
) -> collections.Counter[str]:
    """Kill, and start again what ended, until the time is over; how often each was killed."""
    kills: collections.Counter[str] = collections.Counter()
    names, deadline = list(network.urls), time.monotonic() + seconds
    while time.monotonic() < deadline:
        following = time.monotonic() + every_s
        everyone = generator.random() < _ALL_SHARE
        part = "app" if everyone else generator.choice(PARTS)
        victims = names if everyone else [generator.choice(names)]
        _say(f"{time.strftime('%H:%M:%S')}  kill {part} of {' '.join(victims)}")
        with ThreadPoolExecutor(len(victims)) as together:
            killed = together.map(functools.partial(_kill, network, part), victims)
            kills["all at once" if everyone else part] += any(killed)
        time.sleep(generator.uniform(*_DOWN_S))
        network.succeeds("restart")  # one that is too slow today is started the next time
        time.sleep(max(0.0, following - time.monotonic()))
    return kills


def _kill(network: LocalNetwork, part: str, name: str) -> bool:
    return network.succeeds("kill", name, "--process", part)


def _judge(network: LocalNetwork, traffic: Traffic, kills: collections.Counter[str]) -> int:
    deadline = time.monotonic() + _RECOVERY_S
    while not network.succeeds("restart"):
        if time.monotonic() > deadline:
            _say(f"FAULT not all nodes have started: {network.nodes()}")
            return 1
        _say("not all nodes have started; once more")
    network.wait_for_blocks(network.urls)
    network.app_hash(network.urls)
    audits = {name: Audit() for name in network.urls}
    for name, one in audits.items():
        one.read_on(network.urls[name])
    first = audits["node1"]
    faults = [*traffic.faults, *compare(audits), *_lost(network, traffic, first)]
    if not kills.total() or not traffic.included:
        faults.append("nothing was killed, or nothing was registered: this run proves nothing")
    for name, one in audits.items():
        faults += [f"{name}: {fault}" for fault in one.faults]
        faults += [f"{name}: {event['text']}" for event in network.events(name)
                   if event["event"] == "alarm"]  # fmt: skip
    for part, count in sorted(kills.items()):
        _say(f"{count:5d}  killed: {part}")
    later = sum(1 for decided in first.rounds.values() if decided > 0)
    _say(f"{first.height:5d}  blocks, {later} of them decided in a later round")
    _say(f"{len(first.registrations):5d}  registrations in blocks, each with its right confirm")
    _say(f"{traffic.unknown:5d}  sent and not followed up, since a node was down")
    if traffic.seconds:
        _say(
            f"{statistics.median(traffic.seconds):5.1f}  seconds from sending to the block, median"
        )
    for fault in faults:
        _say(f"FAULT {fault}")
    _say(f"{kills.total()} kills, {len(faults)} faults")
    return 1 if faults else 0


def _lost(network: LocalNetwork, traffic: Traffic, chain: Audit) -> list[str]:
    """Registrations that a block held and the chain or the state does not know any more."""
    held = collections.Counter(chain.registrations.values())
    # a node that lags makes the same transaction once more, which is found where it stands
    seen = collections.Counter(height for _, height in set(traffic.included))
    faults = [f"{count} of the registrations at height {height} are gone"
              for height, count in sorted((seen - held).items())]  # fmt: skip
    with RpcClient(network.urls["node1"]) as node:
        records = {record.node_id: record for record in Queries(node).nodes()}
    for node_id, seed in chain.seeds.items():
        record = records.get(node_id)
        if record is None or record.encrypted_seed != seed:
            faults.append(f"the state does not hold the seed of {node_id.hex()}")
    return faults


def _say(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
