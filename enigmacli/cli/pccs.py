"""``pccs``: a simulated PCS or PCCS, which certifies simulated DCAP platforms."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from enigmacli.cli import serving
from enigmacli.cli.context import Services, pass_services
from enigmacli.cli.options import config_option, group

if TYPE_CHECKING:
    from enigmacli.simulated_intel.pcs_behaviour import PcsBehaviour

_WARNING: Final = "simulation: this service is not Intel's, its certificates prove nothing"


@group("pccs", examples=("enigmacli pccs serve",))
def command() -> None:
    """A simulated service of DCAP certificates and collateral."""


@command.command(
    "serve",
    examples=(
        "enigmacli pccs serve",
        "enigmacli pccs serve --status OutOfDate --advisory INTEL-SA-00615",
    ),
)
@config_option(
    "--listen", key="pccs.listen", metavar="HOST:PORT", help="Address; port 0 takes a free one."
)
@click.option(
    "--state",
    "folder",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Keeps the service's keys and platforms [default: <home>/pccs].",
)
@click.option("--status", "tcb_status", metavar="STATUS", default="UpToDate",
              help="TCB status of every platform.")  # fmt: skip
@click.option(
    "--advisory",
    "advisory_ids",
    metavar="INTEL-SA-NNNNN",
    multiple=True,
    help="Advisory of every platform [default: those usual with the status].",
)
@click.option("--qe-status", metavar="STATUS", default="UpToDate",
              help="Status of the quoting enclaves.")  # fmt: skip
@click.option("--module-status", metavar="STATUS", default="UpToDate",
              help="Status of the TDX module.")  # fmt: skip
@click.option("--tcb-evaluation-data-number", type=int, default=17, show_default=True,
              metavar="N", help="Of TCB Info and identities.")  # fmt: skip
@click.option(
    "--documents",
    metavar="EDITION",
    default="current",
    help="current, expired, or rolled-back: an earlier edition that still holds.",
)
@click.option(
    "--revoke",
    "revoked",
    metavar="WHAT",
    multiple=True,
    help="tcb-signing, platform-ca, processor-ca, or a platform's PCK in hex.",
)
@click.option("--pck-ca", metavar="CA", default="platform",
              help="platform or processor: who certifies platforms.")  # fmt: skip
@click.option("--caching", is_flag=True, help="Answer as a PCCS where it differs from a PCS.")
@serving.latency_option
@serving.fault_option
@serving.client_key_option
@serving.lifeline_option
@pass_services
def serve(
    services: Services,
    /,
    *,
    folder: Path | None,
    client_key_file: str | None,
    die_with_parent: bool,
    **settings: Any,
) -> None:
    """Serve simulated certificates and collateral until SIGINT or SIGTERM.

    They lead to a root of its own, made on the first start, which the policy of a simulated
    network names; it certifies the platforms that were provisioned and no others.
    """
    from enigmacli.simulated_intel.pccs_service import PccsSettings, run_pccs  # noqa: PLC0415

    host, port = serving.split_address(services.config.pccs.listen)
    given = PccsSettings(
        folder=serving.state_folder(services, folder, "pccs"),
        host=host,
        port=port,
        api_keys=serving.client_keys(client_key_file),
        behaviour=_behaviour(**settings),
    )
    services.warn(_WARNING)
    serving.serve(services, lambda report: run_pccs(given, report), lifeline=die_with_parent)


def _behaviour(
    *, advisory_ids: tuple[str, ...], revoked: tuple[str, ...], faults: tuple[str, ...], **rest: Any
) -> "PcsBehaviour":
    from enigmacli.errors import ConfigError  # noqa: PLC0415
    from enigmacli.simulated_intel.pcs_behaviour import PcsBehaviour  # noqa: PLC0415

    settings = {
        "advisory_ids": list(advisory_ids) or None,
        "revoked": list(revoked),
        "next": list(faults),
        **rest,
    }
    try:
        return PcsBehaviour().changed(settings)
    except ConfigError as error:
        raise click.UsageError(error.message) from error
