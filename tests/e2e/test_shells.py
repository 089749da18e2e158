"""Completion in real shells; those that are not installed are skipped, and say so."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.e2e.terminal import environment, on_terminal

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def variables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment in which ``enigmacli`` is found, with a key in the home it uses."""
    folder = tmp_path_factory.mktemp("shells")
    programs = Path(__file__).parents[2] / ".venv" / "bin"
    found = environment(HOME=str(folder), ENIGMA_ACCOUNT_KEYRING_BACKEND="test")
    found["PATH"] = f"{programs}:{found['PATH']}"
    for arguments in (("init", "alpha"), ("keys", "add", "barbara")):
        subprocess.run(
            [programs / "enigmacli", *arguments], env=found, capture_output=True, check=True
        )
    return found


SCRIPTS = {
    "bash": ("bash", "--norc", "--noprofile", "-i"),
    "zsh": ("zsh", "-f", "-i"),
    "fish": ("fish", "--no-config", "-i"),
}
PREPARE = {
    "bash": "PS1='> '; source <(enigmacli completion bash); echo rea''dy\n",
    "zsh": "autoload -Uz compinit; compinit -u; PS1='> ';"
    " source <(enigmacli completion zsh); echo rea''dy\n",
    "fish": "enigmacli completion fish | source; echo rea''dy\n",
}


@pytest.mark.parametrize("shell", SCRIPTS)
def test_a_tab_completes_commands_and_the_names_of_keys(
    variables: dict[str, str], shell: str
) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed here")
    with on_terminal(SCRIPTS[shell], variables, columns=120) as screen:
        screen.type(PREPARE[shell])
        screen.wait_for("ready")
        screen.type("enigmacli qui\t")
        screen.wait_for("quickstart")
        screen.type("\x15enigmacli keys show barb\t")
        screen.wait_for("barbara")
        assert "error" not in screen.words
        assert "warning" not in screen.words
