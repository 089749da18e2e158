"""Protobuf messages of our own writing, in a private pool, built when first asked for.

The names and field numbers are the published ones (Cosmos SDK, CometBFT 0.38, the peer's
registration module); only messages that this project uses are here. A schema is text in
the manner of proto3: ``package`` lines, each followed by its messages and enums::

    package cosmos.base.v1beta1
    message Coin { string denom = 1; string amount = 2; }
    message Choice { one of pick { bytes key = 1; string name = 2; } }

Type names of other packages are full, those of the same package short; a package uses only
packages above it. A private pool keeps all of them apart from other libraries' copies.
"""

import re
import threading
from functools import cache
from typing import Any, Final

from google.protobuf import descriptor_pb2, descriptor_pool, message, message_factory

from enigmacli.protobuf import abci, cosmos, enigma, tendermint

_KINDS: Final = descriptor_pb2.FieldDescriptorProto
_SCALARS: Final = {
    "bool": _KINDS.TYPE_BOOL,
    "bytes": _KINDS.TYPE_BYTES,
    "fixed64": _KINDS.TYPE_FIXED64,
    "int32": _KINDS.TYPE_INT32,
    "int64": _KINDS.TYPE_INT64,
    "sfixed64": _KINDS.TYPE_SFIXED64,
    "string": _KINDS.TYPE_STRING,
    "uint32": _KINDS.TYPE_UINT32,
    "uint64": _KINDS.TYPE_UINT64,
}
_STATEMENT: Final = re.compile(
    r"package (?P<package>[\w.]+)"
    r"|(?P<open>message|enum|one of) (?P<name>\w+) \{"
    r"|(?P<repeated>repeated )?(?P<type>[\w.]+) (?P<field>\w+) = (?P<number>\d+);"
    r"|(?P<value>\w+) = (?P<ordinal>\d+);"
    r"|(?P<close>\})"
)
_BUILDING: Final = threading.Lock()  # two pools would give two classes of one name


def new(name: str, **values: Any) -> Any:
    """A message of the full name ``name``, its fields set from ``values``."""
    return message_type(name)(**values)


def parse(name: str, data: bytes) -> Any:
    """Read ``data`` as a message; what proto3 parsers tolerate is tolerated here.

    Raises:
        ValueError: ``data`` is not a message of that type.
    """
    try:
        return message_type(name).FromString(data)
    except message.DecodeError as error:
        raise ValueError(f"not a {name}") from error


@cache
def message_type(name: str) -> Any:
    """The class of the message with the full name ``name``, the same for every thread."""
    with _BUILDING:
        return message_factory.GetMessageClass(_pool().FindMessageTypeByName(name))


@cache
def _pool() -> Any:
    pool = descriptor_pool.DescriptorPool()
    enums: set[str] = set()
    for schema in (tendermint.SCHEMA, abci.SCHEMA, cosmos.SCHEMA, enigma.SCHEMA):
        for package in re.split(r"^(?=package )", schema, flags=re.MULTILINE)[1:]:
            pool.AddSerializedFile(_read_package(package, enums).SerializeToString())
    return pool


def _read_package(schema: str, enums: set[str]) -> Any:
    """One file descriptor; the full names of its enums are added to ``enums``."""
    file = descriptor_pb2.FileDescriptorProto(syntax="proto3")
    block: Any = None
    choice: int | None = None
    for found in _STATEMENT.finditer(schema):
        part = found.groupdict()
        if part["package"]:
            file.name = file.package = part["package"]
        elif part["open"] == "message":
            block = file.message_type.add(name=part["name"])
        elif part["open"] == "enum":
            block = file.enum_type.add(name=part["name"])
            enums.add(f"{file.package}.{part['name']}")
        elif part["open"]:
            choice = len(block.oneof_decl)
            block.oneof_decl.add(name=part["name"])
        elif part["value"]:
            block.value.add(name=part["value"], number=int(part["ordinal"]))
        elif part["close"]:
            choice = None
        else:
            _add_field(file, block, choice, part, enums)
    return file


def _add_field(
    file: Any, block: Any, choice: int | None, part: dict[str, Any], enums: set[str]
) -> None:
    field = block.field.add(name=part["field"], number=int(part["number"]))
    field.label = _KINDS.LABEL_REPEATED if part["repeated"] else _KINDS.LABEL_OPTIONAL
    if choice is not None:
        field.oneof_index = choice
    if part["type"] in _SCALARS:
        field.type = _SCALARS[part["type"]]
        return
    package, _, short = part["type"].rpartition(".")
    package = package or file.package
    name = f"{package}.{short}"
    field.type = _KINDS.TYPE_ENUM if name in enums else _KINDS.TYPE_MESSAGE
    field.type_name = f".{name}"
    if package not in (file.package, *file.dependency):
        file.dependency.append(package)
