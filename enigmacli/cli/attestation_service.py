"""How commands reach whoever attests, and fetch evidence of this home's enclave."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import click

from enigmacli.cli import dcap_services, inputs
from enigmacli.cli.context import Services
from enigmacli.cli.options import Decorator, F, config_option
from enigmacli.errors import ConfigError

if TYPE_CHECKING:
    from enigmacli.attestation.ias import IasClient

DCAP: Final = "dcap"
SIMULATED: Final = "simulated"
PROVIDERS: Final = (DCAP, "ias", SIMULATED)
PURPOSES: Final = ("registration", "bootstrap")
EPID: Final = "epid"
_MICROSECONDS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Fetched:
    """Evidence as a transaction carries it; not judged yet."""

    certificate: bytes
    kind: str
    """``epid``, ``dcap-sgx`` or ``dcap-tdx``."""


def service_options(function: F) -> F:
    """Who attests, where, and how patiently to ask; all over configuration."""
    decorators = (
        config_option(
            "--provider", key="attestation.provider", type=click.Choice(PROVIDERS),
            help="Who attests: ias or simulated (EPID), or dcap.",
        ),
        _url_option,
        _both(
            "--api-key-file", keys=("attestation.ias_api_key_file", "attestation.pcs_api_key_file"),
            metavar="FILE", help="File with the service's API key ('-': standard input).",
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
        dcap_services.dcap_options,
    )  # fmt: skip
    for decorate in reversed(decorators):
        function = decorate(function)
    return function


def _both(name: str, *, keys: tuple[str, ...], **attributes: Any) -> Decorator:
    """An option that means the same for every provider."""

    def remember(ctx: click.Context, _: click.Parameter, value: str | None) -> None:
        for key in keys if value is not None else ():
            ctx.ensure_object(Services).override(key, str(value))

    return click.option(name, expose_value=False, callback=remember, **attributes)


def _url_option(function: F) -> F:
    """``--url``, once for a service, several times for servers of collateral."""

    def remember(ctx: click.Context, _: click.Parameter, values: tuple[str, ...]) -> None:
        services = ctx.ensure_object(Services)
        if values:
            services.override("attestation.pcs_urls", ",".join(values))
        if len(values) == 1:
            services.override("attestation.ias_url", values[0])

    return click.option(
        "--url", multiple=True, expose_value=False, callback=remember, metavar="URL",
        help="Service, or proxy to it; with dcap more than once, in their order.",
    )(function)  # fmt: skip


def kind_of(services: Services) -> str:
    """The kind of evidence that the chosen provider gives."""
    settings = services.config.attestation
    return settings.dcap_kind if settings.provider == DCAP else EPID


def check_provider(services: Services) -> None:
    """Refuse a provider whose evidence this network cannot accept.

    Raises:
        ConfigError: provider and policy do not belong together, or an IAS at several addresses.
        GenesisError: the genesis document has no policy.
    """
    settings = services.config.attestation
    policy = services.policy
    hint = f"attest with {_suggestion(policy.evidence_kinds, simulated=policy.simulation)}"
    if settings.provider == SIMULATED and not policy.simulation:
        raise ConfigError(
            "this network's policy wants evidence of real hardware, not a simulated one",
            hint=hint,
            details={"expected": list(policy.evidence_kinds), "seen": settings.provider},
        )
    kind = kind_of(services)
    if kind not in policy.evidence_kinds:
        raise ConfigError(
            f"this network's policy accepts no {kind} evidence",
            hint=hint,
            details={"expected": list(policy.evidence_kinds), "seen": kind},
        )
    origin = services.config.origins.get("attestation.pcs_urls")
    if settings.provider != DCAP and "," in settings.pcs_urls and str(origin) == "flag":
        raise ConfigError("an attestation service has one address", hint="give --url once")
    if settings.spid and services.config.enclave.backend == "simulation":
        services.warn("the simulation backend puts no SPID into its quotes; --spid is ignored")


def _suggestion(kinds: tuple[str, ...], *, simulated: bool) -> str:
    epid = f"--provider {SIMULATED if simulated else 'ias'}"
    ways = (epid if kind == EPID else f"--provider {DCAP} --kind {kind}" for kind in kinds)
    return " or ".join(ways)


def connect(services: Services) -> "IasClient":
    """A client of the configured attestation service; nothing is sent yet.

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


def fetch(services: Services, purpose: str, owner: bytes) -> Fetched:
    """Fetch evidence of this home's enclave from the configured provider.

    Args:
        services: of this call.
        purpose: one of :data:`PURPOSES`.
        owner: 20 bytes, all zero where the policy requires no owner and for ``bootstrap``.

    Raises:
        ConfigError: provider and policy do not belong together.
        EnclaveError: the enclave refused to attest.
        EnigmaError: the service refused, did not answer, or answered nonsense.
    """
    check_provider(services)
    kind = kind_of(services)
    if kind != EPID:
        return Fetched(dcap_services.fetch(services, purpose, kind, owner), kind)
    return Fetched(_fetch_epid(services, purpose, owner), kind)


def _fetch_epid(services: Services, purpose: str, owner: bytes) -> bytes:
    from enigmacli.attestation.fetch import fetch_epid  # noqa: PLC0415

    with connect(services) as service:
        return fetch_epid(
            services.enclave(),
            service,
            purpose=purpose,
            owner=owner,
            provision=services.config.attestation.provider == SIMULATED,
            now=datetime.fromtimestamp(services.now_us() / _MICROSECONDS, UTC),
        ).certificate
