"""From words to keys: the published vectors of BIP-39 and BIP-32, and accounts of other wallets."""

import pytest

from enigmacli.chain.address import address_of, encode_address
from enigmacli.errors import KeyringError
from enigmacli.keyring import derivation
from enigmacli.keyring.derivation import PrivateKey, RecoveryPhrase, parse_phrase

ABOUT = "abandon " * 11 + "about"
HARDENED = 0x80000000


def test_words_give_the_known_seed() -> None:
    assert derivation.to_seed(parse_phrase(ABOUT)).hex() == (
        "5eb00bbddcf069084889a8ab9155568165f5c453ccb85e70811aaed6f6da5fc1"
        "9a5ac40b389cd370d086206dec8aa6c43daea6690f20ad3d8d48b2d2ce9e38e4"
    )


# BIP-32, test vector 1
@pytest.mark.parametrize(
    ("path", "secret"),
    [
        ((), "e8f32e723decf4051aefac8e2c93c9c5b214313817cdb01a1494b917c8436b35"),
        ((HARDENED,), "edb2e14f9ee77d26dd93b4ecede8d16ed408ce149b6cd80b0715a2d911a0afea"),
        ((HARDENED, 1), "3c6cb8d0f6a264c91ea8b5030fadaa8e538b020f0a387421a12de9319dc93368"),
        (
            (HARDENED, 1, 2 | HARDENED),
            "cbce0d719ecf7431d88e6a89fa1483e02e35092af60c042b1df2ff59fa424dca",
        ),
        (
            (HARDENED, 1, 2 | HARDENED, 2),
            "0f479245fb19a38a1954c5c7c0ebab2f9bdfd96a17563ef28a6a4b1a2a764ef4",
        ),
        (
            (HARDENED, 1, 2 | HARDENED, 2, 1_000_000_000),
            "471b76e389e528d6de6d816857e012c5455051cad6660850e58372a6c3e6e7c8",
        ),
    ],
)
def test_children_are_those_of_bip_32(path: tuple[int, ...], secret: str) -> None:
    assert derivation.derive(bytes(range(16)), path).hex() == secret


# BIP-32, test vector 4: a private key that begins with a zero byte
def test_leading_zeros_are_kept() -> None:
    seed = bytes.fromhex("3ddd5602285899a946114506157c7997e5444528f3003f6134712147db19b678")

    assert derivation.derive(seed, (HARDENED,)).hex() == (
        "00d948e9261e41362a688b916f297121ba6bfb2274a3575ac0e456551dfd7f7e"
    )


@pytest.mark.parametrize(
    ("coin_type", "prefix", "address"),
    [
        (118, "enigma", "enigma19rl4cm2hmr8afy4kldpxz3fka4jguq0adg5p6h"),
        (529, "secret", "secret1gkle2qetd47g4qlruxu8kx4m97875t66qsgr0p"),
    ],
)
def test_accounts_are_those_of_other_wallets(coin_type: int, prefix: str, address: str) -> None:
    key = PrivateKey.from_phrase(parse_phrase(ABOUT), coin_type)

    assert encode_address(prefix, address_of(key.public_key)) == address


def test_words_are_read_in_any_case_and_spacing() -> None:
    text = f"\n  {ABOUT.upper()}\t\n".replace(" ABANDON", "   Abandon")

    assert parse_phrase(text).reveal() == ABOUT


@pytest.mark.parametrize(
    "text",
    ["", "abandon", "abandon " * 12, ABOUT + " abandon", ABOUT.replace("about", "aboud"),
     "about " * 5000, "\x00", "é" * 40],
)  # fmt: skip
def test_what_is_no_phrase_is_refused(text: str) -> None:
    with pytest.raises(KeyringError, match="no recovery phrase"):
        parse_phrase(text)


def test_new_words_are_twenty_four_and_never_the_same() -> None:
    first, second = derivation.generate_phrase(), derivation.generate_phrase()

    assert len(first.reveal().split()) == 24
    assert first.reveal() != second.reveal()
    assert parse_phrase(first.reveal()).reveal() == first.reveal()


def test_secrets_do_not_show_themselves() -> None:
    secret = b"\x11" * 32

    assert repr(PrivateKey(secret)) == str(PrivateKey(secret)) == "PrivateKey(hidden)"
    assert repr(RecoveryPhrase(ABOUT)) == f"{RecoveryPhrase(ABOUT)}" == "RecoveryPhrase(hidden)"


@pytest.mark.parametrize(
    "secret",
    [b"", bytes(32), b"\x01" * 31, b"\x01" * 33, b"\xff" * 32,
     bytes.fromhex("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141")],
)  # fmt: skip
def test_what_is_no_private_key_is_refused_and_not_shown(secret: bytes) -> None:
    with pytest.raises(KeyringError, match=r"^these bytes are no private key$"):
        PrivateKey(secret)
