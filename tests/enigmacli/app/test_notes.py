"""What a node remembers about waiting registers: counted for the height it proposed."""

from enigmacli.app.notes import Note, RegisterNotes

ONE, OTHER = b"one", b"other"
LATER = 1_800_000_000 * 1_000_000


def notes(*hashes: bytes) -> RegisterNotes:
    made = RegisterNotes()
    for tx_hash in hashes:
        made.add(tx_hash, Note(first_seen=4, node_id=bytes(32), valid_until_us=LATER))
    return made


def misses(made: RegisterNotes, tx_hash: bytes) -> int | None:
    note = made.find(tx_hash)
    return None if note is None else note.misses


def test_a_block_without_a_proposed_register_is_a_miss() -> None:
    made = notes(ONE, OTHER)
    made.propose(5, [ONE])

    made.commit(5, [])

    assert (misses(made, ONE), misses(made, OTHER)) == (1, 0)


def test_rounds_of_one_height_count_once_and_together() -> None:
    made = notes(ONE, OTHER)
    made.propose(5, [ONE])
    made.propose(5, [ONE, OTHER])

    made.commit(5, [])

    assert (misses(made, ONE), misses(made, OTHER)) == (1, 1)


def test_a_proposal_for_an_earlier_height_is_no_miss_of_this_one() -> None:
    made = notes(ONE)
    made.propose(5, [ONE])

    made.commit(6, [])

    assert misses(made, ONE) == 0


def test_what_was_proposed_for_an_earlier_height_is_not_carried_over() -> None:
    made = notes(ONE, OTHER)
    made.propose(5, [ONE])
    made.propose(6, [OTHER])

    made.commit(6, [])

    assert (misses(made, ONE), misses(made, OTHER)) == (0, 1)


def test_a_decided_register_is_forgotten() -> None:
    made = notes(ONE)
    made.propose(5, [ONE])

    made.commit(5, [ONE])

    assert misses(made, ONE) is None


def test_a_note_is_kept_for_two_hundred_blocks() -> None:
    made = notes(ONE)

    made.commit(204, [])
    assert misses(made, ONE) == 0
    made.commit(205, [])
    assert misses(made, ONE) is None
