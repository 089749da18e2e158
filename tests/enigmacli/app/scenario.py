"""A small life of a chain; run as a program it prints the app hashes, one a line."""

from tests.enigmacli.app.chain import ALICE, BOB, CAROL, DAVE, EXCHANGE_PK, Chain, genesis


def live() -> Chain:
    """Registers, transfers, votes and failures over several blocks."""
    chain = Chain(genesis({ALICE: 10, BOB: 1})).start()
    stranger = bytes(range(20))
    chain.produce([chain.register(CAROL), chain.send(ALICE, stranger, 5), chain.register(DAVE)])
    chain.decide([])
    raw = chain.register(BOB)
    chain.decide([chain.vote(ALICE, CAROL, 4), raw, b"rubbish", chain.send(DAVE, BOB, 10**12)])
    chain.produce([chain.register(CAROL), chain.vote(BOB, ALICE, 9, node_id=EXCHANGE_PK)])
    chain.produce([chain.send(CAROL, DAVE, 1), chain.send(CAROL, BOB, 2, after=1)])
    chain.decide([chain.vote(ALICE, BOB, 0), chain.vote(CAROL, BOB, 0), *chain.prepare([raw])])
    return chain


if __name__ == "__main__":
    print("\n".join(app_hash.hex() for app_hash in live().app_hashes))  # noqa: T201 -- its output
