"""docs/doctor.md lists the checks that there are, each with what helps."""

import re
from pathlib import Path

from enigmacli.doctor.checks import CHECKS
from enigmacli.doctor.verdict import ORDER

PAGE = Path(__file__).parents[2] / "docs" / "doctor.md"
ROW = re.compile(r"^\| `([a-z0-9]+\.[a-z0-9-]+)` \| (.+?) \|", re.MULTILINE)


def test_the_page_lists_every_check_in_the_order_of_the_report() -> None:
    listed = ROW.findall(PAGE.read_text())

    assert [check for check, _ in listed] == list(CHECKS)


def test_the_page_names_the_exit_codes_in_the_order_in_which_they_count() -> None:
    words = " ".join(PAGE.read_text().split())
    found = re.search(r"first in this order: (.+?)\. So 4", words)

    assert found is not None
    assert [int(digit) for digit in re.findall(r"\b\d\b", found[1])] == list(ORDER)
