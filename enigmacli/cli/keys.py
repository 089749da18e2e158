"""``enigmacli keys``: the account keys of this home."""

import base64
import sys
from pathlib import Path
from typing import Any, Final

import click

from enigmacli import home as homes
from enigmacli.cli import inputs
from enigmacli.cli.completers import key_names
from enigmacli.cli.context import NotAskedError, Services, pass_services
from enigmacli.cli.options import group, keyring_options, yes_option
from enigmacli.cli.output import emit, say, table
from enigmacli.errors import FileExistsAlreadyError, KeyringError, StorageError
from enigmacli.keyring import AccountKey, Keyring, RecoveryPhrase, parse_phrase
from enigmacli.keyring.derivation import generate_phrase

_MAX_PHRASE_BYTES: Final = 4096
_MAX_ARMOUR_BYTES: Final = 64 * 1024

_export_passphrase = click.option(
    "--export-passphrase-file", "export_file", metavar="FILE",
    help="File with the passphrase of the export ('-': standard input).",
)  # fmt: skip


@group(
    "keys",
    examples=(
        "enigmacli keys add alice --mnemonic-file alice.words",
        "enigmacli keys list -o json",
    ),
)
def command() -> None:
    """Account keys: they pay for transactions and own nodes."""


@command.command(
    "add",
    examples=(
        "enigmacli keys add alice --mnemonic-file alice.words",
        "enigmacli keys add alice --recover --source alice.words",
        "enigmacli keys add alice --keyring-backend test  # never for value",
    ),
)
@click.argument("name")
@click.option("--recover", is_flag=True, help="Make the key again from its words.")
@click.option(
    "--source", metavar="FILE", default=inputs.STDIN,
    help="File with the words, for --recover [default: standard input].",
)  # fmt: skip
@click.option("--mnemonic-file", metavar="FILE", help="Write a new key's words to this new file.")
@keyring_options
@pass_services
def add(
    services: Services, name: str, *, recover: bool, source: str, mnemonic_file: str | None
) -> None:
    """Make the key NAME, or with --recover make it again from its words.

    The words of a new key are shown once, on a terminal only, or written to --mnemonic-file
    with mode 0600. Elsewhere only the backend 'test', whose keys are not encrypted, makes
    keys without telling the words.
    """
    _check_sources(services, recover=recover, source=source, mnemonic_file=mnemonic_file)
    keyring = services.keyring()
    passphrase = services.passphrase(new=True)
    if recover:
        made = keyring.recover(name, _read_phrase(source), passphrase)
    elif mnemonic_file is not None:
        made = make_with_file(services, name, Path(mnemonic_file), passphrase)
    else:
        phrase = generate_phrase()
        made = keyring.recover(name, phrase, passphrase)
        _show_words(services, phrase)
    emit(services, _document(made) | {"mnemonic_file": mnemonic_file}, made.address)


def _check_sources(
    services: Services, *, recover: bool, source: str, mnemonic_file: str | None
) -> None:
    if recover and mnemonic_file is not None:
        raise click.UsageError("--mnemonic-file is for new keys; --recover reads --source")
    if not recover and source != inputs.STDIN:
        raise click.UsageError("--source needs --recover")
    if recover and source == inputs.STDIN == services.passphrase_file:
        raise click.UsageError("words and passphrase cannot both come from standard input")
    is_silent = not recover and mnemonic_file is None and not sys.stderr.isatty()
    if is_silent and services.config.account.keyring_backend != "test":
        raise NotAskedError(
            "a new key's words are shown on a terminal only", "use --mnemonic-file FILE"
        )


def _read_phrase(source: str) -> RecoveryPhrase:
    if source == inputs.STDIN and sys.stdin.isatty():
        return parse_phrase(click.prompt("recovery phrase", hide_input=True, err=True))
    return parse_phrase(inputs.read_input(source, _MAX_PHRASE_BYTES).decode(errors="replace"))


def make_with_file(services: Services, name: str, file: Path, passphrase: str) -> AccountKey:
    """Make a key whose words are in ``file`` before it exists, so that no key is without them."""
    keyring = services.keyring()
    if _is_taken(keyring, name):
        raise FileExistsAlreadyError(
            f"key {name} exists and is never overwritten", hint="choose another name"
        )
    left = _left_words(keyring, file)
    if left is not None:
        services.warn(f"{file} held words of no key, as an interrupted run leaves them; took those")
        return keyring.recover(name, left, passphrase)
    phrase = generate_phrase()
    homes.write_new(file, _encode_words(phrase))
    try:
        return keyring.recover(name, phrase, passphrase)
    except BaseException:
        if not _is_taken(keyring, name):
            file.unlink()  # words of no key
        raise


def _is_taken(keyring: Keyring, name: str) -> bool:
    return any(key.name == name for key in keyring.list())


def _left_words(keyring: Keyring, file: Path) -> RecoveryPhrase | None:
    """The words in ``file`` if it is as a killed run leaves it: private, whole, of no key yet."""
    try:
        data = homes.read_private(file, _MAX_PHRASE_BYTES)
        phrase = parse_phrase(data.decode(errors="replace"))
    except (StorageError, KeyringError):
        return None
    if data != _encode_words(phrase) or keyring.holds(phrase):
        return None
    homes.settle(file.parent)
    return phrase


def _encode_words(phrase: RecoveryPhrase) -> bytes:
    return f"{phrase.reveal()}\n".encode()


def _show_words(services: Services, phrase: RecoveryPhrase) -> None:
    if not sys.stderr.isatty():
        services.warn("the words of this test key were not shown")
        return
    click.echo("Write these words down; whoever has them has the key:\n", err=True)
    click.echo(f"{phrase.reveal()}\n", err=True)


@command.command(
    "list", examples=("enigmacli keys list", "enigmacli keys list --keyring-backend test -o json")
)
@keyring_options
@pass_services
def list_keys(services: Services) -> None:
    """All keys by name."""
    keys = services.keyring().list()
    if not keys:
        say(services, f"the keyring {services.config.account.keyring_backend} holds no key")
    document = {"keys": [_document(key) for key in keys]}
    emit(services, document, lambda: table([(key.name, key.address) for key in keys]))


@command.command(
    "show",
    examples=("enigmacli keys show alice", "enigmacli keys show alice --address  # for a script"),
)
@click.argument("name", shell_complete=key_names)
@click.option("-a", "--address", "only_address", is_flag=True, help="Only the address.")
@keyring_options
@pass_services
def show(services: Services, name: str, *, only_address: bool) -> None:
    """What is public of the key NAME; needs no passphrase."""
    key = services.keyring().show(name)
    rows = [(label.replace("_", " "), str(value)) for label, value in _document(key).items()]
    emit(services, _document(key), key.address if only_address else table(rows))


@command.command(
    "delete", examples=("enigmacli keys delete alice", "enigmacli keys delete alice -y")
)
@click.argument("name", shell_complete=key_names)
@yes_option
@keyring_options
@pass_services
def delete(services: Services, name: str) -> None:
    """Remove the key NAME for good; only its words bring it back."""
    keyring = services.keyring()
    key = keyring.show(name)
    services.confirm(f"delete key {name} ({key.address}) for good?")
    keyring.delete(name)
    emit(services, {"name": name, "address": key.address, "deleted": True}, f"deleted {name}")


@command.command(
    "export",
    examples=(
        "enigmacli keys export alice --out alice.key",
        "enigmacli keys export alice --export-passphrase-file secret.txt > alice.key",
    ),
)
@click.argument("name", shell_complete=key_names)
@click.option("--out", "file", metavar="FILE", help="New file for the export [default: print it].")
@_export_passphrase
@keyring_options
@pass_services
def export(services: Services, name: str, *, file: str | None, export_file: str | None) -> None:
    """Print the key NAME encrypted under a passphrase of its own."""
    _refuse_one_stdin(services, export_file)
    keyring = services.keyring()
    keyring.show(name)
    passphrase = services.passphrase()
    own = services.secret("passphrase of the export", export_file, _EXPORT_OPTION, new=True)
    armour = keyring.export(name, passphrase, own)
    if file is not None:
        homes.write_new(Path(file), armour.encode())
        emit(services, {"name": name, "file": file}, f"exported {name} to {file}")
    else:
        emit(services, {"name": name, "armour": armour}, armour.rstrip("\n"))


@command.command(
    "import",
    examples=(
        "enigmacli keys import alice alice.key",
        "enigmacli keys import alice alice.key --export-passphrase-file secret.txt",
    ),
)
@click.argument("name")
@click.argument("file", metavar="FILE")
@_export_passphrase
@keyring_options
@pass_services
def import_key(services: Services, name: str, file: str, *, export_file: str | None) -> None:
    """Take in the exported key in FILE ('-': standard input) under any free NAME."""
    _refuse_one_stdin(services, export_file, file)
    armour = inputs.read_input(file, _MAX_ARMOUR_BYTES).decode(errors="replace")
    own = services.secret("passphrase of the export", export_file, _EXPORT_OPTION)
    key = services.keyring().import_key(name, armour, own, services.passphrase(new=True))
    emit(services, _document(key), key.address)


_EXPORT_OPTION: Final = "--export-passphrase-file"


def _refuse_one_stdin(services: Services, *others: str | None) -> None:
    if [services.passphrase_file, *others].count(inputs.STDIN) > 1:
        raise click.UsageError("only one thing can come from standard input")


def _document(key: AccountKey) -> dict[str, Any]:
    return {
        "name": key.name,
        "address": key.address,
        "pubkey": base64.b64encode(key.public_key).decode(),
        "path": key.path,
    }
