"""What an HTTP server logs: faults of its own, never a client's.

aiohttp logs a traceback for every message that is no HTTP, and for clients that leave in the
middle of one, so that whoever can connect could fill a node's standard error.
"""

import logging
from typing import Final

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

_NAME: Final = "enigmacli.http"
_OF_CLIENTS: Final = (
    HttpProcessingError,
    web.RequestPayloadError,
    ConnectionError,
    UnicodeError,  # from aiohttp itself, where an Expect header is no text
)


def server_logger() -> logging.Logger:
    """The logger for ``aiohttp.web.AppRunner``; what clients do wrong does not pass it."""
    logger = logging.getLogger(_NAME)
    logger.addFilter(_is_own_fault)  # once, however often it is called
    return logger


def _is_own_fault(record: logging.LogRecord) -> bool:
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, _OF_CLIENTS)
