"""The RPC client: CometBFT's calls and answers, and everything that can go wrong between."""

import copy
from typing import Any

import httpx
import pytest
from nacl.signing import SigningKey

from enigmacli.chain.answers import ValidatorsAnswer
from enigmacli.chain.rpc import MAX_ANSWER_BYTES, RpcClient
from enigmacli.chain.rpc_json import to_json
from enigmacli.chain.validators import Validator, ValidatorSet
from enigmacli.errors import (
    ConfigError,
    MalformedError,
    NotFoundError,
    ServiceRefusedError,
    ServiceUnavailableError,
    TxRejectedError,
    WaitTimeoutError,
)
from tests.simulators.answering_node import (
    URL,
    AnsweringNode,
    client_of,
    failing_client,
    raw_client,
)
from tests.vector_files import vector


def result(name: str) -> Any:
    return vector("cometbft_rpc", name)["result"]


# --- calls -------------------------------------------------------------------------------------


def test_status_says_who_the_node_is_and_how_far_it_came() -> None:
    status = AnsweringNode(status=result("status")).client().status()

    assert (status.network, status.moniker, status.version) == ("enigma-1", "one", "0.38.25")
    assert (status.latest_block_height, status.catching_up) == (12, False)


def test_genesis_is_the_document() -> None:
    node = AnsweringNode(genesis=result("genesis"))

    assert node.client().genesis()["chain_id"] == "enigma-1"


def test_health_asks_for_nothing() -> None:
    node = AnsweringNode(health={})

    node.client().health()

    assert node.requests == [{"jsonrpc": "2.0", "id": 1, "method": "health", "params": {}}]


def test_heights_are_strings_and_each_call_has_its_number() -> None:
    block = vector("cometbft_block", "block_2")["json"]
    node = AnsweringNode(block=block)
    client = node.client()

    assert client.block(3).block.header.height == 3
    assert client.block().block_id.parts_total == 1
    assert [call["params"] for call in node.requests] == [{"height": "3"}, {}]
    assert [call["id"] for call in node.requests] == [1, 2]


def test_a_commit_and_its_header_are_read() -> None:
    signed = result("commit")
    node = AnsweringNode(commit=signed, header={"header": signed["signed_header"]["header"]})

    assert node.client().commit(64001).header == node.client().header(64001)


def test_block_results_are_read() -> None:
    node = AnsweringNode(block_results=vector("cometbft_results", "results_3")["json"])

    found = node.client().block_results(4)

    assert [one.code for one in found.tx_results] == [0, 1, 2]
    assert found.validator_updates[0].power == 12


def test_a_transaction_is_asked_by_its_hash_in_base64() -> None:
    answer = result("tx")
    node = AnsweringNode(tx=answer)

    found = node.client().tx(bytes.fromhex(answer["hash"]))

    assert (found.height, found.index, found.result.code) == (9, 2, 2)
    assert node.requests[0]["params"] == {
        "hash": "WaKLoJoZtvrcEVkT9+VZb0xj2qtWEPaTQWB4fHKHi/U=",
        "prove": False,
    }


def test_a_query_sends_its_data_in_hex() -> None:
    node = AnsweringNode(abci_query=vector("cometbft_proof", "proof_0")["answer"])

    found = node.client().abci_query("/store/register/key", b"\x01\xff", 7, prove=True)

    assert [op.type for op in found.proof] == ["simple:v", "simple:v"]
    assert node.requests[0]["params"] == {
        "path": "/store/register/key",
        "data": "01ff",
        "height": "7",
        "prove": True,
    }


def test_abci_info_is_read() -> None:
    found = AnsweringNode(abci_info=result("abci_info")).client().abci_info()

    assert (found.data, found.last_block_height) == ("enigma", 3)


def test_transactions_are_sent_in_base64() -> None:
    sync = result("broadcast_tx_sync")
    node = AnsweringNode(
        broadcast_tx_sync=sync,
        broadcast_tx_async=sync,
        broadcast_tx_commit=result("broadcast_tx_commit"),
    )
    client = node.client()

    assert client.broadcast_tx_sync(b"\x00tx").code == 32
    assert client.broadcast_tx_async(b"\x00tx").codespace == "sdk"
    assert client.broadcast_tx_commit(b"\x00tx").height == 10
    assert {call["params"]["tx"] for call in node.requests} == {"AHR4"}


# --- validators over pages ---------------------------------------------------------------------

MANY = ValidatorSet.of(
    Validator.of(SigningKey(number.to_bytes(32)).verify_key.encode(), 1 + number % 7)
    for number in range(230)
)


def _page(params: dict[str, Any]) -> Any:
    start = (int(params["page"]) - 1) * int(params["per_page"])
    page = MANY.validators[start : start + int(params["per_page"])]
    return to_json(ValidatorsAnswer(5, page, len(page), len(MANY.validators)))


def test_validators_are_gathered_over_pages_of_one_height() -> None:
    node = AnsweringNode(validators=_page)

    assert node.client().validators() == MANY
    assert [call["params"].get("height") for call in node.requests] == [None, "5", "5"]


def test_validators_that_are_fewer_than_announced_are_malformed() -> None:
    node = AnsweringNode(validators=lambda params: _page(params) | {"total": "231"})

    with pytest.raises(MalformedError, match="gave 230 of 231 validators"):
        node.client().validators(5)


def test_validators_without_end_are_not_gathered_for_ever() -> None:
    def same(_: dict[str, Any]) -> Any:
        return _page({"page": "1", "per_page": "100"}) | {"total": "9223372036854775807"}

    with pytest.raises(MalformedError, match="of 9223372036854775807 validators"):
        AnsweringNode(validators=same).client().validators(5)


# --- answers that do not fit the question ------------------------------------------------------


def test_a_block_of_another_height_is_malformed() -> None:
    node = AnsweringNode(block=vector("cometbft_block", "block_2")["json"])

    with pytest.raises(MalformedError, match="answered for height 3, not 4"):
        node.client().block(4)


def test_another_transaction_is_malformed() -> None:
    with pytest.raises(MalformedError, match="another transaction"):
        AnsweringNode(tx=result("tx")).client().tx(bytes(32))


@pytest.mark.parametrize("answer", [None, [], {"genesis": []}, {}])
def test_a_genesis_that_is_no_document_is_malformed(answer: Any) -> None:
    with pytest.raises(MalformedError, match="no document"):
        AnsweringNode(genesis=answer).client().genesis()


def test_a_status_without_its_parts_is_malformed() -> None:
    broken = copy.deepcopy(result("status"))
    del broken["sync_info"]["latest_app_hash"]

    with pytest.raises(MalformedError, match=r"no sync_info\.latest_app_hash"):
        AnsweringNode(status=broken).client().status()


# --- JSON-RPC errors ---------------------------------------------------------------------------


def _internal(text: str) -> dict[str, Any]:
    return {"code": -32603, "message": "Internal error", "data": text}


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("tx (AB) not found", NotFoundError),
        ("tx (AB) not found, err: x", NotFoundError),
        (
            "height 9 must be less than or equal to the current blockchain height 4",
            NotFoundError,
        ),
        ("height must be greater than 0, but got -1", NotFoundError),
        ("height 1 is not available, lowest height is 5", NotFoundError),
        ("could not find results for height #7", NotFoundError),
        ("timed out waiting for tx to be included in a block", WaitTimeoutError),
        ("tx already exists in cache", TxRejectedError),
        ("mempool is full: number of txs 5 (max: 5)", TxRejectedError),
        ("Tx too large. Max size is 5, but got 6", TxRejectedError),
        ("too many requests", ServiceUnavailableError),
        ("something else", ServiceRefusedError),
    ],
)
def test_a_servers_text_chooses_the_error_and_is_kept(text: str, kind: type[Exception]) -> None:
    with pytest.raises(kind, match=text.replace("(", r"\(").replace(")", r"\)")):
        failing_client(_internal(text)).call("any")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("tx already exists in cache", 19),
        ("mempool is full: number of txs 5 (max: 5)", 20),
        ("Tx too large. Max size is 5, but got 6", 21),
    ],
)
def test_the_mempools_refusals_have_the_sdks_numbers(text: str, code: int) -> None:
    with pytest.raises(TxRejectedError) as caught:
        failing_client(_internal(text), 500).broadcast_tx_sync(b"tx")

    assert caught.value.details == {"codespace": "sdk", "code": code}


@pytest.mark.parametrize("error", ["text", {"code": 5}, [1], 7, {"message": None}])
def test_an_error_of_another_form_is_a_refusal(error: Any) -> None:
    with pytest.raises(ServiceRefusedError, match="no reason given"):
        failing_client(error).call("any")


# --- transport ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "error",
    [
        httpx.ConnectError("connection refused"),
        httpx.ReadError("connection reset"),
        httpx.ConnectTimeout("slow"),
        httpx.ReadTimeout("slow"),
        httpx.RemoteProtocolError("server disconnected"),
    ],
)
def test_a_node_that_does_not_answer_is_unavailable_with_a_hint(error: Exception) -> None:
    def respond(_: httpx.Request) -> httpx.Response:
        raise error

    with pytest.raises(ServiceUnavailableError, match="did not answer") as caught:
        client_of(respond).health()
    assert "--node" in caught.value.hint


def test_a_body_in_a_broken_encoding_is_malformed() -> None:
    def respond(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"content-encoding": "gzip"}, stream=_Body(b"not gzip"))

    with pytest.raises(MalformedError, match="no valid HTTP"):
        client_of(respond).health()


class _Body(httpx.SyncByteStream):
    def __init__(self, *chunks: bytes) -> None:
        self._chunks = chunks

    def __iter__(self) -> Any:
        yield from self._chunks


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_a_busy_server_without_json_is_unavailable(status: int) -> None:
    with pytest.raises(ServiceUnavailableError, match=f"HTTP status {status}"):
        raw_client(b"<html>", status).health()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"<html>", 200),
        (b"", 200),
        (b"[]", 200),
        (b"not found", 404),
        (b"", 302),
        (b"\xff", 200),
        (b'{"result": NaN}', 200),
        (b"[" * 100_000, 200),
        (b'{"a":' * 50_000, 200),
    ],
)
def test_what_is_no_json_rpc_is_malformed(body: bytes, status: int) -> None:
    with pytest.raises(MalformedError, match="does not answer in JSON-RPC"):
        raw_client(body, status).health()


@pytest.mark.parametrize("body", [b'{"id":1}', b'{"id":2,"result":{}}', b'{"result":{}}', b"{}"])
def test_an_answer_to_another_question_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedError, match="gave no answer to health"):
        raw_client(body).health()


def test_an_answer_without_end_is_cut() -> None:
    chunk = bytes(1024 * 1024)
    body = _Body(*[chunk] * (MAX_ANSWER_BYTES // len(chunk) + 2))

    with pytest.raises(MalformedError, match="too much"):
        client_of(lambda _: httpx.Response(200, stream=body)).health()


def test_an_answer_that_drips_is_given_up() -> None:
    def respond(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, stream=_Body(b"{", b"}"))

    client = RpcClient(URL, 0.0, transport=httpx.MockTransport(respond))

    with pytest.raises(ServiceUnavailableError, match="too slow"):
        client.health()


# --- addresses ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("tcp://127.0.0.1:26657", "http://127.0.0.1:26657"),
        ("http://node.example", "http://node.example"),
        ("https://node.example:443/rpc", "https://node.example:443/rpc"),
        ("tcp://[::1]:1", "http://[::1]:1"),
        ("tcp://localhost:1", "http://localhost:1"),
    ],
)
def test_an_address_of_a_node_is_understood(given: str, used: str) -> None:
    with RpcClient(given) as client:
        assert client.url == used


@pytest.mark.parametrize(
    "url",
    ["", "127.0.0.1:26657", "ftp://x", "http://", "tcp://:5", "http://x:99999", "http://x:0",
     "unix:///tmp/s", "http://[::1"],
)  # fmt: skip
def test_what_is_no_address_is_a_configuration_error(url: str) -> None:
    with pytest.raises(ConfigError, match="no address of a node"):
        RpcClient(url)


def test_a_password_in_an_address_is_refused_and_not_repeated() -> None:
    with pytest.raises(ConfigError, match="holds a user name or password") as caught:
        RpcClient("http://user:hunter2@node.example:26657")
    assert "hunter2" not in f"{caught.value} {caught.value.hint} {caught.value.details}"
