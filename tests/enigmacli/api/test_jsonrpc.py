"""JSON-RPC without sockets: every malformed request gives an error, never a traceback."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enigmacli.api.jsonrpc import MAX_BATCH, OVERLOADED, TOO_LARGE, Dispatcher, Method, Pace
from enigmacli.api.params import Param
from enigmacli.api.rpc_error import RpcError

PARAMS = (
    Param("height", "int64"),
    Param("hash", "bytes", b""),
    Param("data", "hex", b""),
    Param("path", "string", ""),
    Param("prove", "bool", default=False),
)


def echo(**arguments: Any) -> dict[str, Any]:
    return {
        name: value.hex() if isinstance(value, bytes) else value
        for name, value in arguments.items()
    }


def fail() -> None:
    raise RpcError.internal("tx (AB) not found")


def break_down() -> None:
    raise ZeroDivisionError("secret detail")


def make_dispatcher(bugs: list[Exception] | None = None) -> Dispatcher:
    methods = {
        "echo": Method(echo, PARAMS),
        "fail": Method(fail),
        "break": Method(break_down),
        "nothing": Method(dict),
    }
    return Dispatcher(methods, (bugs if bugs is not None else []).append)


def post(body: Any, bugs: list[Exception] | None = None) -> tuple[int, Any]:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = make_dispatcher(bugs).answer_body(raw)
    return answer.status, json.loads(answer.body) if answer.body else None


def call(method: str, params: Any = None, request_id: Any = 1) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": request_id, "method": method, "params": params}


def test_a_call_is_answered_with_its_id() -> None:
    assert post(call("nothing")) == (200, {"jsonrpc": "2.0", "id": 1, "result": {}})
    assert post(call("nothing", request_id="x"))[1]["id"] == "x"
    assert post(call("nothing", request_id=2.9))[1]["id"] == 2


def test_parameters_come_as_an_object_in_cometbfts_forms() -> None:
    params = {"height": "-7", "hash": "q80=", "data": "ABcd", "path": "/x", "prove": True}

    result = post(call("echo", params))[1]["result"]

    assert result == {"height": -7, "hash": "abcd", "data": "abcd", "path": "/x", "prove": True}


def test_parameters_come_as_an_array() -> None:
    result = post(call("echo", ["1", "", "", "p", False]))[1]["result"]

    assert result == {"height": 1, "hash": "", "data": "", "path": "p", "prove": False}


@pytest.mark.parametrize("params", [None, {}, {"height": None, "hash": None, "other": 1}])
def test_absent_parameters_have_defaults(params: Any) -> None:
    result = post(call("echo", params))[1]["result"]

    assert result == {"height": None, "hash": "", "data": "", "path": "", "prove": False}


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        ({"height": 7}, "expected string"),
        ({"height": True}, "expected string"),
        ({"height": "x"}, "not a 64-bit integer"),
        ({"height": "9223372036854775808"}, "not a 64-bit integer"),
        ({"height": "1" * 5000}, "not a 64-bit integer"),
        ({"hash": "!"}, "base64"),
        ({"hash": "\u00e9"}, "base64"),
        ({"hash": ["a"]}, "base64"),
        ({"data": "0xab"}, "hex"),
        ({"data": "abc"}, "hex"),
        ({"data": 1}, "hex"),
        ({"path": 1}, "string"),
        ({"prove": "true"}, "true or false"),
        (["1"], "expected 5 parameters"),
        ("text", "Expected map or array"),
        (7, "Expected map or array"),
    ],
    ids=repr,
)
def test_a_parameter_of_another_form_is_invalid(params: Any, reason: str) -> None:
    status, answer = post(call("echo", params))

    assert status == 200
    assert answer["error"]["code"] == -32602
    assert answer["error"]["message"] == "Invalid params"
    assert reason in answer["error"]["data"]


def test_an_unknown_method_is_said_so() -> None:
    error = {"code": -32601, "message": "Method not found"}

    assert post(call("unknown")) == (200, {"jsonrpc": "2.0", "id": 1, "error": error})
    assert post({"id": 1})[1]["error"] == error


def test_a_methods_error_stands_in_data() -> None:
    status, answer = post(call("fail"))

    assert status == 200
    assert answer["error"] == {
        "code": -32603,
        "message": "Internal error",
        "data": "tx (AB) not found",
    }


def test_a_bug_is_reported_and_not_shown() -> None:
    bugs: list[Exception] = []

    status, answer = post(call("break"), bugs)

    assert (status, answer["error"]["code"]) == (200, -32603)
    assert "secret detail" not in json.dumps(answer)
    assert [type(bug) for bug in bugs] == [ZeroDivisionError]


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"nonsense", b"\xff", b"[" * 100_000, b"1" * 10_000, b'"text"', b"7", b"null",
        b'[{"id":1,"method":"nothing"}, 7]', b'{"id":{},"method":"nothing"}',
        b'{"id":[1],"method":"nothing"}', b'{"id":true,"method":"nothing"}',
        b'{"id":1e999,"method":"nothing"}', b'{"id":NaN,"method":"nothing"}',
        b'{"id":1,"method":7}', b'{"id":1,"method":["nothing"]}',
    ],
    ids=lambda body: repr(body[:40]),
)  # fmt: skip
def test_what_is_no_request_is_a_parse_error(body: bytes) -> None:
    status, answer = post(body)

    assert status == 500
    assert answer["error"]["code"] == -32700
    assert answer["error"]["message"] == "Parse error. Invalid JSON"
    assert "id" not in answer


def test_a_notification_gets_no_answer() -> None:
    assert post({"jsonrpc": "2.0", "method": "nothing"}) == (200, None)
    assert post({"jsonrpc": "2.0", "method": "nothing", "id": None}) == (200, None)
    assert post([]) == (200, None)


def test_a_batch_is_answered_in_order_without_its_notifications() -> None:
    requests = [call("nothing", request_id=1), {"method": "nothing"}, call("no", request_id=2)]

    status, answers = post(requests)

    assert status == 200
    assert [(answer["id"], "error" in answer) for answer in answers] == [(1, False), (2, True)]


def test_a_batch_of_one_is_answered_with_an_object() -> None:
    assert post([call("nothing")])[1] == {"jsonrpc": "2.0", "id": 1, "result": {}}


def test_a_batch_that_is_too_long_is_refused() -> None:
    status, answer = post([call("nothing")] * (MAX_BATCH + 1))

    assert status == 200
    assert answer["error"]["code"] == -32600
    assert answer["error"]["data"] == (
        "batch request exceeds maximum (10) allowed number of requests"
    )
    assert len(post([call("nothing")] * MAX_BATCH)[1]) == MAX_BATCH


def get(name: str, **query: str) -> tuple[int, Any]:
    answer = make_dispatcher().answer_uri(name, query)
    return answer.status, json.loads(answer.body)


def test_a_uri_call_has_the_id_minus_one() -> None:
    assert get("nothing") == (200, {"jsonrpc": "2.0", "id": -1, "result": {}})


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"height": "7"}, {"height": 7}),
        ({"height": '"7"'}, {"height": 7}),
        ({"height": "-1"}, {"height": -1}),
        ({"hash": "0xABcd"}, {"hash": "abcd"}),
        ({"hash": '"abc"'}, {"hash": b"abc".hex()}),
        ({"data": "0Xab"}, {"data": "ab"}),
        ({"data": '"abc"'}, {"data": b"abc".hex()}),
        ({"path": '"/store"'}, {"path": "/store"}),
        ({"path": "0x2f61"}, {"path": "/a"}),
        ({"prove": "true"}, {"prove": True}),
        ({"prove": "", "height": ""}, {}),
        ({"unknown": "x"}, {}),
    ],
    ids=repr,
)
def test_uri_parameters_are_read_as_cometbft_reads_them(
    query: dict[str, str], expected: dict[str, Any]
) -> None:
    defaults = {"height": None, "hash": "", "data": "", "path": "", "prove": False}

    assert get("echo", **query)[1]["result"] == defaults | expected


@pytest.mark.parametrize(
    "query",
    [
        {"height": "0x07"}, {"height": "seven"}, {"height": "7.5"}, {"height": "9" * 19},
        {"hash": "0xabc"}, {"hash": "abcd"}, {"path": "/store"}, {"prove": "yes"},
        {"prove": "1"}, {"prove": "0x01"}, {"path": "[" * 50_000},
    ],
    ids=lambda query: repr(query)[:40],
)  # fmt: skip
def test_a_malformed_uri_parameter_is_an_error_500(query: dict[str, str]) -> None:
    status, answer = get("echo", **query)

    assert status == 500
    assert answer["id"] == -1
    assert answer["error"]["code"] == -32602


def test_uri_errors_have_their_status() -> None:
    assert get("fail")[0] == 500
    assert get("unknown")[0] == 404


@pytest.mark.parametrize("path", ["\ud800", "a\udfffb"])
def test_text_that_is_not_unicode_is_an_invalid_parameter(path: str) -> None:
    answer = make_dispatcher().answer_uri("echo", {"hash": json.dumps(path)})

    assert post(call("echo", {"path": path}))[1]["error"]["code"] == -32602
    assert (answer.status, json.loads(answer.body)["error"]["code"]) == (500, -32602)


@given(st.binary(max_size=200))
def test_any_body_gets_an_answer(body: bytes) -> None:
    answer = make_dispatcher().answer_body(body)

    assert answer.status in (200, 500)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["id", "method", "params", "height", "hash"]), inner)
        ),
        max_leaves=8,
    )
)
def test_any_document_gets_an_answer_and_no_bug(document: Any) -> None:
    bugs: list[Exception] = []

    answer = make_dispatcher(bugs).answer_body(json.dumps(document).encode())

    assert answer.status in (200, 500)
    assert bugs == []


@given(st.sampled_from([param.name for param in PARAMS]), st.text(max_size=30))
def test_any_query_gets_an_answer(name: str, text: str) -> None:
    answer = make_dispatcher().answer_uri("echo", {name: text})

    assert answer.status in (200, 500)


def test_a_batch_is_as_slow_as_its_slowest_method() -> None:
    methods = {
        "quick": Method(dict),
        "check": Method(dict, (), Pace.CHECK),
        "wait": Method(dict, (), Pace.WAIT),
    }
    dispatcher = Dispatcher(methods, lambda _: None)

    assert dispatcher.pace(["quick", "check"]) is Pace.CHECK
    assert dispatcher.pace(["wait", "check", "unknown"]) is Pace.WAIT
    assert dispatcher.pace(["unknown", None]) is Pace.READ
    assert dispatcher.pace([]) is Pace.READ


def test_what_the_server_refuses_by_itself_is_json_rpc_too() -> None:
    assert json.loads(TOO_LARGE.body)["error"]["code"] == -32600
    assert json.loads(OVERLOADED.body)["error"]["code"] == -32000
    assert (TOO_LARGE.status, OVERLOADED.status) == (400, 503)
