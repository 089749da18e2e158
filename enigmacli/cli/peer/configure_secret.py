"""``configure-secret``: install a seed that was fetched before."""

from pathlib import Path

import click

from enigmacli.cli import seed
from enigmacli.cli.context import Services, pass_services
from enigmacli.cli.options import command as declare
from enigmacli.cli.output import emit, working
from enigmacli.cli.peer.refusals import RefusedError


@declare(
    "configure-secret",
    examples=(
        'enigmacli configure-secret node-master-key.txt "$(enigmacli q register seed NODE_ID)"',
    ),
)
@click.argument("key_file", metavar="MASTER_KEY_FILE", type=click.Path(path_type=Path))
@click.argument("encrypted", metavar="SEED_HEX")
@pass_services
def command(services: Services, key_file: Path, encrypted: str) -> None:
    """Have the enclave open, check and seal SEED_HEX, which query register seed printed.

    MASTER_KEY_FILE is the node-master-key.txt of query register secret-network-params. The
    enclave compares both with this home's genesis document. seed unseal fetches and does it all.
    """
    from enigmacli import registration  # noqa: PLC0415 -- not paid by --help
    from enigmacli.cli.peer.master_keys import read_key  # noqa: PLC0415

    wrapped = _wrapped(encrypted, registration.WRAP_SIZE)
    network = seed.network_keys(services)
    exchange_pk = read_key(key_file)
    with working(services, "unsealing the network's seed"):
        held = registration.install(services.enclave(), network, exchange_pk, wrapped)
    document = {
        "epoch": held.epoch,
        "exchange_pk": held.exchange_pk.hex(),
        "io_pk": held.io_pk.hex(),
    }
    emit(services, document, f"the enclave holds the network's seed of epoch {held.epoch}")


def _wrapped(text: str, wrap_size: int) -> bytes:
    """The encrypted seed, 48 bytes for each epoch.

    Raises:
        RefusedError: there is none yet, or it was cut.
    """
    digits = text.strip().removeprefix("0x")
    if not digits:
        raise RefusedError(
            "SEED_HEX is empty: the network had not answered when it was asked",
            "enigmacli seed wait waits for the answer; then ask again",
        )
    try:
        wrapped = bytes.fromhex(digits)
    except ValueError:
        wrapped = b""
    if not wrapped or len(wrapped) % wrap_size:
        raise RefusedError(
            f"SEED_HEX must be {2 * wrap_size} hex digits for each epoch, got {len(digits)}",
            "enigmacli query register seed NODE_ID prints it",
        )
    return wrapped
