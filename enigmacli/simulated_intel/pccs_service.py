"""SIMULATION ONLY: ``pccs serve``, a simulated PCS or PCCS as a running process."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from enigmacli.simulated_intel.dcap_pki import PCK_KEY_BYTES, DcapPki
from enigmacli.simulated_intel.events import ServiceEvent
from enigmacli.simulated_intel.exchange import Answer, Request
from enigmacli.simulated_intel.folder_lock import lock_folder
from enigmacli.simulated_intel.pcs import SimulatedPcs
from enigmacli.simulated_intel.pcs_behaviour import PcsBehaviour
from enigmacli.simulated_intel.platforms import Platforms
from enigmacli.simulated_intel.service import SIMULATION_HEADERS
from enigmacli.simulated_intel.web import WebService, serve

LOCK_NAME: Final = "pccs.lock"
PLATFORMS_NAME: Final = "dcap_platforms.json"


@dataclass(frozen=True, slots=True)
class PccsSettings:
    """How to serve.

    Attributes:
        folder: keeps keys and provisioned platforms; one per network.
        host: address to listen on.
        port: 0 lets the system choose.
        api_keys: without any, clients need no key; never shown.
        behaviour: statuses, advisories, editions, latency and faults to begin with.
    """

    folder: Path
    host: str = "127.0.0.1"
    port: int = 8081
    api_keys: tuple[str, ...] = field(default=(), repr=False)
    behaviour: PcsBehaviour = field(default_factory=PcsBehaviour)


def run_pccs(settings: PccsSettings, report: Callable[[ServiceEvent], None]) -> None:
    """Serve until SIGTERM; for a process's main thread.

    Args:
        settings: how.
        report: told when the service listens, and of every answer.

    Raises:
        PortBusyError: the address is taken, or not this machine's.
        HomeBusyError: another service uses the folder.
        StorageError: the folder cannot be used, or what it holds is damaged.
    """
    pki = DcapPki.load_or_create(settings.folder, datetime.now(UTC))
    with ExitStack() as stack:
        lock_folder(stack, settings.folder / LOCK_NAME)
        platforms = Platforms(settings.folder / PLATFORMS_NAME, PCK_KEY_BYTES)
        pcs = SimulatedPcs(pki, platforms, settings.behaviour, settings.api_keys)

        async def decide(request: Request) -> Answer:
            return pcs.answer(request, time.time_ns() // 1000)

        service = WebService(decide, report, SIMULATION_HEADERS, pki.trust_root_entry())
        serve(service, settings.host, settings.port)
