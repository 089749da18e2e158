"""``docs/errors.md`` is what the tables of ``explain`` say."""

from scripts.errors_page import FILE, page


def test_the_page_is_up_to_date() -> None:
    assert FILE.read_text() == page(), "write it anew with: python -m scripts.errors_page"
