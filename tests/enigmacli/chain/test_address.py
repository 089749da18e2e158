"""Addresses: BIP-173's rules, and two accounts known from other wallets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enigmacli.chain import address
from enigmacli.chain.address import address_of, decode_address, encode_address
from enigmacli.errors import MalformedError

PUBLIC_KEY = bytes.fromhex("024f4e2ad99c34d60b9ba6283c9431a8418af8673212961f97a77b6377fcd05b62")
ADDRESS = "enigma19rl4cm2hmr8afy4kldpxz3fka4jguq0adg5p6h"


def test_the_account_of_a_known_key_is_the_known_address() -> None:
    assert encode_address("enigma", address_of(PUBLIC_KEY)) == ADDRESS


@given(st.binary(min_size=20, max_size=20), st.from_regex(r"[a-z]{1,20}", fullmatch=True))
def test_reading_an_address_gives_what_was_written(account: bytes, prefix: str) -> None:
    assert decode_address(encode_address(prefix, account), prefix) == account


def test_upper_case_is_the_same_address() -> None:
    assert decode_address(ADDRESS.upper()) == decode_address(ADDRESS)


def test_mixed_case_is_refused() -> None:
    with pytest.raises(MalformedError, match="mixes upper and lower case"):
        decode_address(ADDRESS[:-1] + ADDRESS[-1].upper())


@pytest.mark.parametrize("at", [0, 3, 7, 20, len(ADDRESS) - 1])
def test_one_exchanged_character_is_refused(at: int) -> None:
    other = "q" if ADDRESS[at] != "q" else "p"

    with pytest.raises(MalformedError, match="wrong checksum"):
        decode_address(ADDRESS[:at] + other + ADDRESS[at + 1 :])


def test_another_prefix_is_refused_with_both_names() -> None:
    with pytest.raises(MalformedError, match="has prefix enigma, not secret") as caught:
        decode_address(ADDRESS, "secret")

    assert caught.value.details == {"expected": "secret", "seen": "enigma"}


@pytest.mark.parametrize("text", ["", "enigma", "1", "enigma1", "1qqqqqqqqqq", "enigma1qqqqq"])
def test_what_is_too_short_is_refused(text: str) -> None:
    with pytest.raises(MalformedError):
        decode_address(text)


def test_characters_outside_of_bech32_are_refused() -> None:
    with pytest.raises(MalformedError, match="outside of bech32"):
        decode_address(ADDRESS[:-3] + "b1o"[1:] + "i")


def test_a_known_address_of_bip_173_is_read() -> None:
    account = decode_address("abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw", "abcdef")

    assert account.hex() == "00443214c74254b635cf84653a56d7c675be77df"


# BIP-173 test vectors: valid bech32, but of no account
@pytest.mark.parametrize(
    "text",
    [
        "a12uel5l",
        "split1checkupstagehandshakeupstreamerranterredcaperred2y9e3w",
    ],
)
def test_valid_bech32_of_another_length_is_no_address(text: str) -> None:
    with pytest.raises(MalformedError, match=r"holds \d+ bytes, not 20|bad padding"):
        decode_address(text)


def test_bits_that_belong_to_no_byte_are_refused() -> None:
    symbols = [0] * 33
    text = "".join(
        address._CHARSET[symbol] for symbol in symbols + address._checksum("enigma", symbols)
    )

    with pytest.raises(MalformedError, match="bad padding"):
        decode_address(f"enigma1{text}")


def test_longer_than_ninety_characters_is_refused() -> None:
    with pytest.raises(MalformedError, match="too long"):
        decode_address("an84characterslonghumanreadablepartthatcontainsthenumber1" + "q" * 40)


@pytest.mark.parametrize("size", [0, 19, 21, 32])
def test_only_twenty_bytes_become_an_address(size: int) -> None:
    with pytest.raises(MalformedError, match="an address is 20 bytes"):
        encode_address("enigma", bytes(size))


@pytest.mark.parametrize("prefix", ["", "Enigma", "a b", "é", "a" * 84])
def test_a_prefix_that_bech32_forbids_is_refused(prefix: str) -> None:
    with pytest.raises(MalformedError, match="prefix must be"):
        encode_address(prefix, bytes(20))


@given(st.text(max_size=100))
def test_any_text_is_an_address_or_malformed(text: str) -> None:
    try:
        account = decode_address(text)
    except MalformedError:
        return
    assert len(account) == 20
