"""The program's own node with a proposer that forges: ``python -m tests.e2e.forging_node LOG …``.

Nothing of the product knows of this: the application's answers are changed on their way out.
What was forged goes to LOG, one document a line. The forger votes for every proposal, its own
above all. The arguments behind LOG are those of the program.
"""

import itertools
import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from enigmacli import protobuf
from enigmacli.app.application import Application
from enigmacli.chain.tx import encode_confirm, is_confirm, parse_confirm
from enigmacli.cli import main

_ACCEPT = 1


def altered(pair: list[bytes]) -> list[bytes]:
    """One bit of the encrypted seed is another one."""
    register, raw = pair
    confirm = parse_confirm(raw)
    seed = confirm.encrypted_seed
    forged = replace(confirm, encrypted_seed=seed[:-1] + bytes([seed[-1] ^ 1]))
    return [register, encode_confirm(forged)]


def omitted(pair: list[bytes]) -> list[bytes]:
    return pair[:1]


def reordered(pair: list[bytes]) -> list[bytes]:
    return pair[::-1]


def duplicated(pair: list[bytes]) -> list[bytes]:
    return [*pair, pair[1]]


FORGERIES: dict[str, Callable[[list[bytes]], list[bytes]]] = {
    forge.__name__: forge for forge in (altered, omitted, reordered, duplicated)
}


def forging(log: Path) -> Callable[[Application, bytes], bytes]:
    """An application's ``handle`` that changes every proposal that admits somebody.

    Args:
        log: told the kind, another one each time, and the height.
    """
    kinds = itertools.cycle(FORGERIES)
    honest = Application.handle

    def handle(application: Application, request: bytes) -> bytes:
        asked = protobuf.parse("tendermint.abci.Request", request)
        kind = asked.WhichOneof("value")
        if kind == "process_proposal":
            return answer(process_proposal={"status": _ACCEPT})
        told = honest(application, request)
        if kind != "prepare_proposal":
            return told
        txs = list(protobuf.parse("tendermint.abci.Response", told).prepare_proposal.txs)
        places = [place for place, raw in enumerate(txs) if is_confirm(raw)]
        if not places:
            return told
        name, pair = next(kinds), slice(places[0] - 1, places[0] + 1)
        txs[pair] = FORGERIES[name](txs[pair])
        with log.open("a") as lines:
            height = asked.prepare_proposal.height
            lines.write(json.dumps({"kind": name, "height": height}) + "\n")
        return answer(prepare_proposal={"txs": txs})

    return handle


def answer(**value: Any) -> bytes:
    return bytes(protobuf.new("tendermint.abci.Response", **value).SerializeToString())


if __name__ == "__main__":
    Application.handle = forging(Path(sys.argv.pop(1)))  # type: ignore[assignment, method-assign]
    main()
