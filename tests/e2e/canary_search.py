"""The search for planted secrets: in bytes, folders, arguments, environments and memory."""

import base64
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

_PRINTED: Final = re.compile(rb"[A-Za-z0-9+/_-]{32,}")
_URL_SAFE: Final = bytes.maketrans(b"-_", b"+/")
_LEAST_BYTES: Final = 32
_CHUNK: Final = 64 << 20


@dataclass(frozen=True)
class Canary:
    """A secret that is known to the test, and the places where it belongs."""

    name: str
    value: bytes
    home: str = ""
    """A pattern of places; anywhere else it has leaked."""

    def __post_init__(self) -> None:
        assert len(self.value) >= _LEAST_BYTES, f"{self.name} could be found by chance"

    @cached_property
    def forms(self) -> dict[str, bytes]:
        """How the value would look where somebody wrote it down."""
        text = self.value.hex().encode()
        return {
            "raw": self.value,
            "reversed": self.value[::-1],
            "hex": text,
            "HEX": text.upper(),
            "reversed hex": self.value[::-1].hex().encode(),
        } | {f"base64 at {start}": _base64(self.value, start) for start in range(3)}


def _base64(value: bytes, start: int) -> bytes:
    """What of base64 depends on ``value`` alone where it begins at byte ``start`` of three."""
    encoded = base64.b64encode(bytes(start) + value)
    return encoded[-(-start * 8 // 6) : (start + len(value)) * 8 // 6]


@dataclass(frozen=True)
class Finding:
    """One secret in one form at one place."""

    canary: str
    form: str
    place: str


def search(data: bytes, canaries: Sequence[Canary], place: str) -> Iterator[Finding]:
    """Every secret that stands in ``data``."""
    printed = b"\n".join(_PRINTED.findall(data))
    printed_plain = printed.translate(_URL_SAFE)
    for canary in canaries:
        for form, needle in canary.forms.items():
            haystack = data if form in ("raw", "reversed") else printed_plain
            if needle in haystack:
                yield Finding(canary.name, form, place)


def search_folder(folder: Path, canaries: Sequence[Canary]) -> tuple[list[Finding], list[str]]:
    """Every secret in the files below ``folder``, and the files that were read."""
    found: list[Finding] = []
    read: list[str] = []
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            place = f"file {path.relative_to(folder)}"
            read.append(place)
            found += search(path.read_bytes(), canaries, place)
            found += search(str(path).encode(), canaries, f"name of {place}")
    return found, read


def leaks(found: Sequence[Finding], canaries: Sequence[Canary]) -> list[Finding]:
    """The findings at places where the secret does not belong."""
    homes = {canary.name: canary.home for canary in canaries}
    return [
        one
        for one in found
        if not homes[one.canary] or not re.fullmatch(homes[one.canary], one.place)
    ]


def memory(pid: int) -> Iterator[bytes]:
    """What a process may write to: stacks, heaps, data of libraries.

    Raises:
        PermissionError: the system protects it from this user.
    """
    with (
        Path(f"/proc/{pid}/maps").open(encoding="utf-8", errors="replace") as maps,
        Path(f"/proc/{pid}/mem").open("rb", buffering=0) as mem,
    ):
        for line in maps:
            where, rights = line.split()[:2]
            if not rights.startswith("rw"):
                continue
            start, end = (int(number, 16) for number in where.split("-"))
            yield from _read(mem.fileno(), start, end)


def _read(descriptor: int, start: int, end: int) -> Iterator[bytes]:
    while start < end:
        try:
            chunk = os.pread(descriptor, min(_CHUNK, end - start), start)
        except OSError:  # a page that nobody may read, or that is gone by now
            return
        if not chunk:
            return
        yield chunk
        if len(chunk) == end - start:
            return
        # what lies across the cut must not be missed
        start += max(len(chunk) - 4096, 1) if len(chunk) > 4096 else len(chunk)


def search_memory(pid: int, canaries: Sequence[Canary], place: str) -> list[Finding]:
    """Every secret in a process's memory.

    Raises:
        PermissionError: the system protects it from this user.
    """
    found: list[Finding] = []
    for chunk in memory(pid):
        # long runs of zeros hold nothing, and there are many of them
        found += search(chunk.replace(bytes(256), bytes(1)), canaries, place)
    return found


def children(pid: int) -> list[int]:
    """The processes that ``pid`` started and that live."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            after_name = stat.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(after_name[1]) == pid:
            found.append(int(stat.parent.name))
    return found


def command_line(pid: int) -> bytes:
    """A process's arguments, zero bytes between them; empty where it has ended."""
    return _of_process(pid, "cmdline")


def _of_process(pid: int, name: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:
        return b""


def process_ids() -> list[int]:
    """Of every process."""
    return [int(path.name) for path in Path("/proc").glob("[0-9]*")]


def arguments_and_environments(pids: Iterable[int]) -> set[bytes]:
    """Of these processes, as far as this user may look, each with its kind in front."""
    return {
        kind + b": " + _of_process(pid, kind.decode())
        for pid in pids
        for kind in (b"cmdline", b"environ")
    }
