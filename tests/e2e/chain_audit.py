"""What must hold of every block: each registration with its one right confirm, and no other."""

from dataclasses import dataclass, field

from enigmacli.chain.answers import BlockResults
from enigmacli.chain.rpc import RpcClient
from enigmacli.chain.tx import decode_tx, is_confirm, parse_confirm, tx_hash


@dataclass
class Audit:
    """What a chain says, as one node tells it, up to a height."""

    height: int = 0
    registrations: dict[bytes, int] = field(default_factory=dict)
    """Height by the hash of each registration that was carried out."""
    app_hashes: dict[int, bytes] = field(default_factory=dict)
    """Of the node's state after each height that had transactions."""
    rounds: dict[int, int] = field(default_factory=dict)
    """In which round each height was decided, but for the last one."""
    seeds: dict[bytes, bytes] = field(default_factory=dict)
    """The encrypted seed of each node, the same in all its confirms."""
    faults: list[str] = field(default_factory=list)
    """What does not hold; empty is good."""

    def read_on(self, url: str) -> None:
        """Read the blocks that a node has above the height that was read so far."""
        with RpcClient(url) as node:
            for height in range(self.height + 1, node.abci_info().last_block_height + 1):
                block = node.block(height).block
                self.rounds[height - 1] = block.last_commit.round
                if block.txs:
                    results = node.block_results(height)
                    self.app_hashes[height] = results.app_hash
                    _audit_block(self, height, list(block.txs), results)
                self.height = height


def _audit_block(found: Audit, height: int, txs: list[bytes], results: BlockResults) -> None:
    codes = [result.code for result in results.tx_results]
    for place, raw in enumerate(txs):
        if is_confirm(raw):
            if place == 0 or not _registers(txs[place - 1]) or codes[place]:
                found.faults.append(f"height {height}: a confirm without its registration")
        elif _registers(raw):
            _audit_pair(found, height, txs[place : place + 2], codes[place])


def _audit_pair(found: Audit, height: int, pair: list[bytes], code: int) -> None:
    if code or len(pair) == 1 or not is_confirm(pair[1]):
        found.faults.append(f"height {height}: a registration without its confirm, code {code}")
        return
    register, confirm = pair[0], parse_confirm(pair[1])
    if confirm.register_tx_hash != tx_hash(register):
        found.faults.append(f"height {height}: a confirm of another registration")
    known = found.seeds.setdefault(confirm.node_id, confirm.encrypted_seed)
    if known != confirm.encrypted_seed:
        found.faults.append(f"height {height}: another seed for {confirm.node_id.hex()}")
    found.registrations[tx_hash(register)] = height


def _registers(raw: bytes) -> bool:
    return not is_confirm(raw) and decode_tx(raw).register is not None


def compare(audits: dict[str, Audit]) -> list[str]:
    """Where two nodes tell different app hashes of one height."""
    faults = []
    seen: dict[int, tuple[str, bytes]] = {}
    for name, one in audits.items():
        for height, app_hash in one.app_hashes.items():
            other, expected = seen.setdefault(height, (name, app_hash))
            if app_hash != expected:
                faults.append(f"height {height}: {other} and {name} have different app hashes")
    return faults
