"""``enigmacli version``: the program's version and those of what it runs on."""

import platform
from importlib import metadata
from typing import Final

from enigmacli.cli.context import Services, pass_services
from enigmacli.cli.options import command as declare
from enigmacli.cli.output import emit, table
from enigmacli.version import VERSION

_DEPENDENCIES: Final = (
    "aiohttp", "click", "coincurve", "cryptography", "httpx", "mnemonic", "protobuf", "pynacl",
    "rich", "tomli", "tomlkit",
)  # fmt: skip


@declare("version", examples=("enigmacli version", "enigmacli version -o json"))
@pass_services
def command(services: Services) -> None:
    """Versions of the program and what it runs on."""
    versions = {name: _version(name) for name in _DEPENDENCIES}
    document = {
        "version": VERSION,
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "dependencies": versions,
    }
    rows = [(services.program, VERSION), ("python", platform.python_version()), *versions.items()]
    emit(services, document, lambda: table(rows))


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"
