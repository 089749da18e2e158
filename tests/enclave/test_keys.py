import pickle

import pytest

from enclave import keys
from enclave.errors import PublicKeyError
from enclave.keys import Order, Secret
from tests.corpus import load


def secret(text: str) -> Secret:
    return Secret(bytearray.fromhex(text))


def test_a_secret_shows_nothing_of_itself() -> None:
    hidden = secret("41" * 32)

    for shown in (repr(hidden), str(hidden), f"{hidden}", repr([hidden]), repr({"key": hidden})):
        assert "41" not in shown
        assert "A" not in shown


def test_a_secret_is_neither_pickled_nor_hashed() -> None:
    with pytest.raises(TypeError, match="never pickled"):
        pickle.dumps(secret("41"))
    with pytest.raises(TypeError, match="unhashable"):
        hash(secret("41"))


def test_a_secret_is_wiped_at_the_end_of_its_block() -> None:
    with Secret.generate() as hidden:
        buffer = hidden.data
        assert any(buffer)

    assert buffer == bytes(32)


def test_secrets_compare_by_value_and_with_nothing_else() -> None:
    assert secret("41") == secret("41")
    assert secret("41") != secret("42")
    assert secret("41") != secret("4141")
    assert secret("41") != b"A"


def test_generated_secrets_differ() -> None:
    assert Secret.generate() != Secret.generate()
    assert len(Secret.generate()) == 32


@pytest.mark.parametrize(
    ("order", "name"),
    [
        (Order.SEED_EXCHANGE, "exchange_sk"),
        (Order.IO_EXCHANGE, "io_sk"),
        (Order.STATE_INPUT, "state_ikm"),
        (Order.CALLBACK, "callback_secret"),
    ],
)
def test_derives_the_known_secrets_of_every_epoch(order: Order, name: str) -> None:
    epochs = load("kat/protocol_v1.json")["epochs"]

    assert len(epochs) > 1
    for epoch in epochs:
        assert keys.derive_secret(secret(epoch["seed"]), order) == secret(epoch[name])


def test_derives_the_known_public_keys_of_every_epoch() -> None:
    for epoch in load("kat/protocol_v1.json")["epochs"]:
        assert keys.derive_exchange_pk(secret(epoch["seed"])).hex() == epoch["exchange_pk"]
        assert keys.derive_io_pk(secret(epoch["seed"])).hex() == epoch["io_pk"]


def test_the_salt_is_the_known_one() -> None:
    assert load("kat/protocol_v1.json")["salt"] == keys.SALT.hex()


def test_derives_the_known_node_id() -> None:
    known = load("kat/protocol_v1.json")

    assert keys.derive_public_key(secret(known["registration_sk"])).hex() == known["node_id"]


def test_both_ends_derive_the_known_shared_secret() -> None:
    known = load("kat/protocol_v1.json")
    node_id = bytes.fromhex(known["node_id"])

    for vector in known["encrypted"]:
        epoch = known["epochs"][vector["current_epoch"]]
        network_end = keys.derive_shared(secret(epoch["exchange_sk"]), node_id)
        node_end = keys.derive_shared(
            secret(known["registration_sk"]), bytes.fromhex(epoch["exchange_pk"])
        )

        assert network_end == node_end == secret(vector["shared"])


def test_an_all_zero_shared_secret_is_refused_on_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "check_public_key", lambda _public_key: None)
    refused = 0

    for point in load("kat/protocol_v1.json")["refuse_registration_pk"]:
        with pytest.raises(PublicKeyError, match="shares no secret"):
            keys.derive_shared(Secret.generate(), bytes.fromhex(point))
        refused += 1

    assert refused == 7


def test_shares_no_secret_with_another_encoding_of_a_good_public_key() -> None:
    generator = 9

    keys.derive_shared(Secret.generate(), generator.to_bytes(32, "little"))
    for alias in (generator + 2**255 - 19, generator + 2**255):
        with pytest.raises(PublicKeyError, match="not canonical"):
            keys.derive_shared(Secret.generate(), alias.to_bytes(32, "little"))


def test_shares_no_secret_with_a_bad_public_key() -> None:
    known = load("kat/protocol_v1.json")

    for point in known["refuse_registration_pk"]:
        with pytest.raises(PublicKeyError):
            keys.derive_shared(secret(known["registration_sk"]), bytes.fromhex(point))
