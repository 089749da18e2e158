"""A fault injector: every step that changes a folder, numbered; stops, errors, power cuts.

:class:`Steps` counts the system calls by which this program writes, and can stop the process
or fail at one of them. :class:`Disk` replays what was recorded as a disk would keep it: file
contents only once synced, names only once their folder was.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest

Tree = dict[str, bytes | None]
"""By path below the root: a file's content, ``None`` for a folder."""

STOPPED: Final = 9
_CHANGING: Final = ("open", "write", "pwrite", "ftruncate", "fchmod", "chmod", "fsync", "link",
                    "rename", "replace", "unlink", "mkdir")  # fmt: skip


@dataclass(frozen=True)
class Step:
    """One call; ``token`` names an open file, since descriptors are used again."""

    call: str
    path: str = ""
    target: str = ""
    token: int = 0
    data: bytes = b""
    offset: int = 0


@dataclass
class Steps:
    """What a run did to one folder, in order.

    Args:
        root: only steps below it count.
        before: called with each step before it is taken; may raise, or not return.
    """

    root: Path
    before: Callable[[int, Step], None] = lambda _number, _step: None
    taken: list[Step] = field(default_factory=list)
    _open: dict[int, int] = field(default_factory=dict)
    _tokens: int = 0

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Let the calls of :mod:`os` come by here."""
        with pytest.MonkeyPatch.context() as patch:
            for call in _CHANGING:
                patch.setattr(os, call, self._watch(call, getattr(os, call)))
            yield

    def _watch(self, call: str, genuine: Callable[..., Any]) -> Callable[..., Any]:
        def watching(*arguments: Any, **options: Any) -> Any:
            step = self._step(call, arguments)
            if step is None:
                result = genuine(*arguments, **options)
                if call == "open":
                    self._open.pop(result, None)  # closed here, and used again elsewhere
                return result
            self.before(len(self.taken), step)
            result = genuine(*arguments, **options)
            self.taken.append(step)
            if call == "open":
                self._open[result] = step.token
            return result

        return watching

    def _step(self, call: str, arguments: tuple[Any, ...]) -> Step | None:
        """The step that a call is, if it changes or syncs something below the root."""
        first = arguments[0]
        if call == "open":
            path = self._below(first)
            if path is None:
                return None
            self._tokens += 1
            created = "create" if arguments[1] & os.O_CREAT else ""
            return Step(call, path, created, self._tokens)
        if call in ("write", "pwrite", "ftruncate", "fchmod", "fsync") and isinstance(first, int):
            token = self._open.get(first)
            if token is None:
                return None
            data = bytes(arguments[1]) if call in ("write", "pwrite") else b""
            offset = arguments[2] if call == "pwrite" else 0
            return Step(call, token=token, data=data, offset=offset)
        path = self._below(first)
        target = self._below(arguments[1]) if call in ("link", "rename", "replace") else ""
        return None if path is None or target is None else Step(call, path, target)

    def _below(self, path: Any) -> str | None:
        try:
            return str(Path(path).relative_to(self.root))
        except (TypeError, ValueError):
            return None


@dataclass(eq=False)
class _Node:
    """A file or folder: as it is, and as the disk has it."""

    entries: "dict[str, _Node] | None" = None
    synced_entries: "dict[str, _Node]" = field(default_factory=dict)
    data: bytes = b""
    synced: bytes = b""


class Disk:
    """A folder after some steps, and what a power cut leaves of it."""

    def __init__(self, tree: Tree) -> None:
        self._root = _Node({})
        self._open: dict[int, _Node] = {}
        for path in sorted(tree):
            content = tree[path]
            node = _Node({}) if content is None else _Node(None, {}, content, content)
            self._folder(path)[Path(path).name] = node
        _sync_all(self._root)

    def take(self, step: Step) -> None:
        """Follow one step."""
        if step.token:
            self._take_open(step)
        elif step.call == "mkdir":
            self._folder(step.path).setdefault(Path(step.path).name, _Node({}))
        elif step.call == "link":
            self._folder(step.target)[Path(step.target).name] = self._node(step.path)
        elif step.call in ("rename", "replace"):
            moved = self._folder(step.path).pop(Path(step.path).name)
            self._folder(step.target)[Path(step.target).name] = moved
        elif step.call == "unlink":
            self._folder(step.path).pop(Path(step.path).name, None)

    def forget_open(self) -> None:
        """The process has ended; the next one's tokens begin anew."""
        self._open.clear()

    def _take_open(self, step: Step) -> None:
        if step.call == "open":
            folder, name = self._folder(step.path), Path(step.path).name
            known = self._root if step.path == "." else folder.get(name)
            self._open[step.token] = known or folder.setdefault(name, _Node())
            return
        node = self._open[step.token]
        if step.call == "write":
            node.data += step.data
        elif step.call == "pwrite":
            node.data = node.data[: step.offset] + step.data
        elif step.call == "ftruncate":
            node.data = b""
        elif step.call == "fsync":
            node.synced, node.synced_entries = node.data, dict(node.entries or {})

    def as_it_is(self) -> Tree:
        """What another process sees."""
        return _walk(self._root, lambda node: node.entries, lambda node: node.data)

    def after_power_cut(self) -> Tree:
        """Nothing but what was synced: neither contents nor names."""
        return _walk(
            self._root,
            lambda node: None if node.entries is None else node.synced_entries,
            lambda node: node.synced,
        )

    def after_reordering(self) -> Tree:
        """Every name, as file systems may write them early, and only synced contents."""
        return _walk(self._root, lambda node: node.entries, lambda node: node.synced)

    def _node(self, path: str) -> _Node:
        node = self._root
        for part in Path(path).parts:
            node = (node.entries or {})[part]
        return node

    def _folder(self, path: str) -> dict[str, _Node]:
        entries = self._node(str(Path(path).parent)).entries
        return {} if entries is None else entries


def _sync_all(node: _Node) -> None:
    for child in (node.entries or {}).values():
        _sync_all(child)
    node.synced_entries = dict(node.entries or {})


def _walk(
    root: _Node,
    entries: Callable[[_Node], dict[str, _Node] | None],
    data: Callable[[_Node], bytes],
) -> Tree:
    tree: Tree = {}
    waiting = [("", root)]
    while waiting:
        prefix, folder = waiting.pop()
        for name, node in (entries(folder) or {}).items():
            path = f"{prefix}{name}"
            is_file = entries(node) is None
            tree[path] = data(node) if is_file else None
            if not is_file:
                waiting.append((f"{path}/", node))
    return tree


# --- the real folder -----------------------------------------------------------------------------


def read_tree(root: Path) -> Tree:
    """What stands in a folder."""
    return {
        str(path.relative_to(root)): None if path.is_dir() else path.read_bytes()
        for path in root.rglob("*")
    }


def write_tree(root: Path, tree: Tree) -> None:
    """Put exactly that into a folder, owner-only."""
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(mode=0o700)
    for path in sorted(tree):
        content = tree[path]
        if content is None:
            (root / path).mkdir(mode=0o700)
        else:
            (root / path).write_bytes(content)
            (root / path).chmod(0o600)


def run_until(root: Path, number: int, run: Callable[[], object], *, torn: bool = False) -> bool:
    """Run in a process of its own that ends, as by kill -9, right before step ``number``.

    Args:
        root: whose steps are counted.
        number: from 0.
        run: what to do.
        torn: if that step is a write, half of it still happens.

    Returns:
        Whether there was such a step.
    """
    pid = os.fork()
    if pid == 0:  # nothing of the parent's may run on in here
        try:
            _stop_at(root, number, run, torn=torn)
        finally:
            os._exit(0)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status) == STOPPED


def _stop_at(root: Path, number: int, run: Callable[[], object], *, torn: bool) -> None:
    write = os.write

    def stop(at: int, step: Step) -> None:
        if at != number:
            return
        if torn and step.call == "write":
            descriptor = next(fd for fd, token in steps._open.items() if token == step.token)
            write(descriptor, step.data[: len(step.data) // 2])
        os._exit(STOPPED)

    steps = Steps(root, stop)
    with steps.watched():
        run()
