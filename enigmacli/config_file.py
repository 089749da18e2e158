"""``config.toml`` as text: the template with every key, and changes that keep comments."""

import json
from collections.abc import Mapping, MutableMapping
from typing import Final

from enigmacli.config import FILE_NAME, KEYS, Key, Origin, Scalar, parse, unknown_key
from enigmacli.config_sections import SECTIONS

_HEAD: Final = """\
# Configuration of one enigmacli home. A flag comes before ENIGMA_<SECTION>_<KEY> in the
# environment, that before this file, and this file before the defaults shown here.
"""


def render(values: Mapping[str, Scalar], *, all_keys: bool = False) -> str:
    """The template: every key with its meaning and default.

    Args:
        values: by ``section.key``; these are set, the others stand as comments.
        all_keys: set the others, too, each to its default.
    """
    lines = [_HEAD]
    for section, cls in SECTIONS.items():
        lines.append(f"[{section}]  # {(cls.__doc__ or '').strip()}")
        for key in KEYS.values():
            if key.section == section:
                lines += _entry(key, values, all_keys=all_keys)
        lines.append("")
    return "\n".join(lines)


def _entry(key: Key, values: Mapping[str, Scalar], *, all_keys: bool) -> list[str]:
    live = all_keys or key.name in values
    shown = toml(values.get(key.name, key.default))
    return [f"# {key.doc}", f"{'' if live else '# '}{key.word} = {shown}"]


def toml(value: Scalar) -> str:
    """A value as TOML writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        # JSON's escapes are TOML's, but for the pairs of surrogates, and for DEL
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return repr(value)


def with_value(data: bytes, name: str, text: str) -> tuple[bytes, Scalar]:
    """The file with one key set, and the value; comments and order stay.

    Args:
        data: the file's bytes.
        name: ``section.key``.
        text: the value as a person typed it.

    Raises:
        ConfigError: the file is malformed, the key unknown, or the value breaks its rule.
    """
    import tomlkit  # noqa: PLC0415 -- needed where the file is written only

    key = KEYS.get(name)
    if key is None:
        raise unknown_key(name)
    value = key.read(text, Origin("argument"))
    parse(data, FILE_NAME)
    document = tomlkit.parse(_uncommented(data.decode(), key))
    if key.section not in document:
        document[key.section] = tomlkit.table()
    section = document[key.section]
    if not isinstance(section, MutableMapping):
        raise unknown_key(key.section)
    section[key.word] = value
    return tomlkit.dumps(document).encode(), value


def _uncommented(text: str, key: Key) -> str:
    """Let the key's line of the template, if it still is a comment, become a setting."""
    commented, setting = f"# {key.word} = {toml(key.default)}", f"{key.word} = {toml(key.default)}"
    head, mark, rest = text.partition(f"[{key.section}]")
    body, next_mark, tail = rest.partition("\n[")
    lines = body.split("\n")
    is_set = any(line.partition("=")[0].strip() == key.word for line in lines)
    if commented in lines and not is_set:
        lines[lines.index(commented)] = setting
    return head + mark + "\n".join(lines) + next_mark + tail
