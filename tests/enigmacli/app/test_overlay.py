from enigmacli.app.overlay import NoState, Overlay


def test_an_overlay_is_read_before_what_it_stands_on() -> None:
    below = Overlay(NoState())
    below.set("bank", b"\x01a", b"old")
    above = Overlay(below)

    above.set("bank", b"\x01a", b"new")

    assert above.get("bank", b"\x01a") == b"new"
    assert below.get("bank", b"\x01a") == b"old"


def test_a_forgotten_overlay_changes_nothing() -> None:
    below = Overlay(NoState())

    Overlay(below).set("bank", b"\x01a", b"new")

    assert below.get("bank", b"\x01a") == b""
    assert not below.changes


def test_stores_do_not_share_keys() -> None:
    state = Overlay(NoState())

    state.set("bank", b"\x01a", b"1")

    assert state.get("register", b"\x01a") == b""


def test_a_scan_sees_changes_in_order_and_not_what_was_deleted() -> None:
    below = Overlay(NoState())
    for name in (b"\x01c", b"\x01a", b"\x02z"):
        below.set("bank", name, b"old")
    above = Overlay(below)
    above.set("bank", b"\x01b", b"new")
    above.delete("bank", b"\x01c")
    above.set("params", b"\x01p", b"elsewhere")

    assert list(above.scan("bank", b"\x01").items()) == [(b"\x01a", b"old"), (b"\x01b", b"new")]


def test_absorbing_keeps_the_order_in_which_keys_were_first_set() -> None:
    below = Overlay(NoState())
    below.set("bank", b"\x01b", b"1")
    above = Overlay(below)
    above.set("bank", b"\x01a", b"2")
    above.set("bank", b"\x01b", b"3")

    below.absorb(above)

    assert list(below.changes.items()) == [(("bank", b"\x01b"), b"3"), (("bank", b"\x01a"), b"2")]


def test_deleting_what_is_absent_is_no_change() -> None:
    state = Overlay(NoState())

    state.delete("bank", b"\x01a")

    assert not state.changes
