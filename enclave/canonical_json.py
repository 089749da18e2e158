"""Canonical JSON, and a strict reader for JSON that somebody else wrote.

Canonical (protocol.md section 2): UTF-8, keys sorted, no spaces, ASCII escapes; keys are
ASCII strings, values strings without lone surrogates, integers within ±(2^53 - 1),
booleans, lists and objects; depth at most 8, size at most 64 KiB. There is one encoding of
each value, so hashes of it agree everywhere.
"""

import json
import math
import re
from collections.abc import Callable
from typing import Any, Final, NoReturn

MAX_BYTES: Final = 64 * 1024
MAX_DEPTH: Final = 8
MAX_INTEGER: Final = 2**53 - 1

_MAX_DIGITS: Final = 19  # what 63 bits hold, and far below where int() becomes slow
# A whole string (an unterminated one runs to the end), or one bracket. Possessive throughout:
# hostile input is walked once.
_TOKENS: Final = re.compile(r'"(?:[^"\\]++|\\.?+)*+(?:"|\Z)|[\[\]{}]', re.DOTALL)


def encode(value: object) -> bytes:
    """The canonical bytes of ``value``.

    Raises:
        ValueError: canonical JSON does not allow ``value``, or it is too long.
    """
    check(value)
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"), sort_keys=True)
    if len(text) > MAX_BYTES:
        raise ValueError(f"canonical JSON is longer than {MAX_BYTES} bytes")
    return text.encode("ascii")


def check(value: object, depth: int = MAX_DEPTH) -> None:
    """Refuse what canonical JSON does not allow; ``depth`` counts the levels still open.

    Raises:
        ValueError: a type, key, string or number that is not allowed, or nested too deeply.
    """
    match value:
        case bool():
            return
        case int():
            if abs(value) > MAX_INTEGER:
                raise ValueError("an integer is beyond 2^53 - 1")
        case str():
            _check_text(value)
        case list() | dict():
            _check_container(value, depth)
        case _:
            raise ValueError(f"canonical JSON has no {type(value).__name__}")


def _check_container(value: list[Any] | dict[Any, Any], depth: int) -> None:
    if depth == 0:
        raise ValueError("nested too deeply")
    if isinstance(value, dict):
        if not all(isinstance(key, str) and key.isascii() for key in value):
            raise ValueError("a key is not an ASCII string")
        value = list(value.values())
    for item in value:
        check(item, depth - 1)


def _check_text(text: str) -> None:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise ValueError("a string holds a lone surrogate") from None


def loads(
    data: bytes, *, max_bytes: int = MAX_BYTES, max_depth: int = MAX_DEPTH, floats: bool = False
) -> Any:
    """Read one JSON value strictly; depth and size are judged before anything is parsed.

    Refused are duplicate keys, a byte order mark, NaN and infinities, integers of more than
    19 digits, lone surrogates, and anything behind the value. ``null`` is read, so that the
    caller can say what it wanted instead; fractions are read only with ``floats``.

    Raises:
        ValueError: why ``data`` was refused, in a few words.
    """
    if len(data) > max_bytes:
        raise ValueError(f"longer than {max_bytes} bytes")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise ValueError("not UTF-8") from None
    _check_depth(text, max_depth)
    try:
        value = (_WITH_FLOATS if floats else _WITHOUT_FLOATS).decode(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON at character {error.pos}: {error.msg}") from None
    if "\\u" in text:  # UTF-8 has no surrogates, so only an escape can bring one
        _check_texts(value)
    return value


def _check_depth(text: str, most: int) -> None:
    if text.count("[") + text.count("{") <= most:
        return
    depth = 0
    for token in _TOKENS.finditer(text):
        if token[0] in "[{":
            depth += 1
            if depth > most:
                raise ValueError(f"nested deeper than {most} levels")
        elif token[0] in "]}":
            depth -= 1


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("an object has a key twice")
    return value


def _integer(digits: str) -> int:
    if len(digits.removeprefix("-")) > _MAX_DIGITS:
        raise ValueError(f"an integer has more than {_MAX_DIGITS} digits")
    return int(digits)


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError("a number is out of range")
    return number


def _refuse_float(digits: str) -> NoReturn:
    raise ValueError(f"a number is not an integer: {digits[:40]}")


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number")


def _check_texts(value: object) -> None:
    if isinstance(value, str):
        _check_text(value)
    elif isinstance(value, list):
        for item in value:
            _check_texts(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            _check_text(key)
            _check_texts(item)


def _decoder(parse_float: Callable[[str], float]) -> json.JSONDecoder:
    return json.JSONDecoder(
        object_pairs_hook=_object,
        parse_constant=_refuse_constant,
        parse_float=parse_float,
        parse_int=_integer,
    )


_WITH_FLOATS: Final = _decoder(_finite)
_WITHOUT_FLOATS: Final = _decoder(_refuse_float)
