# ruff: noqa: INP001 -- a part of a program, in no package
"""Mutants of the judgement: which there are, and how a function gets the code of one."""

import ast
import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FunctionType, MappingProxyType
from typing import Any

PACKAGES = ("enclave/evidence", "enclave/verify", "enclave/appraise")

_MAKERS = MappingProxyType({"judge": 1, "rule": 2})
"""What makes a check, and which of its arguments is the condition."""


@dataclass(frozen=True)
class Mutant:
    """One edit of one function."""

    path: str
    function: str
    """With its class, as ``Class.method``."""
    kind: str
    text: str
    """The condition or the check, on one line."""
    line: int
    start: int
    end: int
    replacement: bytes

    @property
    def name(self) -> str:
        """The same while the code around it moves."""
        return f"{self.path}:{self.function} {self.kind} {self.text}"

    @property
    def key(self) -> str:
        """No other mutant's."""
        return f"{self.line} {self.start} {self.name}"


def find_mutants(tree: Path) -> Iterator[Mutant]:
    """Every one, in the order of the files."""
    for package in PACKAGES:
        for path in sorted((tree / package).glob("*.py")):
            yield from _of_file(path, path.relative_to(tree).as_posix())


def _of_file(path: Path, name: str) -> Iterator[Mutant]:
    source = path.read_bytes()
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    for function, node in _functions(ast.parse(source)):
        for kind, shown, place, replacement in _edits(node):
            start = starts[place.lineno - 1] + place.col_offset
            end = starts[(place.end_lineno or 0) - 1] + (place.end_col_offset or 0)
            text = " ".join(ast.unparse(shown).split())
            yield Mutant(name, function, kind, text, place.lineno, start, end, replacement)


def _functions(tree: ast.AST, inside: str = "", *, final: bool = False) -> Iterator[Any]:
    """Every statement of every function, with the name of the outermost function."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and not final:
            name = f"{inside}.{node.name}" if inside else node.name
            yield from _functions(node, name, final=isinstance(node, ast.FunctionDef))
        elif final:
            yield inside, node
            yield from _functions(node, inside, final=True)


def _edits(node: ast.AST) -> Iterator[tuple[str, ast.expr, ast.expr, bytes]]:
    """Kind, what to show, what to replace, and by what."""
    match node:
        case ast.Call(func=ast.Name(id=maker)) if maker in _MAKERS:
            condition = _condition(node, _MAKERS[maker])
            if condition is not None and not isinstance(condition, ast.Constant):
                yield "condition", condition, condition, b"True"
        case ast.Call(func=ast.Name(id="require"), args=[_, check]):
            yield "require", check, node.func, b"(lambda checks, check: checks.append(check))"
        case ast.If(test=test, body=body, orelse=[]) if isinstance(body[-1], ast.Raise):
            yield "guard", test, test, b"False"


def _condition(call: ast.Call, place: int) -> ast.expr | None:
    if len(call.args) > place:
        return call.args[place]
    return next((word.value for word in call.keywords if word.arg == "ok"), None)


def apply(mutant: Mutant, tree: Path) -> None:
    """Give the running function the mutant's code, and let everything be forgotten.

    Raises:
        TypeError: that is no function.
    """
    source = (tree / mutant.path).read_bytes()
    changed = source[: mutant.start] + mutant.replacement + source[mutant.end :]
    module = importlib.import_module(mutant.path.removesuffix(".py").replace("/", "."))
    code = compile(changed, str(tree / mutant.path), "exec")
    for name in mutant.function.split("."):
        code = next(
            const
            for const in code.co_consts
            if isinstance(const, CodeType) and const.co_name == name
        )
    _function(module, mutant.function).__code__ = code
    forget()


def _function(module: Any, path: str) -> FunctionType:
    place = module
    for name in path.split("."):
        place = vars(place)[name]
    for inner in ("__func__", "fget", "__wrapped__"):
        place = getattr(place, inner, place)
    if not isinstance(place, FunctionType):
        raise TypeError(path)
    return place


def forget() -> None:
    """Empty every cache of the trusted side: what was judged before is judged again."""
    for package in PACKAGES:
        for path in sorted(Path(package).glob("*.py")):
            name = f"{package}/{path.stem}".replace("/", ".")
            for value in vars(importlib.import_module(name)).values():
                clear = getattr(value, "cache_clear", None)
                if callable(clear):
                    clear()
