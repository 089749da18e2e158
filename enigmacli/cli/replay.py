"""``replay``: execute stored blocks again, outside the gate, and compare the app hashes."""

from typing import Any, Final

import click

from enigmacli.cli.context import Services, pass_services
from enigmacli.cli.options import command as declare
from enigmacli.cli.output import emit

_LOUD: Final = (
    "replay without an enclave: nobody judged the bootstrap evidence; "
    "this run can neither vote nor serve"
)


@declare("replay", examples=("enigmacli replay --without-enclave",))
@click.option(
    "--without-enclave",
    is_flag=True,
    help="Say that no enclave takes part; a replay knows no other way.",
)
@pass_services
def command(services: Services, *, without_enclave: bool) -> None:
    """Execute the blocks in this home's store again, and compare every app hash.

    The state starts from genesis, in memory; nothing in the home is changed. Exit code 5: a
    block gives another app hash than the chain carries.
    """
    from enigmacli.bootstrap import stored_height  # noqa: PLC0415 -- not paid by --help
    from enigmacli.engine.block_store import BLOCKS_FILE, BlockStore  # noqa: PLC0415
    from enigmacli.engine.replay import replay_store  # noqa: PLC0415
    from enigmacli.errors import ConfigError  # noqa: PLC0415

    if not without_enclave:
        raise click.UsageError("a replay stands outside the gate; say so with --without-enclave")
    genesis = services.genesis
    services.warn(_LOUD)
    found: list[dict[str, Any]] = []
    with services.home.lock():
        folder = services.home.data_dir
        if not stored_height(folder):
            raise ConfigError("this home has no blocks", hint="enigmacli start")
        store = BlockStore(folder / BLOCKS_FILE)
        try:
            for block in replay_store(store, genesis, lambda _: None):
                found.append({"height": block.height, "app_hash": block.app_hash.hex()})
                if not services.json:
                    click.echo(f"block {block.height}  app hash {block.app_hash.hex()}")
        finally:
            store.close()
    last = found[-1]
    document = {"blocks": len(found), **last, "app_hashes": found}
    emit(services, document, f"{len(found)} blocks replayed, every app hash agrees")
