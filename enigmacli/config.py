"""Configuration: every key with its default, its meaning, and where a value came from.

Precedence: flag, then environment (``ENIGMA_<SECTION>_<KEY>``), then ``<home>/config.toml``,
then the key's own. The classes in :mod:`enigmacli.config_sections` are the only list of keys: the
loader, the template of ``config.toml`` and the checks are all driven by them.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from enigmacli.config_rules import Check
from enigmacli.config_sections import (
    SECTIONS,
    AccountSection,
    ApiSection,
    AttestationSection,
    ChainSection,
    CometbftSection,
    EnclaveSection,
    IasSection,
    NodeSection,
    OutputSection,
    P2pSection,
    PccsSection,
    RpcSection,
)
from enigmacli.errors import ConfigError, StorageError

FILE_NAME: Final = "config.toml"
MAX_FILE_BYTES: Final = 1024 * 1024
_MAX_SEEN: Final = 80
_PREFIX: Final = "ENIGMA_"
_ALIKE: Final = 0.6
"""As for the names of keys, where it is difflib's own."""

_ALMOST_ALIKE: Final = 0.85
"""A letter or two differ; names such as ENIGMA_COMETBFT are not meant to be keys."""

Scalar = str | int | float | bool


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value came from: ``kind`` is flag, env, file, default or argument."""

    kind: str
    where: str = ""
    """The variable's name or the file's path."""

    def __str__(self) -> str:
        """The kind, with its place where it has one."""
        return f"{self.kind} {self.where}".rstrip()


_DEFAULT: Final = Origin("default")


@dataclass(frozen=True, slots=True)
class Config:
    """Every section; ``origins`` says for each ``section.key`` where its value came from."""

    chain: ChainSection = field(default_factory=ChainSection)
    account: AccountSection = field(default_factory=AccountSection)
    enclave: EnclaveSection = field(default_factory=EnclaveSection)
    attestation: AttestationSection = field(default_factory=AttestationSection)
    rpc: RpcSection = field(default_factory=RpcSection)
    p2p: P2pSection = field(default_factory=P2pSection)
    api: ApiSection = field(default_factory=ApiSection)
    ias: IasSection = field(default_factory=IasSection)
    pccs: PccsSection = field(default_factory=PccsSection)
    node: NodeSection = field(default_factory=NodeSection)
    cometbft: CometbftSection = field(default_factory=CometbftSection)
    output: OutputSection = field(default_factory=OutputSection)
    origins: Mapping[str, Origin] = field(default_factory=dict, compare=False)

    def values(self) -> Iterator[tuple[str, Scalar]]:
        """Every ``section.key`` with its value, in the order of the template."""
        for key in KEYS.values():
            yield key.name, getattr(getattr(self, key.section), key.attribute)


@dataclass(frozen=True, slots=True)
class Key:
    """One configuration key."""

    section: str
    attribute: str
    default: Scalar
    doc: str
    check: Check | None

    @property
    def word(self) -> str:
        """The name within its section; Python's keywords carry an underscore as attributes."""
        return self.attribute.rstrip("_")

    @property
    def name(self) -> str:
        """``section.key``."""
        return f"{self.section}.{self.word}"

    @property
    def variable(self) -> str:
        """The environment variable."""
        return f"{_PREFIX}{self.section}_{self.word}".upper()

    def read(self, raw: object, origin: Origin) -> Scalar:
        """The value of a flag's or variable's text, or of a TOML value.

        Raises:
            ConfigError: it has another type, or breaks the key's rule.
        """
        as_text = origin.kind not in ("file", "default")
        value = _parse(str(raw), self.default) if as_text else _typed(raw, self.default)
        if value is None:
            raise self._refusal(_TYPE_NAMES[type(self.default)], raw, origin)
        if isinstance(value, str) and "\0" in value:
            raise self._refusal("text without NUL", raw, origin)
        wanted = self.check(value) if self.check else ""
        if wanted:
            raise self._refusal(wanted, raw, origin)
        return value

    def _refusal(self, wanted: str, raw: object, origin: Origin) -> ConfigError:
        seen = str(raw)[:_MAX_SEEN]
        details = {"key": self.name, "origin": str(origin), "expected": wanted, "seen": seen}
        return ConfigError(
            f"{self.name} (from {origin}) must be {wanted}, got {ascii(raw)[:_MAX_SEEN]}",
            details=details,
        )


_TYPE_NAMES: Final = MappingProxyType(
    {str: "a string", int: "a whole number", float: "a number", bool: "true or false"}
)


KEYS: Final[Mapping[str, Key]] = MappingProxyType(
    {
        key.name: key
        for section, cls in SECTIONS.items()
        for f in fields(cls)
        for key in [
            Key(section, f.name, f.metadata["default"], f.metadata["doc"], f.metadata["check"])
        ]
    }
)
"""Every key by ``section.key``, in the order of the classes above."""


def load(home: Path, environ: Mapping[str, str], flags: Mapping[str, str]) -> Config:
    """The configuration of ``home``, whose file may be absent.

    Args:
        home: the home folder.
        environ: the environment.
        flags: texts by ``section.key``, as given on the command line.

    Raises:
        ConfigError: the file is malformed, a key is unknown, or a value breaks its rule.
        StorageError: the file cannot be read.
    """
    path = home / FILE_NAME
    return resolve(read_file(path), Origin("file", str(path)), environ, flags)


def resolve(
    from_file: Mapping[str, object],
    file_origin: Origin,
    environ: Mapping[str, str],
    flags: Mapping[str, str],
) -> Config:
    """The configuration from the values of each source by ``section.key``.

    Raises:
        ConfigError: a key is unknown, or a value breaks its rule.
    """
    for name in (*from_file, *flags):
        if name not in KEYS:
            raise unknown_key(name)
    values: dict[str, dict[str, Scalar]] = {section: {} for section in SECTIONS}
    origins: dict[str, Origin] = {}
    for key in KEYS.values():
        raw: object = key.default
        origin = _DEFAULT
        if key.name in flags:
            raw, origin = flags[key.name], Origin("flag")
        elif key.variable in environ:
            raw, origin = environ[key.variable], Origin("env", key.variable)
        elif key.name in from_file:
            raw, origin = from_file[key.name], file_origin
        values[key.section][key.attribute] = key.read(raw, origin)
        origins[key.name] = origin
    sections: dict[str, Any] = {name: cls(**values[name]) for name, cls in SECTIONS.items()}
    return Config(**sections, origins=MappingProxyType(origins))


def read_file(path: Path) -> dict[str, object]:
    """The values of a TOML file by ``section.key``; nothing where there is no file.

    Raises:
        ConfigError: it is not TOML, or not made of sections.
        StorageError: it cannot be read.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise StorageError(f"cannot read {path}: {error.strerror}") from error
    return parse(data, str(path))


def parse(data: bytes, name: str) -> dict[str, object]:
    """The values of TOML text by ``section.key``; ``name`` stands in messages.

    Raises:
        ConfigError: it is not TOML, or not made of sections.
    """
    import tomli  # noqa: PLC0415 -- a home without a file needs no parser

    if len(data) > MAX_FILE_BYTES:
        raise ConfigError(f"{name} is longer than {MAX_FILE_BYTES} bytes")
    try:
        document = tomli.loads(data.decode())
    except (ValueError, RecursionError) as error:
        hint = "config.example.toml shows the form"
        raise ConfigError(f"{name} is not TOML: {error}", hint=hint) from error
    found: dict[str, object] = {}
    for section, table in document.items():
        if not isinstance(table, dict):
            raise unknown_key(section)
        found |= {f"{section}.{word}": value for word, value in table.items()}
    return found


def unknown_key(name: str) -> ConfigError:
    """The error for a key that does not exist, with the nearest one that does."""
    near = get_close_matches(name, KEYS, n=1)
    hint = f"did you mean '{near[0]}'?" if near else "enigmacli config show lists every key"
    return ConfigError(f"unknown configuration key '{name}'", hint=hint, details={"key": name})


def unknown_variables(environ: Mapping[str, str]) -> list[str]:
    """Variables that look like a key of a section, or nearly like a whole key, but are none.

    Not an error when loading: container platforms put names of their own into the
    environment, which may begin alike.
    """
    known = {key.variable for key in KEYS.values()}
    prefixes = tuple(f"{_PREFIX}{section}_".upper() for section in SECTIONS)
    return sorted(
        name
        for name in environ
        if name.startswith(_PREFIX)
        and name not in known
        and (name.startswith(prefixes) or _nearest_variable(name, _ALMOST_ALIKE))
    )


def unknown_variable(name: str) -> str:
    """What is said about such a variable, with the nearest one that is a key."""
    near = _nearest_variable(name, _ALIKE)
    return f"{name} is not a configuration key" + (f": did you mean '{near}'?" if near else "")


def _nearest_variable(name: str, alike: float) -> str:
    """The variable of a key that is like ``name`` to that degree, of 0 to 1; else nothing.

    What all names begin with does not count.
    """
    words = [key.variable.removeprefix(_PREFIX) for key in KEYS.values()]
    near = get_close_matches(name.removeprefix(_PREFIX), words, n=1, cutoff=alike)
    return _PREFIX + near[0] if near else ""


def _typed(raw: object, default: Scalar) -> Scalar | None:
    """A TOML value of the default's type, whole numbers standing for numbers, or None."""
    if isinstance(default, bool) or isinstance(raw, bool):
        return raw if isinstance(raw, bool) and isinstance(default, bool) else None
    if isinstance(default, float) and isinstance(raw, (int, float)):
        number = float(raw)
        return number if math.isfinite(number) else None
    return raw if isinstance(raw, (str, int)) and type(raw) is type(default) else None


def _parse(text: str, default: Scalar) -> Scalar | None:
    """A text as a value of the default's type, or None."""
    if isinstance(default, bool):
        return {"true": True, "false": False}.get(text.lower())
    if isinstance(default, str):
        return text
    try:
        number = type(default)(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
