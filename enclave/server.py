"""The loop of the trusted process: read one bounded frame, dispatch, reply.

End of input ends the process. A malformed body gets an error and the next frame its turn;
a frame whose length is out of bounds gets an error and ends the process, since nobody knows
where the next one starts.
"""

import os
import sys
from collections.abc import Callable, Mapping
from typing import Any, Final, NoReturn

from enclave import calls, codec, frames
from enclave.errors import CallError, EnclaveError, InternalError

Offered = Mapping[type, Callable[[Any], object]]
"""A role's calls: request class to method, which returns the class's REPLY or raises."""

_CHUNK_BYTES: Final = 64 * 1024
_ERROR_BOUNDS: Final = {"message": 1024, "expected": 4096, "seen": 4096}


def serve(offered: Offered, source: int, sink: int) -> None:
    """Answer frames from ``source`` on ``sink`` (file descriptors) until the input ends."""
    while True:
        header = _read(source, frames.HEADER_BYTES)
        if header is None:
            return
        try:
            size = frames.parse_length(header)
        except CallError as error:
            _write(sink, _error_frame(error))
            return
        frame = _read(source, size)
        if frame is None:
            return
        reply = answer(offered, frame)
        _write(sink, reply)
        if reply[frames.HEADER_BYTES] == calls.Shutdown.NUMBER:
            return


def refuse(error: EnclaveError) -> Offered:
    """A role that answers every call with the error that kept the true one from starting."""

    def raise_it(_request: Any) -> NoReturn:
        raise error

    kinds: tuple[type, ...] = calls.REQUESTS
    return dict.fromkeys(kinds, raise_it)


def answer(offered: Offered, frame: bytes) -> bytes:
    """The reply frame to a request frame (what follows its length); never raises."""
    number, body = frame[0], frame[1:]
    try:
        reply = _dispatch(offered, number, body)
        return frames.encode(number, reply)
    except EnclaveError as error:
        return _error_frame(error)
    except Exception as error:  # noqa: BLE001 -- a bug in one call must not end the process
        _report_bug(error)
        name = type(error).__name__
        return _error_frame(InternalError(f"a bug inside the enclave ({name})"))


def _dispatch(offered: Offered, number: int, body: bytes) -> object:
    kind = calls.BY_NUMBER.get(number)
    if kind is None:
        raise CallError("there is no such call", seen=str(number))
    request: Any = codec.decode(kind, body)
    if kind is calls.Shutdown:
        return calls.Done()
    if kind not in offered:
        raise CallError(f"this role does not offer {kind.__name__.lower()}")
    return offered[kind](request)


def _error_frame(error: EnclaveError) -> bytes:
    texts = {
        name: _cut(getattr(error, name), most_bytes) for name, most_bytes in _ERROR_BOUNDS.items()
    }
    return frames.encode(calls.ErrorReply.NUMBER, calls.ErrorReply(code=error.code, **texts))


def _cut(text: str, most_bytes: int) -> str:
    return text.encode("utf-8", "backslashreplace")[:most_bytes].decode("utf-8", "ignore")


def _report_bug(error: Exception) -> None:
    import traceback  # noqa: PLC0415 -- needed once in a lifetime, if ever

    # where, but not what: an exception's own words may quote values
    traceback.print_tb(error.__traceback__, file=sys.stderr)


def _read(source: int, size: int) -> bytes | None:
    received = bytearray()
    while len(received) < size:
        chunk = os.read(source, min(_CHUNK_BYTES, size - len(received)))
        if not chunk:
            return None
        received += chunk
    return bytes(received)


def _write(sink: int, frame: bytes) -> None:
    rest = memoryview(frame)
    while rest:
        rest = rest[os.write(sink, rest) :]
