import stat
from pathlib import Path
from typing import Any

import pytest

WORDS = "abandon " * 11 + "about"
ADDRESS = "enigma19rl4cm2hmr8afy4kldpxz3fka4jguq0adg5p6h"
TEST = ("--keyring-backend", "test")


@pytest.fixture
def home(program: Any) -> Any:
    program.ok("init", "alpha")
    return program


@pytest.fixture
def passphrase(tmp_path: Path) -> str:
    file = tmp_path / "passphrase"
    file.write_text("correct horse\n")
    return str(file)


def test_words_give_the_known_address(home: Any) -> None:
    made = home.ok("keys", "add", "bob", "--recover", *TEST, stdin=WORDS)

    assert made["address"] == ADDRESS
    assert made["path"] == "m/44'/118'/0'/0/0"


def test_words_come_from_a_file_in_any_layout(home: Any, tmp_path: Path) -> None:
    (tmp_path / "words").write_text("\n".join(WORDS.upper().split()))

    made = home.ok("keys", "add", "bob", "--recover", "--source", str(tmp_path / "words"), *TEST)

    assert made["address"] == ADDRESS


def test_the_coin_type_is_configured(home: Any) -> None:
    home.ok("config", "set", "account.coin_type", "529")

    made = home.ok("keys", "add", "bob", "--recover", *TEST, stdin=WORDS)

    assert made["path"] == "m/44'/529'/0'/0/0"
    assert made["address"] != ADDRESS


def test_the_words_of_a_new_key_go_to_a_private_file(home: Any, tmp_path: Path) -> None:
    file = tmp_path / "words"

    made = home.ok("keys", "add", "bob", "--mnemonic-file", str(file), *TEST)

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    again = home.ok("keys", "add", "again", "--recover", "--source", str(file), *TEST)
    assert again["address"] == made["address"]


def test_words_appear_nowhere_off_a_terminal(home: Any, tmp_path: Path) -> None:
    file = tmp_path / "words"

    made = home("keys", "add", "bob", "--mnemonic-file", str(file), *TEST)

    assert file.read_text().strip() not in made.out + made.err


def test_an_encrypted_key_is_not_made_where_nobody_sees_its_words(
    home: Any, passphrase: str
) -> None:
    failed = home("keys", "add", "bob", "--passphrase-file", passphrase)

    assert failed.code == 2
    assert "--mnemonic-file FILE" in failed.err
    assert home.ok("keys", "list") == {"keys": []}


def test_words_are_not_written_for_a_key_that_exists(home: Any, tmp_path: Path) -> None:
    home.ok("keys", "add", "bob", *TEST)

    failed = home("keys", "add", "bob", "--mnemonic-file", str(tmp_path / "words"), *TEST)

    assert failed.code == 3
    assert not (tmp_path / "words").exists()


def test_no_words_stay_behind_where_no_key_was_made(home: Any, tmp_path: Path) -> None:
    failed = home("keys", "add", "no/name", "--mnemonic-file", str(tmp_path / "words"), *TEST)

    assert failed.code == 3
    assert not (tmp_path / "words").exists()


def test_a_words_file_is_never_overwritten(home: Any, tmp_path: Path) -> None:
    (tmp_path / "words").write_text("mine")

    failed = home("keys", "add", "bob", "--mnemonic-file", str(tmp_path / "words"), *TEST)

    assert failed.code == 3
    assert (tmp_path / "words").read_text() == "mine"
    assert home.ok("keys", "list", *TEST) == {"keys": []}


def test_words_that_a_killed_run_left_become_the_keys_words(home: Any, tmp_path: Path) -> None:
    file = tmp_path / "words"
    file.write_text(f"{WORDS}\n")
    file.chmod(0o600)

    made = home("keys", "add", "bob", "--mnemonic-file", str(file), *TEST)

    assert made.code == 0
    assert made.out == f"{ADDRESS}\n"
    assert f"{file} held words of no key" in made.err
    assert file.read_text() == f"{WORDS}\n"


@pytest.mark.parametrize(("text", "mode"), [(f"{WORDS}\n", 0o644), (WORDS, 0o600)])
def test_words_that_no_killed_run_leaves_are_not_taken(
    home: Any, tmp_path: Path, text: str, mode: int
) -> None:
    file = tmp_path / "words"
    file.write_text(text)
    file.chmod(mode)

    failed = home("keys", "add", "bob", "--mnemonic-file", str(file), *TEST)

    assert failed.code == 3
    assert home.ok("keys", "list", *TEST) == {"keys": []}


def test_one_words_file_serves_no_two_keys(home: Any, tmp_path: Path) -> None:
    file = str(tmp_path / "words")
    home.ok("keys", "add", "bob", "--mnemonic-file", file, *TEST)

    failed = home("keys", "add", "carol", "--mnemonic-file", file, *TEST)

    assert failed.code == 3
    assert [key["name"] for key in home.ok("keys", "list", *TEST)["keys"]] == ["bob"]


def test_keys_are_listed_by_name_and_shown(home: Any) -> None:
    for name in ("zoe", "bob"):
        home.ok("keys", "add", name, *TEST)

    assert [key["name"] for key in home.ok("keys", "list", *TEST)["keys"]] == ["bob", "zoe"]
    shown = home.ok("keys", "show", "bob", *TEST)
    assert home("keys", "show", "bob", "-a", *TEST).out == f"{shown['address']}\n"
    assert home.ok("keys", "list") == {"keys": []}


def test_a_key_is_deleted_only_when_confirmed(home: Any) -> None:
    home.ok("keys", "add", "bob", *TEST)

    failed = home("keys", "delete", "bob", *TEST)
    assert failed.code == 2
    assert "add -y" in failed.err
    assert home.ok("keys", "delete", "bob", "-y", *TEST)["deleted"]

    assert home("keys", "show", "bob", *TEST).code == 3


def test_an_export_comes_back_under_its_passphrase_only(
    home: Any, tmp_path: Path, passphrase: str
) -> None:
    home.ok("keys", "add", "bob", "--recover", *TEST, stdin=WORDS)
    file = str(tmp_path / "bob.asc")
    own = ("--export-passphrase-file", passphrase)
    home.ok("keys", "export", "bob", "--out", file, *own, *TEST)
    assert stat.S_IMODE(Path(file).stat().st_mode) == 0o600

    wrong = home(
        "keys", "import", "eve", file, "--export-passphrase-file", "-", *TEST, stdin="wrong horse"
    )
    made = home.ok("keys", "import", "eve", file, *own, *TEST)

    assert wrong.code == 3
    assert made["address"] == ADDRESS


def test_the_wrong_passphrase_is_exit_3_with_a_hint(
    home: Any, tmp_path: Path, passphrase: str
) -> None:
    words = str(tmp_path / "words")
    home.ok("keys", "add", "bob", "--mnemonic-file", words, "--passphrase-file", passphrase)

    failed = home(
        "keys", "export", "bob", "--passphrase-file", "-", "--export-passphrase-file", passphrase,
        "-o", "json", stdin="battery staple\n",
    )  # fmt: skip

    assert failed.code == 3
    assert failed.error["code"] == "passphrase"
    assert failed.error["hint"]


@pytest.mark.parametrize(
    ("arguments", "stdin", "code"),
    [
        (["add", "bob"], None, 2),
        (["add", "bob", "--recover", *TEST], "not a phrase", 3),
        (["add", "bob", "--recover", *TEST], b"\xff\x00" * 999, 3),
        (["add", "bob", "--recover", *TEST], "", 3),
        (["add", "bob", "--recover", "--source", "/nowhere", *TEST], None, 3),
        (["add", "bob", "--source", "x", *TEST], None, 2),
        (["add", "bob", "--recover", "--mnemonic-file", "x", *TEST], None, 2),
        (["add", "bob", "--recover", "--passphrase-file", "-"], WORDS, 2),
        (["add", "bob", "--recover", "--source", "/dev/null", "--passphrase-file", "-"], "", 3),
        (["show", "bob", *TEST], None, 3),
        (["show", "../x", *TEST], None, 3),
        (["export", "bob", *TEST], None, 3),
        (["import", "bob", "-", "--export-passphrase-file", "-", *TEST], "x", 2),
        (["import", "bob", "/dev/null", *TEST], None, 2),
        (["list", "--keyring-backend", "os"], None, 2),
    ],
)
def test_bad_input_has_its_exit_code_and_a_hint(
    home: Any, arguments: list[str], stdin: str | bytes | None, code: int
) -> None:
    failed = home("keys", *arguments, stdin=stdin)

    assert failed.code == code
    assert failed.out == ""
    assert "enigmacli: error: " in failed.err


@pytest.mark.parametrize("content", [b"", b"garbage", b"{}", b"\xff" * 100])
def test_a_damaged_key_file_is_exit_3(home: Any, content: bytes) -> None:
    home.ok("keys", "add", "bob", *TEST)
    (file,) = (home.home / "keyring-test").iterdir()
    file.write_bytes(content)

    assert home("keys", "list", *TEST).code == 3


def test_a_key_file_that_others_may_read_is_refused(home: Any) -> None:
    home.ok("keys", "add", "bob", *TEST)
    (file,) = (home.home / "keyring-test").iterdir()
    file.chmod(0o644)

    failed = home("keys", "show", "bob", *TEST)

    assert failed.code == 3
    assert f"chmod 600 {file}" in failed.err
