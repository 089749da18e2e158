"""What commands read: files, standard input, passphrases; always with a bound.

A secret comes from a file or standard input, never from an argument or the environment.
"""

import sys
from pathlib import Path
from typing import Final

from enigmacli.errors import PassphraseError, StorageError
from enigmacli.home import read

STDIN: Final = "-"
MAX_EVIDENCE_BYTES: Final = 1024 * 1024
_MAX_SECRET_BYTES: Final = 4096


def read_input(name: str, max_bytes: int = MAX_EVIDENCE_BYTES) -> bytes:
    """The bytes of the file ``name``, or of standard input for ``-``.

    Raises:
        StorageError: it cannot be read, or is longer than ``max_bytes``.
    """
    if name != STDIN:
        return read(Path(name), max_bytes)
    data = sys.stdin.buffer.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise StorageError(f"standard input is longer than {max_bytes} bytes")
    return data


def read_secret_line(name: str) -> str:
    """The first line of a secret's file, or of standard input for ``-``; may be empty.

    Raises:
        StorageError: it cannot be read, or is no text.
    """
    return (read_secret_lines(name) or [""])[0]


def read_secret_lines(name: str) -> list[str]:
    """All lines of a file of secrets, or of standard input for ``-``.

    Raises:
        StorageError: it cannot be read, or is no text.
    """
    data = read_input(name, _MAX_SECRET_BYTES)
    try:
        return data.decode().splitlines()
    except UnicodeDecodeError as error:
        raise StorageError(f"{name} is not text in UTF-8") from error


def read_passphrase(name: str) -> str:
    """The passphrase in the file ``name``, or on standard input for ``-``.

    Raises:
        PassphraseError: it is empty.
        StorageError: it cannot be read.
    """
    passphrase = read_secret_line(name)
    if not passphrase:
        raise PassphraseError(f"there is no passphrase in {name}")
    return passphrase
