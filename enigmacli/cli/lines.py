"""How text and documents become what is printed: no control characters, no locale."""

from typing import Any


def as_json(document: Any, *, indent: int | None = None) -> str:
    """One JSON document; ASCII only, so that no terminal or locale can spoil it."""
    import json  # noqa: PLC0415 -- not needed for --help and --version

    separators = (",", ":") if indent is None else None
    return json.dumps(document, indent=indent, separators=separators)


def printable(text: str) -> str:
    """``text`` with control characters, but for tab and newline, written as escapes."""
    return "".join(
        char if char.isprintable() or char in "\n\t" else ascii(char)[1:-1] for char in text
    )


def warning_line(message: str, program: str, *, json: bool) -> str:
    """A warning as one line, or with ``json`` as one document."""
    if json:
        return as_json({"warning": {"message": message}})
    return f"{program}: warning: {printable(message)}"
