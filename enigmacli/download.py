"""Fetch one public document: bounded, with a deadline, never redirected.

What is fetched is not trusted for coming from its address; the caller compares a hash, or
asks only this machine.
"""

import time
from typing import Final
from urllib.parse import urlsplit

from enigmacli.attestation.address import is_loopback
from enigmacli.errors import (
    ConfigError,
    MalformedError,
    NotFoundError,
    ServiceRefusedError,
    ServiceUnavailableError,
)

TIMEOUT_S: Final = 10.0
DEADLINE_S: Final = 60.0
_OK: Final = 200
_NOT_FOUND: Final = 404
_SERVER_ERROR: Final = 500


def is_url(source: str) -> bool:
    """Whether a person named an address rather than a file."""
    return "://" in source


def names_this_machine(url: str) -> bool:
    """Whether the URL's host is this machine.

    Raises:
        ConfigError: it is not an http or https URL.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise ConfigError(f"not a URL: {url[:200]!r}") from error
    if parts.scheme not in ("http", "https") or not host or port == 0:
        raise ConfigError(f"not an http or https URL: {url[:200]!r}")
    return is_loopback(host)


def download(url: str, max_bytes: int, deadline_s: float = DEADLINE_S) -> bytes:
    """The body of one GET.

    Args:
        url: http or https.
        max_bytes: the longest body read.
        deadline_s: of the whole answer.

    Raises:
        ConfigError: not a URL.
        ServiceUnavailableError: no answer, or one that says to come back later.
        NotFoundError: there is nothing at this address.
        ServiceRefusedError: another status, redirects included.
        MalformedError: the answer is too long.
    """
    import httpx  # noqa: PLC0415 -- paid only by those who name a URL

    local = names_this_machine(url)
    until = time.monotonic() + deadline_s
    body = bytearray()
    try:
        with (
            httpx.Client(follow_redirects=False, trust_env=not local, timeout=TIMEOUT_S) as client,
            client.stream("GET", url) as response,
        ):
            _check_status(url, response.status_code)
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > max_bytes:
                    raise MalformedError(f"the answer of {url} is longer than {max_bytes} bytes")
                if time.monotonic() > until:
                    raise _unavailable(url, "its answer did not end in time")
    except httpx.TransportError as error:
        raise _unavailable(url, type(error).__name__) from error
    except (httpx.InvalidURL, httpx.HTTPError) as error:
        raise MalformedError(f"the answer of {url} is no HTTP answer: {error}") from error
    return bytes(body)


def _check_status(url: str, status: int) -> None:
    if status == _OK:
        return
    if status >= _SERVER_ERROR:
        raise _unavailable(url, f"HTTP status {status}")
    if status == _NOT_FOUND:
        raise NotFoundError(f"there is nothing at {url}", details={"status": status})
    raise ServiceRefusedError(
        f"{url} answered with HTTP status {status}",
        hint="give the address of the document itself",
        details={"status": status},
    )


def _unavailable(url: str, why: str) -> ServiceUnavailableError:
    return ServiceUnavailableError(
        f"{url} is unavailable: {why}", hint="check the address and that the service runs"
    )
