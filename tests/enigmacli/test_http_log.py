"""What clients do wrong stays out of the log; what is a fault of ours does not."""

import logging

import pytest
from aiohttp import web
from aiohttp.http_exceptions import BadHttpMessage, BadStatusLine

from enigmacli.http_log import server_logger


def log(error: BaseException) -> None:
    server_logger().error("Error handling request", exc_info=error)


@pytest.mark.parametrize(
    "error",
    [
        BadHttpMessage("no header"),
        BadStatusLine(""),
        web.RequestPayloadError("no gzip"),
        ConnectionResetError(),
        UnicodeEncodeError("utf-8", "\udc80", 0, 1, "a surrogate"),
    ],
)
def test_a_malformed_message_is_not_logged(
    error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    log(error)

    assert not caplog.records


def test_a_fault_of_the_server_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    log(ZeroDivisionError())
    server_logger().error("no exception at all")

    assert [record.levelno for record in caplog.records] == [logging.ERROR] * 2
