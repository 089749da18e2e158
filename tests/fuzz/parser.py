"""One parser under trial: what it reads, genuine input for it, and what it may raise."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from random import Random

from tests.fuzz.mutation import make_input


@dataclass(frozen=True)
class Parser:
    """Reads any bytes, or refuses them with an error of its own."""

    read: Callable[[bytes], object]
    genuine: Callable[[], Sequence[bytes]]
    """Made when first asked for: some need keys."""
    refuses: tuple[type[Exception], ...]
    dictionary: tuple[bytes, ...] = ()
    """Words of the format, for a fuzzer that cannot guess them."""
    most_bytes: int | None = None
    """The longest input that its only caller hands it; None: any length is its own business."""

    def try_on(self, data: bytes) -> None:
        """Read ``data``; an error that the parser may not raise comes through."""
        with suppress(*self.refuses):
            self.read(data[: self.most_bytes])

    def damaged(self, seed: int) -> bytes:
        """One input, repeatable from ``seed``."""
        return make_input(Random(seed), self.genuine())  # noqa: S311 -- no secret
