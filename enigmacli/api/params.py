"""Parameters of methods, from JSON and from a URI's query, as CometBFT reads them.

In JSON, 64-bit integers must be strings, ``[]byte`` is base64 and ``HexBytes`` hex without
``0x``. In a URI, integers stand bare or quoted, bytes as ``0x`` hex or as a quoted string,
strings quoted or as ``0x`` hex (``rpc/jsonrpc/server/http_uri_handler.go``).
"""

import base64
import binascii
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

_INTEGER: Final = re.compile(r"-?[0-9]{1,19}", re.ASCII)
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_INT64: Final = range(-(2**63), 2**63)


class ParamError(Exception):
    """A parameter is of another form than the method's."""


@dataclass(frozen=True, slots=True)
class Param:
    """One parameter: its name, its kind and what stands for its absence.

    ``kind`` is ``int64``, ``bytes``, ``hex``, ``string`` or ``bool``.
    """

    name: str
    kind: str
    default: Any = None


def from_json(params: Sequence[Param], given: Any) -> dict[str, Any]:
    """Read the ``params`` member of a request, an object or an array.

    Raises:
        ParamError: a value is of another form, or an array of another length.
    """
    if given is None:
        given = {}
    if isinstance(given, list):
        if len(given) != len(params):
            names = " ".join(param.name for param in params)
            raise ParamError(f"expected {len(params)} parameters ([{names}]), got {len(given)}")
        given = {param.name: value for param, value in zip(params, given, strict=True)}
    if not isinstance(given, dict):
        raise ParamError("unknown type for JSON params. Expected map or array")
    return {param.name: _from_json_value(param, given.get(param.name)) for param in params}


def from_uri(params: Sequence[Param], query: Mapping[str, str]) -> dict[str, Any]:
    """Read the query of a GET request; an empty value is an absent one.

    Raises:
        ParamError: a value is of another form.
    """
    return {param.name: _from_uri_value(param, query.get(param.name, "")) for param in params}


def _from_json_value(param: Param, value: Any) -> Any:
    if value is None:
        return param.default
    return _JSON_READERS[param.kind](value)


def _from_uri_value(param: Param, text: str) -> Any:
    if not text:
        return param.default
    if param.kind == "int64" and _INTEGER.fullmatch(text):
        return _int64(text)
    if text[:2].lower() == "0x":
        return _uri_hex(param, text[2:])
    value = _parse_json(text)
    if param.kind in ("bytes", "hex") and isinstance(value, str):
        return _string(value).encode()
    return _from_json_value(param, value)


def _uri_hex(param: Param, digits: str) -> bytes | str:
    if param.kind not in ("bytes", "hex", "string"):
        raise ParamError(f"got a hex string arg, but expected '{param.kind}'")
    raw = _hex(digits)
    return raw.decode("utf-8", "replace") if param.kind == "string" else raw


def _parse_json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise ParamError(f"{text[:64]!r} is not a JSON value; strings are quoted") from None


def _int64(value: Any) -> int:
    if not isinstance(value, str):
        raise ParamError(f"invalid 64-bit integer encoding {str(value)[:64]!r}, expected string")
    if not _INTEGER.fullmatch(value) or int(value) not in _INT64:
        raise ParamError(f"{value[:64]!r} is not a 64-bit integer")
    return int(value)


def _base64(value: Any) -> bytes:
    if not isinstance(value, str):
        raise ParamError("expected a base64 string")
    try:
        return base64.b64decode(value.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise ParamError("illegal base64 data") from error


def _hex(value: Any) -> bytes:
    if not isinstance(value, str) or not re.fullmatch(r"(?:[0-9a-fA-F]{2})*", value):
        raise ParamError("invalid hex string")
    return bytes.fromhex(value)


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise ParamError("expected a string")
    if _SURROGATE.search(value):
        raise ParamError("the string is not Unicode text")
    return value


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ParamError("expected true or false")
    return value


_JSON_READERS: Final[dict[str, Callable[[Any], Any]]] = {
    "int64": _int64,
    "bytes": _base64,
    "hex": _hex,
    "string": _string,
    "bool": _boolean,
}
