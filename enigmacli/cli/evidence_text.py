"""Verdicts and parts of evidence as people read them: at most 80 columns, nothing left out."""

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

COLUMNS: Final = 80

_CHECK_INDENT: Final = 10
_TREE_STEP: Final = 2


def verdict_text(document: Mapping[str, Any]) -> str:
    """The answer of ``attest verify``: verdict, every check with what it wanted and saw, claims."""
    verdict = "accepted" if document["verdict"] == "accept" else "REFUSED"
    authentic = "authentic" if document["authentic"] else "NOT authentic"
    head = f"{verdict} ({authentic}): {document['reason']} [{document['code']}]"
    lines = [*_wrapped(head, "  ")]
    if "hint" in document:
        lines += _wrapped(f"hint: {document['hint']}", "  ")
    lines.append("")
    for check in document["checks"]:
        lines += _check(check)
    claims = document.get("claims")
    return "\n".join(lines + (["", *_rows(claims)] if claims else []))


def parsed_text(document: Mapping[str, Any]) -> str:
    """The answer of ``attest parse``: form, kind and claims, then the parts of a quote."""
    head = {"form": document["form"], "kind": document["kind"]}
    lines = ["not verified", *_rows({**head, **document["claims"]})]
    for name, part in document.get("parts", {}).items():
        lines += ["", *_tree(name, part, 0)]
    return "\n".join(lines)


def _check(check: Mapping[str, Any]) -> Iterator[str]:
    yield f"  {'ok' if check['ok'] else 'FAIL':<4}  {check['id']}"
    for word in ("expected", "seen"):
        if check[word]:
            yield from _entry(f"{word:<8}", check[word], _CHECK_INDENT)


def _rows(values: Mapping[str, Any]) -> Iterator[str]:
    """Names and values in two columns; what is absent is left out."""
    shown = {name.replace("_", " "): value for name, value in values.items() if value is not None}
    width = max(map(len, shown), default=0)
    for name, value in shown.items():
        if value != []:
            yield from _entry(f"{name:<{width}}", _text(value), 0)


def _tree(name: str, value: Any, indent: int) -> Iterator[str]:
    """A value that may hold others, one level further in."""
    label = name.replace("_", " ")
    if isinstance(value, Mapping) and value:
        yield f"{' ' * indent}{label}"
        for key, item in value.items():
            yield from _tree(key, item, indent + _TREE_STEP)
    elif isinstance(value, Sequence) and value and isinstance(value[0], Mapping):
        for number, item in enumerate(value, 1):
            yield from _tree(f"{name} {number}", item, indent)
    else:
        yield from _entry(label, _text(value), indent)


def _text(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(map(str, value)) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else str(value)


def _entry(label: str, value: str, indent: int) -> Iterator[str]:
    """A label and its value; a long value goes on below where it began."""
    start = f"{' ' * indent}{label}  "
    return iter(_wrapped(start + value, " " * len(start), start))


def _wrapped(text: str, following: str, start: str = "") -> Sequence[str]:
    """Lines of at most :data:`COLUMNS`; ``start`` is kept as it is, blanks included."""
    body = text[len(start) :] or " "
    lines = textwrap.wrap(
        body,
        COLUMNS,
        initial_indent=start,
        subsequent_indent=following,
        break_on_hyphens=False,
        replace_whitespace=False,
        drop_whitespace=True,
    )
    return [line.rstrip() for line in lines] or [start.rstrip()]
