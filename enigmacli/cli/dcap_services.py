"""How commands reach the servers of DCAP collateral: configured ones, a cache, or a folder."""

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from enigmacli.cli import inputs
from enigmacli.cli.context import Services
from enigmacli.cli.options import F, config_option

if TYPE_CHECKING:
    from enigmacli.attestation.dcap import DcapEvidence, DcapServices
    from enigmacli.attestation.pcs import PcsServer, Source

KINDS: Final = ("dcap-sgx", "dcap-tdx")
_MICROSECONDS: Final = 1_000_000


def dcap_options(function: F) -> F:
    """What the provider ``dcap`` takes beyond the others, over configuration."""
    decorators = (
        config_option(
            "--kind", key="attestation.dcap_kind", type=click.Choice(KINDS),
            help="What a DCAP quote is about.",
        ),
        config_option(
            "--tls-ca-file", key="attestation.pcs_ca_file", metavar="FILE",
            help="TLS authority (PEM) of a PCCS with a certificate of its own.",
        ),
        config_option(
            "--offline", key="attestation.pcs_offline", metavar="DIR",
            help="Take collateral from this folder and ask no server.",
        ),
        config_option(
            "--update", key="attestation.pcs_update", type=click.Choice(("early", "standard")),
            help="Edition of TCB documents.",
        ),
        config_option(
            "--tcb-evaluation-data-number", key="attestation.tcb_evaluation_data_number",
            metavar="N", help="TCB documents of this number, in place of an edition.",
        ),
        config_option(
            "--refresh", key="attestation.cache_max_age_s", is_flag=True, flag_value="0",
            help="Ask for all collateral anew.",
        ),
    )  # fmt: skip
    for decorate in reversed(decorators):
        function = decorate(function)
    return function


def fetch(services: Services, purpose: str, kind: str, owner: bytes) -> bytes:
    """Fetch DCAP evidence of this home's enclave.

    Args:
        services: of this call.
        purpose: ``registration`` or ``bootstrap``.
        kind: one of :data:`KINDS`.
        owner: 20 bytes, all zero where the policy requires no owner and for ``bootstrap``.

    Raises:
        EnclaveError: the enclave refused to attest.
        EnigmaError: no server gave the collateral.
    """
    from enigmacli.attestation.dcap import fetch_dcap  # noqa: PLC0415 -- not paid by --help

    with connect_all(services) as whom:
        evidence = fetch_dcap(services.enclave(), whom, purpose=purpose, kind=kind, owner=owner)
    return evidence.certificate


def fetch_for(services: Services, quote: bytes) -> "DcapEvidence":
    """Fetch the collateral of a quote that exists; it may be of any platform.

    Raises:
        EvidenceFormatError: the quote is malformed, or names no platform.
        EnigmaError: no server gave the collateral.
    """
    from enigmacli.attestation.dcap import complete  # noqa: PLC0415

    with connect_all(services) as whom:
        return complete(quote, whom)


@contextmanager
def connect_all(services: Services) -> Iterator["DcapServices"]:
    """Whom to ask for collateral, by configuration; nothing is sent yet.

    Raises:
        ConfigError: an address, a key or the offline folder cannot be right.
        StorageError: a file cannot be read.
    """
    from enigmacli.attestation.dcap import DcapServices  # noqa: PLC0415
    from enigmacli.attestation.pcs_request import Edition  # noqa: PLC0415
    from enigmacli.attestation.recorded import RecordedSource  # noqa: PLC0415

    settings = services.config.attestation
    edition = Edition(settings.pcs_update == "early", settings.tcb_evaluation_data_number)
    if settings.pcs_offline:
        folder = Path(os.path.expanduser(settings.pcs_offline))  # noqa: PTH111 -- Path's may raise
        yield DcapServices([RecordedSource.open(folder)], [], edition, services.warn)
        return
    with ExitStack() as held:
        urls = [url.strip() for url in settings.pcs_urls.split(",")]
        key = _api_key(services)
        servers = [held.enter_context(connect(services, url, key)) for url in urls]
        simulated = services.has_genesis and services.policy.simulation
        sources = servers if simulated else _cached(services, servers)
        yield DcapServices(sources, servers if simulated else [], edition, services.warn)


def _api_key(services: Services) -> str | None:
    """Read once for all servers: it may come from standard input."""
    file = services.config.attestation.pcs_api_key_file
    return inputs.read_secret_line(file) if file else None


def connect(services: Services, url: str, api_key: str | None) -> "PcsServer":
    """A client of one server; nothing is sent yet.

    Raises:
        ConfigError: the address, the API key or the TLS authority cannot be right.
    """
    from enigmacli.attestation.pcs import PcsServer  # noqa: PLC0415
    from enigmacli.attestation.retry import RetryPolicy  # noqa: PLC0415

    settings = services.config.attestation
    return PcsServer(
        url,
        api_key,
        timeout_s=settings.timeout_s,
        retry=replace(RetryPolicy(), attempts=settings.retries + 1),
        ca_file=settings.pcs_ca_file,
    )


def _cached(services: Services, servers: Sequence["PcsServer"]) -> Sequence["Source"]:
    """The servers behind this home's cache; without a home there is none.

    A simulated Intel is never cached: it is at hand, and one made anew at the same address
    has other keys.
    """
    from enigmacli.attestation.pcs_cache import CachedSource, PcsCache  # noqa: PLC0415
    from enigmacli.home import Home  # noqa: PLC0415

    home = Home(services.home_path)
    if not home.config_file.is_file():
        return servers
    cache = PcsCache(home.pcs_cache_dir)
    max_age_us = int(services.config.attestation.cache_max_age_s * _MICROSECONDS)
    return [
        CachedSource(server, cache, services.now_us, max_age_us, services.warn)
        for server in servers
    ]
