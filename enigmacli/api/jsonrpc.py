"""JSON-RPC 2.0 over bodies and URIs, as CometBFT 0.38 answers; no sockets here.

Every malformed request gives a JSON-RPC error: -32700 with HTTP 500 where the body is no
request, otherwise HTTP 200; errors of the URI form have HTTP 500. A notification gets no
answer. Limits: a batch of 10, a body of 1,000,000 bytes (the server cuts it).
"""

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

from enigmacli.api.params import Param, ParamError, from_json, from_uri
from enigmacli.api.rpc_error import RpcError

MAX_BATCH: Final = 10
MAX_BODY_BYTES: Final = 1_000_000
URI_REQUEST_ID: Final = -1


class Pace(IntEnum):
    """How long a method may take; the server keeps the slow ones from starving the others."""

    READ = 0
    """Reads what this node has."""
    CHECK = 1
    """Waits for the application's CheckTx, one at a time."""
    WAIT = 2
    """Waits for a block."""
    SEARCH = 3
    """Reads much; one at a time."""


@dataclass(frozen=True, slots=True)
class Method:
    """What a name calls: a function of the parameters that gives the ``result`` member."""

    call: Callable[..., Any]
    params: Sequence[Param] = ()
    pace: Pace = Pace.READ


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP status and a body; the body is empty where nothing is to be said."""

    status: int
    body: bytes


class Dispatcher:
    """Finds the method, reads its parameters, words its answer.

    Args:
        methods: by name.
        report_bug: told about an exception that no method may raise.
    """

    def __init__(
        self, methods: Mapping[str, Method], report_bug: Callable[[Exception], None]
    ) -> None:
        self._methods = methods
        self._report_bug = report_bug

    @property
    def names(self) -> list[str]:
        """Every method, sorted."""
        return sorted(self._methods)

    def answer_body(self, body: bytes) -> Answer:
        """Answer a POST: one request or a batch."""
        found = self.read_body(body)
        return found if isinstance(found, Answer) else self.answer_requests(found)

    def read_body(self, body: bytes) -> "Answer | list[dict[str, Any]]":
        """The requests of a body, or the answer to a body that is none."""
        try:
            return _requests(_parse(body))
        except RpcError as error:
            status = 200 if error.code == -32600 else 500  # noqa: PLR2004 -- invalid request
            return Answer(status, _encode(_failure(None, error)))

    def answer_requests(self, requests: Sequence[Mapping[str, Any]]) -> Answer:
        """Answer what :meth:`read_body` found; one request alone gets an object, not a list."""
        answers = [self._answer(request) for request in requests if _id(request) is not None]
        if not answers:
            return Answer(200, b"")
        return Answer(200, _encode(answers[0] if len(answers) == 1 else answers))

    def pace(self, names: Iterable[Any]) -> Pace:
        """That of the slowest of the methods."""
        found = (self._methods.get(name) for name in names if isinstance(name, str))
        return max((method.pace for method in found if method), default=Pace.READ)

    def answer_uri(self, name: str, query: Mapping[str, str]) -> Answer:
        """Answer a GET of ``/name?query``."""
        try:
            method = self._methods[name]
            result = self._call(method, lambda: from_uri(method.params, query), "http")
        except KeyError:
            return Answer(404, _encode(_failure(URI_REQUEST_ID, RpcError.method_not_found())))
        except RpcError as error:
            return Answer(500, _encode(_failure(URI_REQUEST_ID, error)))
        return Answer(200, _encode(_success(URI_REQUEST_ID, result)))

    def _answer(self, request: Mapping[str, Any]) -> dict[str, Any]:
        request_id = _id(request)
        try:
            method = self._methods.get(request.get("method") or "")
            if method is None:
                raise RpcError.method_not_found()
            given = request.get("params")
            result = self._call(method, lambda: from_json(method.params, given), "json")
        except RpcError as error:
            return _failure(request_id, error)
        return _success(request_id, result)

    def _call(self, method: Method, read: Callable[[], dict[str, Any]], form: str) -> Any:
        try:
            arguments = read()
        except ParamError as error:
            raise RpcError.invalid_params(
                f"error converting {form} params to arguments: {error}"
            ) from error
        try:
            return method.call(**arguments)
        except RpcError:
            raise
        except Exception as error:  # a client must never see a traceback, nor end the server
            self._report_bug(error)
            raise RpcError.internal("internal error; see the node's log") from error


def _parse(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise RpcError.parse(reason[:200]) from error


def _requests(document: Any) -> list[dict[str, Any]]:
    requests = document if isinstance(document, list) else [document]
    if len(requests) > MAX_BATCH:
        raise RpcError.invalid_request(
            f"batch request exceeds maximum ({MAX_BATCH}) allowed number of requests"
        )
    for request in requests:
        if not isinstance(request, dict):
            raise RpcError.parse("a request is not an object")
        _id(request)
        if not isinstance(request.get("method", ""), str | None):
            raise RpcError.parse("the method is not a string")
    return requests


def _id(request: Mapping[str, Any]) -> str | int | None:
    """A request's id; numbers lose their decimals; ``None`` marks a notification."""
    given = request.get("id")
    if given is None or isinstance(given, str):
        return given
    if isinstance(given, bool) or not isinstance(given, int | float) or not math.isfinite(given):
        raise RpcError.parse("json-rpc ID is of unknown type")
    return int(given)


def _success(request_id: str | int | None, result: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": request_id, "result": result}


def _failure(request_id: str | int | None, error: RpcError) -> dict[str, Any]:
    document: dict[str, Any] = {"jsonrpc": "2.0"}
    if request_id is not None:
        document["id"] = request_id
    return document | {"error": error.to_json()}


def _encode(document: Any) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()


TOO_LARGE: Final = Answer(
    400,
    _encode(
        _failure(
            None,
            RpcError.invalid_request("error reading request body: http: request body too large"),
        )
    ),
)
UNREADABLE: Final = Answer(
    400, _encode(_failure(None, RpcError.invalid_request("error reading request body")))
)
TOO_SLOW: Final = Answer(
    408, _encode(_failure(None, RpcError.invalid_request("error reading request body: timeout")))
)
OVERLOADED: Final = Answer(
    503, _encode(_failure(None, RpcError(-32000, "Server error", "too many requests")))
)
