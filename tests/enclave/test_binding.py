import pytest

from enclave.binding import (
    NO_OWNER,
    bootstrap_report_data,
    check_public_key,
    registration_report_data,
)
from enclave.errors import CallError, PublicKeyError
from enclave.network import check_chain_id, network_id
from tests.corpus import load


def known(name: str) -> bytes:
    return bytes.fromhex(load("kat/protocol_v1.json")[name])


def test_network_id_is_the_known_answer() -> None:
    answers = load("kat/protocol_v1.json")
    policy = answers["policy_canonical_json"].encode()

    assert network_id(answers["chain_id"], policy) == known("network_id")


@pytest.mark.parametrize("chain_id", ["", "a" * 51, "Enigma", "a_b", "a b", "ä", "a\n"])
def test_refuses_malformed_chain_ids(chain_id: str) -> None:
    with pytest.raises(CallError, match="chain id"):
        check_chain_id(chain_id)
    with pytest.raises(CallError, match="chain id"):
        network_id(chain_id, b"{}")


def test_accepts_the_longest_chain_id() -> None:
    check_chain_id("a-0" + "z" * 47)


def test_chain_id_and_policy_cannot_flow_into_each_other() -> None:
    assert network_id("ab", b"c{}") != network_id("abc", b"{}")


def test_registration_report_data_is_the_known_answer() -> None:
    for vector in load("kat/protocol_v1.json")["binding"]:
        owner = bytes.fromhex(vector["owner"])

        data = registration_report_data(known("node_id"), known("network_id"), owner)

        assert data.hex() == vector["report_data"]


def test_no_owner_is_twenty_zero_bytes() -> None:
    owners = {vector["owner"] for vector in load("kat/protocol_v1.json")["binding"]}

    assert bytes(20) == NO_OWNER
    assert NO_OWNER.hex() in owners


def test_bootstrap_report_data_is_the_known_answer() -> None:
    epoch = load("kat/protocol_v1.json")["epochs"][0]
    exchange_pk, io_pk = bytes.fromhex(epoch["exchange_pk"]), bytes.fromhex(epoch["io_pk"])

    data = bootstrap_report_data(exchange_pk, known("network_id"), io_pk)

    assert data == known("bootstrap_report_data")


def test_refuses_every_known_bad_public_key() -> None:
    points = load("kat/protocol_v1.json")["refuse_registration_pk"]

    assert points
    for point in points:
        with pytest.raises(PublicKeyError):
            check_public_key(bytes.fromhex(point))


@pytest.mark.parametrize(
    ("public_key", "reason"),
    [
        (bytes(31), "another length"),
        (bytes(33), "another length"),
        ((2**255 - 19).to_bytes(32, "little"), "not canonical"),
        ((2**255 + 9).to_bytes(32, "little"), "not canonical"),
        ((2**256 - 1).to_bytes(32, "little"), "not canonical"),
        (bytes(32), "small order"),
    ],
)
def test_says_what_is_wrong_with_a_public_key(public_key: bytes, reason: str) -> None:
    with pytest.raises(PublicKeyError, match=reason):
        check_public_key(public_key)


def test_accepts_good_public_keys() -> None:
    check_public_key(known("node_id"))
    check_public_key((9).to_bytes(32, "little"))
