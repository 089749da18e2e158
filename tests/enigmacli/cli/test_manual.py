import re
import shutil
import subprocess

import pytest

from enigmacli.cli import cli
from enigmacli.cli.manual import pages, title
from enigmacli.cli.tree import walk
from enigmacli.config import KEYS

PAGES = dict(pages(cli))
SECTIONS = ("NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXIT STATUS", "FILES", "ENVIRONMENT")


def test_every_command_has_a_page_of_its_own() -> None:
    assert set(PAGES) == {f"{title(path)}.1" for path, _ in walk(cli)}
    assert len(PAGES) > 60


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_every_section_in_order_and_only_ascii(name: str) -> None:
    text = PAGES[name]

    headings = re.findall(r"^\.SH (.*)$", text, re.MULTILINE)
    assert [one for one in headings if one in SECTIONS] == list(SECTIONS)
    assert headings[-1] == "SEE ALSO"
    assert text.isascii()


def test_a_page_says_what_the_help_says() -> None:
    text = PAGES["enigmacli-keys-export.1"]

    assert '.TH "ENIGMACLI\\-KEYS\\-EXPORT" "1"' in text
    assert "\\fBenigmacli keys export\\fR [OPTIONS] NAME" in text
    assert ".TP\n\\fB\\-\\-out FILE\\fR\n" in text
    assert "\\fB\\-h, \\-\\-help\\fR" in text
    assert ".nf\nenigmacli keys export alice \\-\\-out alice.key\n.fi" in text
    assert "\\fBenigmacli\\-keys\\-import\\fR(1)" in text


def test_a_page_names_the_variables_of_its_own_options_and_the_first_page_all() -> None:
    assert "\\fBENIGMA_CHAIN_NODE\\fR" in PAGES["enigmacli-query-block.1"]
    assert "ENIGMA_CHAIN_GAS" not in PAGES["enigmacli-query-block.1"]
    for key in KEYS.values():
        assert f"\\fB{key.variable}\\fR" in PAGES["enigmacli.1"]


def test_pages_are_the_same_each_time() -> None:
    assert dict(pages(cli)) == PAGES


@pytest.mark.skipif(shutil.which("groff") is None, reason="needs groff")
def test_groff_formats_all_pages_without_a_warning() -> None:
    ran = subprocess.run(
        ["groff", "-man", "-Tutf8", "-ww", "-z"],  # noqa: S607 -- whichever groff is installed
        input="".join(PAGES.values()), capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert ran.stderr == ""


@pytest.mark.skipif(shutil.which("groff") is None, reason="needs groff")
def test_a_mistake_in_a_page_would_be_noticed() -> None:
    ran = subprocess.run(
        ["groff", "-man", "-Tutf8", "-ww", "-z"],  # noqa: S607 -- whichever groff is installed
        input=".TH A 1\n.SH NAME\n.NONSENSE\n", capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert "NONSENSE" in ran.stderr
