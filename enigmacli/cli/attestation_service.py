"""How commands reach the attestation service, and fetch evidence of this home's enclave."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import click

from enigmacli.cli import inputs
from enigmacli.cli.context import Services
from enigmacli.cli.options import F, config_option
from enigmacli.errors import ConfigError

if TYPE_CHECKING:
    from enigmacli.attestation.fetch import FetchedEvidence
    from enigmacli.attestation.ias import IasClient

SIMULATED: Final = "simulated"
PURPOSES: Final = ("registration", "bootstrap")
_MICROSECONDS: Final = 1_000_000


def service_options(function: F) -> F:
    """``--provider --url --api-key-file --spid --timeout --retries``, over configuration."""
    decorators = (
        config_option(
            "--provider", key="attestation.provider", type=click.Choice(("simulated", "ias")),
            help="Who attests.",
        ),
        config_option(
            "--url", key="attestation.ias_url", metavar="URL", help="Service, or proxy to it."
        ),
        config_option(
            "--api-key-file", key="attestation.ias_api_key_file", metavar="FILE",
            help="File with the service's API key ('-': standard input).",
        ),
        config_option(
            "--spid", key="attestation.spid", metavar="HEX",
            help="Service provider id, for hardware that puts one into quotes.",
        ),
        config_option(
            "--timeout", key="attestation.timeout_s", metavar="SECONDS",
            help="Longest wait for one answer.",
        ),
        config_option(
            "--retries", key="attestation.retries", metavar="N",
            help="How often to ask again after 429, 5xx or silence.",
        ),
    )  # fmt: skip
    for decorate in reversed(decorators):
        function = decorate(function)
    return function


def check_provider(services: Services) -> None:
    """Refuse a simulated service on a network that wants Intel's word.

    Raises:
        ConfigError: provider and policy do not belong together.
        GenesisError: the genesis document has no policy.
    """
    settings = services.config.attestation
    if settings.provider == SIMULATED and not services.policy.simulation:
        raise ConfigError(
            "this network's policy wants evidence of real hardware, not a simulated one",
            hint="attest with --provider ias",
            details={"expected": "ias", "seen": settings.provider},
        )
    if settings.spid and services.config.enclave.backend == "simulation":
        services.warn("the simulation backend puts no SPID into its quotes; --spid is ignored")


def connect(services: Services) -> "IasClient":
    """A client of the configured service; nothing is sent yet.

    Raises:
        ConfigError: the address or the API key cannot be right.
        StorageError: the API key's file cannot be read.
    """
    from enigmacli.attestation.ias import IasClient  # noqa: PLC0415 -- not paid by --help
    from enigmacli.attestation.retry import RetryPolicy  # noqa: PLC0415

    settings = services.config.attestation
    key = inputs.read_secret_line(settings.ias_api_key_file) if settings.ias_api_key_file else None
    return IasClient(
        settings.ias_url,
        key,
        timeout_s=settings.timeout_s,
        retry=replace(RetryPolicy(), attempts=settings.retries + 1),
    )


def fetch(services: Services, purpose: str, owner: bytes) -> "FetchedEvidence":
    """Fetch evidence of this home's enclave from the configured service.

    Args:
        services: of this call.
        purpose: one of :data:`PURPOSES`.
        owner: 20 bytes, all zero where the policy requires no owner and for ``bootstrap``.

    Raises:
        ConfigError: provider and policy do not belong together.
        EnclaveError: the enclave refused to attest.
        EnigmaError: the service refused, did not answer, or answered nonsense.
    """
    from enigmacli.attestation.fetch import fetch_epid  # noqa: PLC0415

    check_provider(services)
    with connect(services) as service:
        return fetch_epid(
            services.enclave(),
            service,
            purpose=purpose,
            owner=owner,
            provision=services.config.attestation.provider == SIMULATED,
            now=datetime.fromtimestamp(services.now_us() / _MICROSECONDS, UTC),
        )
