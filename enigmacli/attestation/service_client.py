"""One HTTP service: bounded, patient, never redirected, and silent about secrets."""

import json
import math
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from enigmacli.attestation.address import ServiceUrl
from enigmacli.attestation.retry import (
    TOO_MANY_REQUESTS,
    RetryPolicy,
    is_retryable,
    retry_after_s,
)
from enigmacli.errors import (
    MalformedError,
    RateLimitedError,
    ServiceRefusedError,
    ServiceUnavailableError,
)

if TYPE_CHECKING:
    import httpx

_REDIRECTS: Final = range(300, 400)


@dataclass(frozen=True, slots=True)
class ServiceAnswer:
    """What a service answered, its bytes untouched."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes


@dataclass(frozen=True, slots=True)
class Waiting:
    """The sources of time and chance, which tests replace."""

    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    jitter: Callable[[], float] = random.random


class ServiceClient:
    """Sends requests to one base URL.

    Args:
        name: what the service is called in messages, for example ``attestation service``.
        url: its base URL; https, or http on this machine.
        headers: sent with every request; may hold a key, so they are never shown.
        timeout_s: of one connection, and of one pause in an answer.
        retry: how often and how long to try.
        waiting: time and chance.
        transport: what stands in for the network in tests.
        ca_file: PEM, the one authority that a service with a TLS certificate of its own has.

    Raises:
        ConfigError: ``url`` is not a service's, or ``ca_file`` holds no certificate.
    """

    def __init__(
        self,
        name: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        timeout_s: float = 10.0,
        retry: RetryPolicy | None = None,
        waiting: Waiting | None = None,
        transport: "httpx.BaseTransport | None" = None,
        ca_file: str = "",
    ) -> None:
        import httpx  # noqa: PLC0415 -- only commands that ask a service pay for it

        address = ServiceUrl.parse(url)
        self.url = address.base
        self._name = name
        self._timeout_s = timeout_s
        self._retry = retry or RetryPolicy()
        self._waiting = waiting or Waiting()
        self._failures = (httpx.TransportError,)
        # identity: the signed bytes are compared as sent, and a bound on them is a bound on work
        self._http = httpx.Client(
            headers={"Accept-Encoding": "identity", **(headers or {})},
            follow_redirects=False,
            trust_env=not address.loopback,
            verify=address.verification(ca_file),
            transport=transport,
        )

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def send(
        self, method: str, path: str, *, json_body: Any = None, max_bytes: int
    ) -> ServiceAnswer:
        """Ask, and ask again while the service may recover.

        Args:
            method: ``GET`` or ``POST``.
            path: below the base URL, beginning with a slash.
            json_body: sent as JSON; ``None`` sends no body.
            max_bytes: the longest answer read.

        Returns:
            The first answer that is final: 200, or a refusal for the caller to explain.

        Raises:
            ServiceUnavailableError: no final answer within the attempts or the deadline.
            ServiceRefusedError: a redirect, which is never followed.
            MalformedError: the answer is too long or compressed.
        """
        deadline = self._waiting.clock() + self._retry.deadline_s
        failures = 0
        while True:
            answer, why = self._attempt(method, path, json_body, max_bytes, deadline)
            if answer is not None and not is_retryable(answer.status):
                self._check_no_redirect(answer)
                return answer
            failures += 1
            if failures >= self._retry.attempts:
                raise self._unavailable(f"{why} ({failures} attempts)", answer)
            self._pause(answer, why, failures, deadline)

    def _attempt(
        self, method: str, path: str, json_body: Any, max_bytes: int, deadline: float
    ) -> tuple[ServiceAnswer | None, str]:
        """One request; without an answer, or with one to repeat for, the reason in words."""
        left_s = deadline - self._waiting.clock()
        if left_s <= 0:
            raise self._unavailable("no answer before the deadline")
        try:
            answer = self._exchange(method, path, json_body, max_bytes, left_s)
        except self._failures as error:
            return None, f"{type(error).__name__}: {error}".rstrip(": ")
        return answer, f"HTTP status {answer.status}"

    def _exchange(
        self, method: str, path: str, json_body: Any, max_bytes: int, left_s: float
    ) -> ServiceAnswer:
        content = None if json_body is None else json.dumps(json_body).encode()
        until = self._waiting.clock() + left_s
        with self._http.stream(
            method,
            self.url + path,
            content=content,
            headers={} if content is None else {"Content-Type": "application/json"},
            timeout=min(self._timeout_s, left_s),
        ) as response:
            headers = {name.lower(): value for name, value in response.headers.items()}
            if headers.get("content-encoding", "identity") != "identity":
                raise MalformedError(f"the {self._name} compressed its answer unasked")
            body = bytearray()
            for chunk in response.iter_raw():
                body += chunk
                if len(body) > max_bytes:
                    raise MalformedError(
                        f"the answer of the {self._name} is longer than {max_bytes} bytes"
                    )
                if self._waiting.clock() > until:
                    raise self._unavailable("its answer did not end before the deadline")
        return ServiceAnswer(response.status_code, headers, bytes(body))

    def _check_no_redirect(self, answer: ServiceAnswer) -> None:
        if answer.status in _REDIRECTS:
            raise ServiceRefusedError(
                f"the {self._name} at {self.url} answered with a redirect, which is never followed",
                hint="give the URL of the service itself",
                details={"status": answer.status},
            )

    def _pause(
        self, answer: ServiceAnswer | None, why: str, failures: int, deadline: float
    ) -> None:
        asked_s = retry_after_s(answer.headers) if answer is not None else 0.0
        if asked_s > self._retry.longest_retry_after_s:
            raise self._unavailable(f"{why}, asks to come back in {asked_s:.0f} s", answer)
        pause_s = max(asked_s, self._retry.delay_s(failures, self._waiting.jitter()))
        if self._waiting.clock() + pause_s >= deadline:
            raise self._unavailable(f"{why}, and the deadline is too near to ask again", answer)
        self._waiting.sleep(pause_s)

    def _unavailable(
        self, why: str, answer: ServiceAnswer | None = None
    ) -> ServiceUnavailableError:
        message = f"the {self._name} at {self.url} is unavailable: {why}"
        if answer is not None and answer.status == TOO_MANY_REQUESTS:
            asked_s = retry_after_s(answer.headers)
            return RateLimitedError(
                message, details={"status": answer.status, "retry_after_s": _finite(asked_s)}
            )
        return ServiceUnavailableError(
            message,
            hint="check the URL and that the service runs, then try again",
            details={} if answer is None else {"status": answer.status},
        )


def _finite(seconds: float) -> float | None:
    """Fit for JSON."""
    return seconds if math.isfinite(seconds) else None
