"""Whether something keeps this clock, and what time an attestation service has."""

import ctypes
import time
from email.utils import parsedate_to_datetime
from typing import Final

from enigmacli.doctor.facts import Clock
from enigmacli.doctor.subject import Subject

_STA_UNSYNC: Final = 0x40
_TIMEOUT_S: Final = 4.0
_MICROSECONDS: Final = 1_000_000


class _Timex(ctypes.Structure):
    """The beginning of ``struct timex``, and more room than the rest takes (adjtimex(2))."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * 512),
    )


def probe(subject: Subject) -> Clock:
    """Ask the kernel, and the configured service for its ``Date``."""
    service = _service(subject)
    asked_us, began = subject.now_us(), time.monotonic()
    service_us = _date_us(service) if service else None
    halfway_us = int((time.monotonic() - began) / 2 * _MICROSECONDS)
    return Clock(asked_us + halfway_us, _synchronised(), service, service_us)


def _service(subject: Subject) -> str:
    settings = subject.config.attestation
    if settings.provider != "dcap":
        return settings.ias_url
    return "" if settings.pcs_offline else settings.pcs_urls.partition(",")[0].strip()


def _synchronised() -> bool | None:
    """``modes`` 0 sets nothing."""
    state = _Timex()
    library = ctypes.CDLL(None)
    if library.adjtimex(ctypes.byref(state)) < 0:
        return None
    return not state.status & _STA_UNSYNC


def _date_us(url: str) -> int | None:
    """The ``Date`` of any answer; the answer itself is not read."""
    import httpx  # noqa: PLC0415 -- not paid by other probes

    from enigmacli.attestation.address import ServiceUrl  # noqa: PLC0415

    address = ServiceUrl.parse(url)
    try:
        with (
            httpx.Client(
                follow_redirects=False, trust_env=not address.loopback, timeout=_TIMEOUT_S,
                verify=address.verification(),
            ) as client,
            client.stream("GET", f"{address.base}/") as answer,
        ):  # fmt: skip
            date = answer.headers.get("date", "")
    except httpx.HTTPError:
        return None
    try:
        return int(parsedate_to_datetime(date).timestamp() * _MICROSECONDS)
    except (ValueError, OverflowError):
        return None
