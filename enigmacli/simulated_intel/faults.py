"""SIMULATION ONLY: failures on demand, for the next requests.

A fault is written ``KIND[,times=N][,endpoint=ENDPOINT][,retry-after=S]``, where KIND is an
HTTP status from 400 to 599, or one of the words of :class:`FaultKind`. What else can happen,
and where, differs between services: :class:`FaultRules`.
"""

import re
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import Final, Self

from enigmacli.errors import ConfigError
from enigmacli.simulated_intel.exchange import Answer, Delivery

MAX_TIMES: Final = 1000
MAX_RETRY_AFTER_S: Final = 86400

_STATUS: Final = re.compile(r"[45][0-9]{2}")
_OPTIONS: Final = ("times", "endpoint", "retry-after")


class Endpoint(StrEnum):
    """What can fail at a simulated IAS."""

    REPORT = "report"
    SIGRL = "sigrl"


class FaultKind(StrEnum):
    """How an answer goes wrong."""

    HTTP_STATUS = "http-status"
    DROP_CONNECTION = "drop-connection"
    TRUNCATED_BODY = "truncated-body"
    MISSING_SIGNATURE = "missing-signature"
    MISSING_CERTIFICATE = "missing-certificate"
    WRONG_SIGNATURE = "wrong-signature"
    REPLAYED_REPORT = "replayed-report"
    MISSING_CHAIN = "missing-chain"
    WRONG_CHAIN = "wrong-chain"
    OLD_HEADER = "old-header"


_EVERYWHERE: Final = (FaultKind.DROP_CONNECTION, FaultKind.TRUNCATED_BODY)


@dataclass(frozen=True, slots=True)
class FaultRules:
    """What can go wrong with one service, apart from what can go wrong with any.

    Attributes:
        endpoints: every one that can fail.
        special: where a kind can be met; the first is meant where none is named.
    """

    endpoints: tuple[StrEnum, ...]
    special: Mapping[FaultKind, tuple[StrEnum, ...]]

    def words(self) -> list[str]:
        """Every kind's name, HTTP statuses apart."""
        return [kind.value for kind in (*_EVERYWHERE, *self.special)]


IAS_FAULTS: Final = FaultRules(
    tuple(Endpoint),
    {
        FaultKind.MISSING_SIGNATURE: (Endpoint.REPORT,),
        FaultKind.MISSING_CERTIFICATE: (Endpoint.REPORT,),
        FaultKind.WRONG_SIGNATURE: (Endpoint.REPORT,),
        FaultKind.REPLAYED_REPORT: (Endpoint.REPORT,),
    },
)


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to fail, for some requests."""

    kind: FaultKind
    http_status: int = 0
    """With :attr:`FaultKind.HTTP_STATUS` only."""
    times: int = 1
    endpoint: StrEnum | None = None
    """``None``: any."""
    retry_after_s: int | None = None

    @classmethod
    def parse(cls, text: str, rules: FaultRules = IAS_FAULTS) -> Self:
        """Read the form that this module's text describes.

        Raises:
            ConfigError: ``text`` is not of that form, or the service has no such fault.
        """
        word, *rest = text.split(",")
        options = dict(part.partition("=")[::2] for part in rest)
        unknown = options.keys() - set(_OPTIONS)
        if unknown or len(options) != len(rest):
            raise ConfigError(f"not a fault: {text[:80]!r}", hint=f"options: {', '.join(_OPTIONS)}")
        kind, status = _kind(word, rules)
        endpoint = _endpoint(options.get("endpoint"), rules)
        places = rules.special.get(kind)
        if places is not None:
            endpoint = endpoint or places[0]
            if endpoint not in places:
                raise ConfigError(
                    f"{endpoint} cannot have the fault {word}", hint=f"only {', '.join(places)}"
                )
        retry_after = options.get("retry-after")
        return cls(
            kind,
            status,
            _number("times", options.get("times", "1"), 1, MAX_TIMES),
            endpoint,
            None
            if retry_after is None
            else _number("retry-after", retry_after, 0, MAX_RETRY_AFTER_S),
        )

    def concerns(self, endpoint: StrEnum) -> bool:
        """Whether a request to ``endpoint`` can meet this fault."""
        return self.endpoint in (None, endpoint)

    def __str__(self) -> str:
        """The form that :meth:`parse` reads."""
        parts = [str(self.http_status) if self.http_status else self.kind.value]
        parts += [f"times={self.times}"]
        parts += [f"endpoint={self.endpoint}"] if self.endpoint else []
        parts += [] if self.retry_after_s is None else [f"retry-after={self.retry_after_s}"]
        return ",".join(parts)


class FaultQueue:
    """Faults in the order in which they will be met."""

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        self._faults = deque(fault for listed in faults for fault in [listed] * listed.times)

    def __len__(self) -> int:
        """How many requests are still to fail."""
        return len(self._faults)

    def take(self, endpoint: StrEnum) -> Fault | None:
        """The fault that the next request to ``endpoint`` meets; it is met once."""
        for index, fault in enumerate(self._faults):
            if fault.concerns(endpoint):
                del self._faults[index]
                return fault
        return None


def _kind(word: str, rules: FaultRules) -> tuple[FaultKind, int]:
    if _STATUS.fullmatch(word):
        return FaultKind.HTTP_STATUS, int(word)
    words = rules.words()
    if word not in words:
        raise ConfigError(
            f"not a fault: {word[:80]!r}", hint=f"an HTTP status, or one of {', '.join(words)}"
        )
    return FaultKind(word), 0


def _endpoint(word: str | None, rules: FaultRules) -> StrEnum | None:
    if word is None:
        return None
    for endpoint in rules.endpoints:
        if endpoint == word:
            return endpoint
    raise ConfigError(
        f"no endpoint that can fail: {word[:80]!r}", hint=f"one of {', '.join(rules.endpoints)}"
    )


def _number(name: str, text: str, least: int, most: int) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", text) or not least <= int(text) <= most:
        raise ConfigError(f"{name} is a number from {least} to {most}, not {text[:80]!r}")
    return int(text)


def note_of(fault: Fault) -> str:
    """What the service's log says of an answer that went wrong."""
    return f"fault {fault.kind}"


def failure(fault: Fault) -> Answer | None:
    """What is sent where a fault needs no true answer; ``None`` where it spoils one."""
    if fault.kind is FaultKind.HTTP_STATUS:
        wait = fault.retry_after_s
        headers = {} if wait is None else {"Retry-After": str(wait)}
        return Answer(fault.http_status, headers=headers, note=note_of(fault))
    if fault.kind is FaultKind.DROP_CONNECTION:
        return Answer(HTTPStatus.OK, delivery=Delivery.DROPPED, note=note_of(fault))
    return None
