"""``bootstrap``: the first node makes the network's seed and completes genesis."""

from typing import TYPE_CHECKING, Any

from enigmacli.cli import attestation_service
from enigmacli.cli.accounts import acting_account
from enigmacli.cli.attestation_service import service_options
from enigmacli.cli.context import Services, pass_services
from enigmacli.cli.options import account_options
from enigmacli.cli.options import command as declare
from enigmacli.cli.output import emit, working

if TYPE_CHECKING:
    from enigmacli.bootstrap import BootstrapResult, FirstValidator


@declare(
    "bootstrap",
    examples=(
        "enigmacli bootstrap --from alice",
        "enigmacli bootstrap --provider dcap --url https://pccs.example.org:8081",
    ),
)
@account_options
@service_options
@pass_services
def command(services: Services) -> None:
    """Make the network's first seed and put its public keys into genesis.

    Once per network, on its first node. Safe to repeat: the enclave keeps the seed it made,
    and a genesis that has its keys is left as it is.
    """
    with services.home.lock():
        result = run(services)
    emit(services, document_of(services, result), lambda: _text(services, result))


def run(services: Services) -> "BootstrapResult":
    """Bootstrap this home, whose lock the caller holds."""
    from enigmacli.bootstrap import bootstrap  # noqa: PLC0415 -- not paid by --help
    from enigmacli.registration import NO_OWNER  # noqa: PLC0415

    attestation_service.check_provider(services)
    with working(services, "making the network's seed, with evidence of its keys"):
        return bootstrap(
            services.home,
            services.enclave(),
            lambda: attestation_service.fetch(services, "bootstrap", NO_OWNER).certificate,
            lambda: _first_validator(services),
            services.now_us,
        )


def _first_validator(services: Services) -> "FirstValidator":
    from enigmacli.bootstrap import FirstValidator  # noqa: PLC0415
    from enigmacli.engine.validator_key import Ed25519Key  # noqa: PLC0415

    key = Ed25519Key.load(services.home.priv_validator_key_file)
    return FirstValidator(
        key.public_key, acting_account(services).account, services.config.node.moniker
    )


def document_of(services: Services, result: "BootstrapResult") -> dict[str, Any]:
    """The result as JSON values."""
    from enclave.times import format_rfc3339  # noqa: PLC0415

    return {
        "changed": result.changed,
        "chain_id": services.genesis.chain_id,
        "exchange_pk": result.keys.exchange_pk.hex(),
        "io_pk": result.keys.io_pk.hex(),
        "bootstrap_time": format_rfc3339(result.keys.at_us),
        "genesis": str(services.home.genesis_file),
    }


def _text(services: Services, result: "BootstrapResult") -> str:
    shown = document_of(services, result)
    first = (
        "bootstrapped: genesis has the network's keys and their evidence"
        if result.changed
        else "bootstrapped before: nothing was changed"
    )
    return (
        f"{first}\n"
        f"exchange key  {shown['exchange_pk']}\n"
        f"io key        {shown['io_pk']}\n"
        f"genesis       {shown['genesis']}\n"
        f"next: {services.program} start"
    )
