"""``enigmacli enclave``: the trusted side of this home."""

import base64
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from enclave.calls import SealedFile, StatusReply
from enclave.times import format_rfc3339
from enigmacli import backup_folder, sealed_folder, trusted_package
from enigmacli import home as homes
from enigmacli.cli import inputs
from enigmacli.cli.context import Services, pass_services
from enigmacli.cli.options import account_options, group, yes_option
from enigmacli.cli.output import emit, table


@group("enclave", examples=("enigmacli enclave status", "enigmacli enclave backup --out backup"))
def command() -> None:
    """The trusted side: registration key, seeds, measurement, backup."""


@command.command("keygen", examples=("enigmacli enclave keygen",))
@pass_services
def keygen(services: Services) -> None:
    """Make and seal the registration key; an existing one is kept.

    Chain id and policy of the genesis document are sealed with it for good.
    """
    document = make_key(services)
    emit(services, document, document["node_id"])


def make_key(services: Services) -> dict[str, Any]:
    """Make and seal the registration key where there is none; ``created`` says which."""
    policy, chain_id = services.policy, services.chain_id
    with services.home.lock():
        made = services.enclave().keygen(chain_id, policy.encode())
    return {"node_id": made.node_id.hex(), "created": made.created, "chain_id": chain_id}


@command.command(
    "status", examples=("enigmacli enclave status", "enigmacli enclave status -o json")
)
@pass_services
def status(services: Services) -> None:
    """What the enclave is and holds."""
    document = _status(services.enclave().status())
    rows = [(name, _shown(value)) for name, value in document.items()]
    emit(services, document, lambda: table(rows))


def _status(reply: StatusReply) -> dict[str, Any]:
    clock = format_rfc3339(reply.clock_us) if reply.clock_us else None
    return {
        "backend": reply.backend,
        "simulation": reply.simulation,
        "measurement": reply.measurement.hex(),
        "chain_id": reply.chain_id or None,
        "network_id": reply.network_id.hex() or None,
        "node_id": reply.node_id.hex() or None,
        "seeds": reply.seeds,
        "exchange_pk": reply.exchange_pk.hex() or None,
        "clock": clock,
    }


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else str(value)


@command.command("measure", examples=("enigmacli enclave measure  # compare it with the policy's",))
@pass_services
def measure(services: Services) -> None:
    """The measurement of the trusted package, as a policy names it."""
    measured = trusted_package.measure_package(services.package)
    folder = trusted_package.package_folder(services.package)
    emit(
        services,
        {"mr_enclave": measured.hex(), "package": str(folder), "backend": "simulation"},
        measured.hex(),
    )


@command.command(
    "evidence",
    examples=(
        "enigmacli enclave evidence --out quote.bin",
        "enigmacli enclave evidence --purpose bootstrap --from alice",
    ),
)
@click.option(
    "--purpose", type=click.Choice(("registration", "bootstrap")), default="registration",
    show_default=True, help="Which key: this node's, or on the first node the network's.",
)  # fmt: skip
@click.option("--sig-rl", "sig_rl_file", metavar="FILE", help="Revocation list of the EPID group.")
@click.option("--out", "file", metavar="FILE", help="New file for the quote [default: print hex].")
@account_options
@pass_services
def evidence(
    services: Services, *, purpose: str, sig_rl_file: str | None, file: str | None
) -> None:
    """Quote the key, and print the quote; attest fetch also has it attested.

    The enclave quotes only what it built itself: its key, bound to network and owner.
    """
    from enigmacli.cli.accounts import acting_account  # noqa: PLC0415 -- not paid by the others
    from enigmacli.registration import NO_OWNER  # noqa: PLC0415

    is_owned = purpose == "registration" and services.policy.require_owner
    owner = acting_account(services).account if is_owned else NO_OWNER
    sig_rl = inputs.read_input(sig_rl_file) if sig_rl_file else b""
    made = services.enclave().evidence(purpose, "epid", owner, sig_rl)
    if file is not None:
        homes.write_new(Path(file), made.quote)
    document = {
        "purpose": purpose,
        "owner": owner.hex(),
        "report_data": made.report_data.hex(),
        "quote": base64.b64encode(made.quote).decode(),
        "file": file,
    }
    emit(services, document, f"wrote {file}" if file else made.quote.hex())


@command.command("seal", examples=("enigmacli enclave seal",))
@pass_services
def seal(services: Services) -> None:
    """Open every sealed file and say what it is; never overwrites one."""
    files = services.enclave().seal()
    emit(services, {"files": _files(files)}, lambda: _file_table(files))


@command.command("backup", examples=("enigmacli enclave backup --out /mnt/usb/node-1",))
@click.option("--out", "folder", metavar="DIR", required=True, help="New folder for the backup.")
@pass_services
def backup(services: Services, folder: str) -> None:
    """Copy the sealed files byte for byte, each opened first.

    The copy opens only in an enclave of the same identity on the same platform.
    """
    bundle = services.enclave().backup()
    backup_folder.write(Path(folder), bundle)
    names = [blob.name for blob in bundle.blobs]
    document = {"folder": folder, "files": names}
    emit(services, document, lambda: f"{folder}: {', '.join(names) or 'nothing is sealed yet'}")


@command.command("verify-backup", examples=("enigmacli enclave verify-backup /mnt/usb/node-1",))
@click.argument("folder", metavar="DIR")
@pass_services
def verify_backup(services: Services, folder: str) -> None:
    """Would the backup in DIR open here, whole? Changes nothing."""
    files = services.enclave().verify_backup(backup_folder.read(Path(folder)))
    emit(services, {"folder": folder, "files": _files(files)}, lambda: _file_table(files))


@command.command("restore", examples=("enigmacli enclave restore /mnt/usb/node-1",))
@click.argument("folder", metavar="DIR")
@pass_services
def restore(services: Services, folder: str) -> None:
    """Bring back what is missing; a key that differs is never replaced."""
    bundle = backup_folder.read(Path(folder))
    with services.home.lock():
        restored = services.enclave().restore(bundle)
    words = ", ".join(restored) or "nothing was missing"
    emit(services, {"folder": folder, "restored": list(restored)}, f"restored: {words}")


@command.command(
    "reset", examples=("enigmacli enclave reset --dry-run", "enigmacli enclave reset -y")
)
@click.option("--dry-run", is_flag=True, help="Say what would be moved where, move nothing.")
@yes_option
@pass_services
def reset(services: Services, *, dry_run: bool) -> None:
    """Put the sealed files aside in a dated folder; nothing is deleted.

    The node then has no registration key and no seed. Moving the folder back undoes it.
    """
    document = put_aside(services, dry_run=dry_run)
    emit(services, document, reset_words(document))


def put_aside(services: Services, *, dry_run: bool = False) -> dict[str, Any]:
    """Ask, then move the sealed files to a dated folder; says which, and where to.

    Raises:
        NotAskedError: nobody can answer, and ``-y`` was not given.
    """
    home = services.home
    with home.lock():
        files = sealed_folder.contents(home)
        target = sealed_folder.dated(home, datetime.fromtimestamp(services.now_us() // 10**6, UTC))
        if files and not dry_run:
            services.confirm(f"move {len(files)} files of {home.enclave_dir} to {target}?")
            sealed_folder.move(home, target)
    moved = bool(files) and not dry_run
    return {"moved": moved, "files": files, "folder": str(target) if files else None}


def reset_words(document: dict[str, Any]) -> str:
    """What :func:`put_aside` did, in one line."""
    if not document["files"]:
        return "there is nothing to reset"
    done = "moved" if document["moved"] else "would move"
    return f"{done} {', '.join(document['files'])} to {document['folder']}"


def _files(files: Sequence[SealedFile]) -> list[dict[str, Any]]:
    return [
        {
            "name": file.name,
            "purpose": file.purpose,
            "generation": file.generation,
            "sha256": file.sha256.hex(),
        }
        for file in files
    ]


def _file_table(files: Sequence[SealedFile]) -> str:
    rows = [
        (file.name, file.purpose, f"generation {file.generation}", file.sha256.hex())
        for file in files
    ]
    return table(rows) if rows else "nothing is sealed yet"
