"""``quickstart``: the whole story on this machine."""

import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from enigmacli.cli.context import Services, pass_services
from enigmacli.cli.options import command as declare
from enigmacli.cli.options import config_option
from enigmacli.cli.output import emit, say
from enigmacli.cli.start import ENGINES

if TYPE_CHECKING:
    from enigmacli.quickstart import Outcome


PROVIDERS: Final = ("simulated", "dcap")


@declare(
    "quickstart",
    examples=(
        "enigmacli quickstart",
        "enigmacli quickstart --keep DIR --provider dcap",
        "enigmacli quickstart --engine cometbft --cometbft FILE",
    ),
)
@click.option(
    "--keep", metavar="DIR", type=click.Path(path_type=Path, file_okay=False),
    help="Keep both nodes' homes in DIR; the same command again resumes there.",
)  # fmt: skip
@click.option(
    "--engine",
    type=click.Choice(ENGINES),
    default=ENGINES[0],
    show_default=True,
    help="What orders the first node's transactions.",
)
@click.option(
    "--provider",
    type=click.Choice(PROVIDERS),
    default=PROVIDERS[0],
    show_default=True,
    help="How the nodes attest: simulated (EPID, an IAS) or dcap (SGX, a PCCS).",
)
@config_option("--cometbft", key="cometbft.path", metavar="FILE", help="CometBFT's binary.")
@pass_services
def command(services: Services, *, keep: Path | None, engine: str, provider: str) -> None:
    """The whole story: a simulated Intel, a first node, a second node that joins it.

    Prints every command that it runs, and each phase with its time. All processes end with
    this one.
    """
    from enigmacli.quickstart import ATTESTATIONS, Teller, tell  # noqa: PLC0415 -- not paid by --help

    services.warn("simulation: keys, evidence and Intel are simulated, nothing here is protected")
    teller = Teller(
        title=lambda words: say(services, f"\n{words}"),
        step=lambda words: say(services, f"  $ {words}"),
        fact=lambda words: say(services, f"    {words}"),
    )
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # cleans up, as Ctrl-C does
    with _folder(keep) as folder:
        outcome = tell(folder, teller, _engine_options(services, engine), ATTESTATIONS[provider])
    emit(services, _document(outcome, keep), lambda: _text(outcome, keep))


def _engine_options(services: Services, engine: str) -> tuple[str, ...]:
    """What the first node's start command says beyond that of the embedded engine.

    Raises:
        ConfigError: there is no CometBFT, and it is wanted.
    """
    if engine == ENGINES[0]:
        return ()
    from enigmacli.engine.cometbft_process import find_program  # noqa: PLC0415

    program = find_program(services.config.cometbft.path)
    return ("--engine", engine, "--cometbft", str(program))


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    if keep is not None:
        from enigmacli import home as homes  # noqa: PLC0415

        homes.make_folder(keep)
        yield keep.absolute()
        return
    with tempfile.TemporaryDirectory(prefix="enigma-quickstart-") as folder:
        yield Path(folder)


def _document(outcome: "Outcome", keep: Path | None) -> dict[str, Any]:
    return {
        "simulation": True,
        "phases": [
            {"title": phase.title, "seconds": round(phase.seconds, 3)} for phase in outcome.phases
        ],
        "node_id": outcome.node_id,
        "height": outcome.height,
        "app_hash": outcome.app_hash,
        "kept": None if keep is None else str(keep.absolute()),
    }


def _text(outcome: "Outcome", keep: Path | None) -> str:
    total = sum(phase.seconds for phase in outcome.phases)
    lines = [
        "",
        *(f"{phase.seconds:6.1f} s  {phase.title}" for phase in outcome.phases),
        f"{total:6.1f} s  in all",
        "",
        f"both nodes are at height {outcome.height}",
        f"with app hash {outcome.app_hash}",
    ]
    if keep is not None:
        lines.append(f"kept in {keep}; the same command resumes there")
    return "\n".join(lines)
