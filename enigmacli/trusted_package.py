"""The trusted package on disk: where it is, and its simulated measurement."""

from pathlib import Path

from enclave import measurement
from enigmacli.errors import ConfigError, StorageError


def package_folder(folder: Path | None) -> Path:
    """The trusted package in ``folder``, else the installed one."""
    return Path(measurement.__file__).parent if folder is None else folder / "enclave"


def measure_package(folder: Path | None) -> bytes:
    """The measurement of the trusted package in ``folder``, else of the installed one.

    Raises:
        ConfigError: there is none.
        StorageError: a source cannot be read.
    """
    package = package_folder(folder)
    if not (package / "__main__.py").is_file():
        raise ConfigError(
            f"there is no trusted package in {package.parent}",
            hint="enigmacli config set enclave.path FOLDER (the folder that contains 'enclave')",
        )
    try:
        return measurement.measure(package)
    except OSError as error:
        raise StorageError(f"cannot measure {package}: {error.strerror}") from error
