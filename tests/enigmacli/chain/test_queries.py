"""Typed queries against a node in memory, honest and not."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from enigmacli import protobuf
from enigmacli.chain.address import encode_address
from enigmacli.chain.answers import BroadcastAnswer, QueryAnswer, TxAnswer
from enigmacli.chain.messages import Coin
from enigmacli.chain.queries import Account, Queries
from enigmacli.chain.records import NodeRecord
from enigmacli.chain.results import TxResult
from enigmacli.chain.rpc_json import from_json, to_json
from enigmacli.errors import (
    EnigmaError,
    MalformedError,
    NotFoundError,
    ServiceRefusedError,
    ServiceUnavailableError,
    TxRejectedError,
    UntrustedAnswerError,
    WaitTimeoutError,
)
from tests.simulators.answering_node import AnsweringNode
from tests.vector_files import vector

ADDRESS = encode_address("enigma", b"\x01" * 20)
NODE_ID = b"\x07" * 32
SEED = b"\x08" * 48
RECORD = {
    "evidence_sha256": b"\x01" * 32,
    "encrypted_seed": SEED,
    "owner": b"\x02" * 20,
    "height": 9,
    "evidence_kind": "epid",
    "measurement": b"\x03" * 32,
    "tcb_status": "OK",
    "epoch": 0,
}


def encoded(name: str, **values: Any) -> bytes:
    return bytes(protobuf.new(name, **values).SerializeToString())


def asking(answer: QueryAnswer) -> tuple[Queries, AnsweringNode]:
    node = AnsweringNode(abci_query=to_json(answer))
    return Queries(node.client()), node


def asked(node: AnsweringNode) -> tuple[str, bytes]:
    params = node.requests[-1]["params"]
    return params["path"], bytes.fromhex(params["data"])


# --- what honest nodes answer ------------------------------------------------------------------


def test_an_account_has_number_and_sequence() -> None:
    account = encoded(
        "cosmos.auth.v1beta1.BaseAccount", address=ADDRESS, account_number=7, sequence=3
    )
    value = encoded(
        "cosmos.auth.v1beta1.QueryAccountResponse",
        account={"type_url": "/cosmos.auth.v1beta1.BaseAccount", "value": account},
    )
    queries, node = asking(QueryAnswer(value=value))

    assert queries.account(ADDRESS) == Account(ADDRESS, 7, 3)
    assert asked(node) == (
        "/cosmos.auth.v1beta1.Query/Account",
        encoded("cosmos.auth.v1beta1.QueryAccountRequest", address=ADDRESS),
    )


def test_a_balance_is_whole_coins() -> None:
    value = encoded(
        "cosmos.bank.v1beta1.QueryBalanceResponse", balance={"denom": "uscrt", "amount": "12"}
    )
    queries, node = asking(QueryAnswer(value=value))

    assert queries.balance(ADDRESS, "uscrt") == 12
    assert asked(node)[0] == "/cosmos.bank.v1beta1.Query/Balance"


def test_balances_are_all_coins() -> None:
    coins = [{"denom": "aaa", "amount": "1"}, {"denom": "uscrt", "amount": "2"}]
    value = encoded("cosmos.bank.v1beta1.QueryAllBalancesResponse", balances=coins)

    assert asking(QueryAnswer(value=value))[0].balances(ADDRESS) == (
        Coin("aaa", 1),
        Coin("uscrt", 2),
    )


def test_a_simulation_gives_gas() -> None:
    value = encoded("cosmos.tx.v1beta1.SimulateResponse", gas_info={"gas_used": 61_000})

    assert asking(QueryAnswer(value=value))[0].simulate(b"tx") == 61_000


def test_an_encrypted_seed_is_read() -> None:
    value = encoded("secret.registration.v1beta1.QueryEncryptedSeedResponse", encrypted_seed=SEED)
    queries, node = asking(QueryAnswer(value=value))

    assert queries.encrypted_seed(NODE_ID) == SEED
    assert asked(node) == (
        "/secret.registration.v1beta1.Query/EncryptedSeed",
        encoded("secret.registration.v1beta1.QueryEncryptedSeedRequest", pub_key=NODE_ID),
    )


@pytest.mark.parametrize(
    ("ask", "method"),
    [
        (Queries.tx_key, "TxKey"),
        (Queries.registration_key, "RegistrationKey"),
        (Queries.exchange_key, "RegistrationKey"),
    ],
)
def test_network_keys_are_read(ask: Callable[[Queries], bytes], method: str) -> None:
    value = encoded("secret.registration.v1beta1.Key", key=b"\x05" * 32)
    queries, node = asking(QueryAnswer(value=value))

    assert ask(queries) == b"\x05" * 32
    assert asked(node) == (f"/secret.registration.v1beta1.Query/{method}", b"")


def test_the_current_epoch_is_read() -> None:
    queries, _ = asking(QueryAnswer(key=b"\x01Epoch", value=b"\x00\x00\x00\x02"))

    assert queries.current_epoch() == 2


def test_a_node_is_read() -> None:
    value = encoded("enigma.registration.v1.NodeRecord", **RECORD)
    queries, node = asking(QueryAnswer(key=b"\x01" + NODE_ID, value=value))

    assert queries.node(NODE_ID) == NodeRecord(node_id=NODE_ID, **RECORD)  # type: ignore[arg-type]
    assert asked(node) == ("/store/register/key", b"\x01" + NODE_ID)


def _page_of(count: int, next_key: bytes) -> Any:
    nodes = [{"node_id": bytes([number]) * 32, "record": RECORD} for number in range(count)]
    return to_json(
        QueryAnswer(
            value=encoded(
                "enigma.registration.v1.QueryNodesResponse",
                nodes=nodes,
                pagination={"next_key": next_key},
            )
        )
    )


def test_nodes_are_gathered_over_pages() -> None:
    pages = iter([_page_of(3, b"\x01\x03"), _page_of(2, b"")])
    node = AnsweringNode(abci_query=lambda _: next(pages))

    assert len(Queries(node.client()).nodes()) == 5
    second = protobuf.parse("enigma.registration.v1.QueryNodesRequest", asked(node)[1])
    assert second.pagination.key == b"\x01\x03"


def test_nodes_listed_in_circles_are_malformed() -> None:
    node = AnsweringNode(abci_query=lambda _: _page_of(1, b"\x01"))

    with pytest.raises(MalformedError, match="in circles"):
        Queries(node.client()).nodes()


# --- refusals ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("codespace", "code"), [("register", 8), ("sdk", 22), ("sdk", 38), ("sdk", 9)]
)
def test_what_the_chain_does_not_know_is_not_found(codespace: str, code: int) -> None:
    queries, _ = asking(QueryAnswer(code=code, codespace=codespace, log="not registered"))

    with pytest.raises(NotFoundError, match="not registered") as caught:
        queries.encrypted_seed(NODE_ID)
    assert caught.value.details == {"codespace": codespace, "code": code}


@pytest.mark.parametrize(("codespace", "code"), [("register", 2), ("sdk", 6), ("other", 8)])
def test_another_refusal_is_a_refusal(codespace: str, code: int) -> None:
    queries, _ = asking(QueryAnswer(code=code, codespace=codespace))

    with pytest.raises(ServiceRefusedError, match=f"failed with {codespace} {code}"):
        queries.balance(ADDRESS, "uscrt")


# --- nonsense ----------------------------------------------------------------------------------


def _other_account() -> bytes:
    account = encoded("cosmos.auth.v1beta1.BaseAccount", address="enigma1other")
    return encoded(
        "cosmos.auth.v1beta1.QueryAccountResponse",
        account={"type_url": "/cosmos.auth.v1beta1.BaseAccount", "value": account},
    )


def _module_account() -> bytes:
    return encoded(
        "cosmos.auth.v1beta1.QueryAccountResponse",
        account={"type_url": "/cosmos.auth.v1beta1.ModuleAccount"},
    )


@pytest.mark.parametrize(
    ("ask", "answer", "why"),
    [
        (lambda q: q.account(ADDRESS), QueryAnswer(value=b"\xff"), "no QueryAccountResponse"),
        (lambda q: q.account(ADDRESS), QueryAnswer(value=_other_account()), "another account"),
        (lambda q: q.account(ADDRESS), QueryAnswer(value=_module_account()), "not known here"),
        (lambda q: q.balance(ADDRESS, "uscrt"), QueryAnswer(), "another denomination"),
        (lambda q: q.encrypted_seed(NODE_ID), QueryAnswer(), "seed of 0 bytes"),
        (lambda q: q.tx_key(), QueryAnswer(), "answered with 0 bytes"),
        (lambda q: q.current_epoch(), QueryAnswer(key=b"\x01Epoch", value=b"x"), "not 4 bytes"),
        (lambda q: q.node(NODE_ID), QueryAnswer(key=b"x", value=b"x"), "another key"),
        (
            lambda q: q.node(NODE_ID),
            QueryAnswer(key=b"\x01" + NODE_ID, value=b"\xff"),
            "cannot be read",
        ),
        (lambda q: q.node(b"x"), QueryAnswer(key=b"\x01x", value=b"\x20\x09"), "is 32 bytes"),
    ],
)
def test_nonsense_is_malformed(
    ask: Callable[[Queries], object], answer: QueryAnswer, why: str
) -> None:
    with pytest.raises(MalformedError, match=why):
        ask(asking(answer)[0])


def test_an_empty_entry_is_absent() -> None:
    queries, _ = asking(QueryAnswer(key=b"\x01" + NODE_ID))

    with pytest.raises(NotFoundError, match="has nothing under"):
        queries.node(NODE_ID)


# --- proven values -----------------------------------------------------------------------------

_KNOWN = vector("cometbft_proof", "proof_3")
_PROVEN = from_json(QueryAnswer, _KNOWN["answer"])
_APP_HASHES = {_PROVEN.height: bytes.fromhex(_KNOWN["app_hash"])}


def prove(answer: QueryAnswer, *, not_before: int = 0) -> bytes:
    queries, node = asking(answer)
    value = queries.proven("register", _PROVEN.key, _APP_HASHES.__getitem__, not_before=not_before)
    assert node.requests[0]["params"]["prove"] is True
    return value


def test_a_value_is_proven_by_the_app_hash_after_its_height() -> None:
    assert prove(_PROVEN, not_before=_PROVEN.height) == _PROVEN.value


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"value": b"other"}, "another value"),
        ({"key": b"other"}, "another key"),
        ({"proof": ()}, "needs 2 operators"),
        ({"height": 0}, "too old"),
    ],
)
def test_a_lie_is_untrusted(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(UntrustedAnswerError, match=why):
        prove(replace(_PROVEN, **changes))


def test_an_answer_older_than_allowed_is_untrusted() -> None:
    with pytest.raises(UntrustedAnswerError, match="too old"):
        prove(_PROVEN, not_before=_PROVEN.height + 1)


def test_absence_is_said_and_not_proven() -> None:
    with pytest.raises(NotFoundError):
        prove(replace(_PROVEN, value=b""))


# --- transactions ------------------------------------------------------------------------------

HASH = b"\x0a" * 32


@pytest.mark.parametrize(("check", "method"), [(True, "sync"), (False, "async")])
def test_a_transaction_is_sent_with_or_without_waiting(check: bool, method: str) -> None:  # noqa: FBT001 -- a parameter of the test
    answer = to_json(BroadcastAnswer(0, b"", "", "", HASH))
    node = AnsweringNode(**{f"broadcast_tx_{method}": answer})

    assert Queries(node.client()).broadcast(b"tx", check=check).hash == HASH


def test_a_refused_transaction_says_code_and_log() -> None:
    answer = to_json(BroadcastAnswer(32, b"", "wrong sequence", "sdk", HASH))
    node = AnsweringNode(broadcast_tx_sync=answer)

    with pytest.raises(TxRejectedError, match="wrong sequence") as caught:
        Queries(node.client()).broadcast(b"tx")
    assert caught.value.details == {
        "codespace": "sdk",
        "code": 32,
        "tx_hash": HASH.hex().upper(),
    }


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 100.0

    def read(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def waiting(*failures: EnigmaError, result: TxResult | None = None) -> tuple[TxAnswer, float]:
    """Wait 2 s for a transaction that is there after ``failures``; also how long it took."""
    pending = list(failures)
    there = to_json(TxAnswer(HASH, 5, 0, result or TxResult(), b"tx"))

    def answer(_: Any) -> Any:
        if pending:
            raise pending.pop(0)
        return there

    clock = Clock()
    queries = Queries(AnsweringNode(tx=answer).client())
    found = queries.wait_for_tx(HASH, clock.now + 2, clock.read, clock.sleep)
    return found, clock.now - 100.0


def test_a_transaction_in_a_block_is_found_at_once() -> None:
    found, waited = waiting()

    assert (found.height, waited) == (5, 0.0)


def test_a_transaction_is_waited_for_while_unknown_or_the_node_is_away() -> None:
    _, waited = waiting(NotFoundError("tx (0A) not found"), ServiceUnavailableError("restarting"))

    assert waited == pytest.approx(0.4)


def test_waiting_ends_at_the_deadline() -> None:
    with pytest.raises(WaitTimeoutError, match=f"{HASH.hex().upper()} is in no block") as caught:
        waiting(*[NotFoundError("tx (0A) not found")] * 100)

    assert caught.value.details["last"] == "tx (0A) not found"


def test_a_failed_execution_is_a_rejection() -> None:
    with pytest.raises(TxRejectedError, match="measurement") as caught:
        waiting(result=TxResult(code=3, codespace="register", log="measurement-not-allowed"))

    assert caught.value.details["code"] == 3
