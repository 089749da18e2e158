"""Heights and pages of a request, with CometBFT's limits and texts (``rpc/core/env.go``)."""

from typing import Final

from enigmacli.api.rpc_error import RpcError

_DEFAULT_PER_PAGE: Final = 30
_MAX_PER_PAGE: Final = 100


def pick_height(given: int | None, latest: int, base: int) -> int:
    """The height asked for, the latest where none was.

    Raises:
        RpcError: there is no such height here.
    """
    if given is None:
        return latest
    if given <= 0:
        raise RpcError.internal(f"height must be greater than 0, but got {given}")
    if given > latest:
        raise RpcError.internal(
            f"height {given} must be less than or equal to the current blockchain height {latest}"
        )
    if given < base:
        raise RpcError.internal(f"height {given} is not available, lowest height is {base}")
    return given


def page_bounds(page: int | None, per_page: int | None, total: int) -> tuple[int, int]:
    """First and last-but-one index of a page.

    Raises:
        RpcError: there is no such page.
    """
    size = page_size(per_page)
    pages = max(1, -(-total // size))
    number = 1 if page is None else page
    if not 0 < number <= pages:
        raise RpcError.internal(f"page should be within [1, {pages}] range, given {number}")
    first = (number - 1) * size
    return first, min(first + size, total)


def page_size(per_page: int | None) -> int:
    """How many entries one answer lists."""
    if per_page is None or per_page < 1:
        return _DEFAULT_PER_PAGE
    return min(per_page, _MAX_PER_PAGE)


def block_range(least: int, most: int, base: int, latest: int) -> range:
    """The heights that ``blockchain`` lists, at most 20, the highest first.

    Raises:
        RpcError: the bounds are negative or cross.
    """
    if least < 0 or most < 0:
        raise RpcError.internal("heights must be non-negative")
    most = min(latest, most or latest)
    least = max(base, least or 1, most - 19)
    if least > most:
        raise RpcError.internal(f"min height {least} can't be greater than max height {most}")
    return range(most, least - 1, -1)
