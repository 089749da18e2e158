"""A system that refuses a step: full, broken, read-only, out of descriptors, or in use."""

import errno
import fcntl
import os
from collections.abc import Callable
from itertools import cycle
from pathlib import Path

import pytest

from enclave.errors import EnclaveError
from enigmacli.cli.exit_codes import exit_code
from enigmacli.errors import EnigmaError
from tests.faults.disk import Step, Steps, read_tree, write_tree
from tests.faults.scenarios import SCENARIOS, Scenario
from tests.faults.test_stops import check_completes, check_old_or_new, secrets_of
from tests.simulators.network_in_memory import NetworkInMemory, NetworkProgram

Prepare = Callable[[NetworkInMemory], Scenario]

REFUSALS = (errno.ENOSPC, errno.EIO, errno.EROFS, errno.EMFILE, errno.EDQUOT)
LOCAL_STATE, ENCLAVE_REFUSED = 3, 8

each_change = pytest.mark.parametrize("prepare", SCENARIOS, ids=lambda one: one.__name__)


def refuse_from(root: Path, number: int, error: int, run: Callable[[], int]) -> int:
    """The exit code of a run whose every step from ``number`` on fails, but for removals."""

    def refuse(at: int, step: Step) -> None:
        if at >= number and step.call != "unlink":
            raise OSError(error, os.strerror(error))

    with Steps(root, refuse).watched():
        try:
            return run()
        except (EnclaveError, EnigmaError) as named:
            return exit_code(named)


@each_change
def test_a_refused_step_is_named_and_nothing_is_lost(
    network: NetworkInMemory, prepare: Prepare
) -> None:
    scenario = prepare(network)
    before = read_tree(scenario.root)
    steps = Steps(scenario.root)
    with steps.watched():
        assert scenario.run() == 0
    after = read_tree(scenario.root)

    for number, error in zip(range(len(steps.taken)), cycle(REFUSALS)):
        write_tree(scenario.root, before)
        code = refuse_from(scenario.root, number, error, scenario.run)
        left = read_tree(scenario.root)

        assert code in (LOCAL_STATE, ENCLAVE_REFUSED), (number, steps.taken[number])
        check_old_or_new(left, before, after)
        check_completes(scenario, left)


def test_a_full_disk_is_called_full(network: NetworkInMemory) -> None:
    program = network.first

    def change() -> int:
        shown = program("config", "set", "node.moniker", "other", "-o", "json")
        assert shown.error["code"] == "storage"
        assert "no space left" in shown.error["message"]
        assert "free some space" in shown.error["hint"]
        return shown.code

    assert refuse_from(program.home, 0, errno.ENOSPC, change) == LOCAL_STATE


CHANGING_COMMANDS = (
    ("enclave", "keygen"),
    ("bootstrap",),
    ("genesis", "add-account", "alice", "2000uscrt"),
    ("enclave", "reset", "-y"),
)


@pytest.mark.parametrize("command", CHANGING_COMMANDS, ids=" ".join)
def test_a_home_in_use_is_refused_by_name(
    network: NetworkInMemory, command: tuple[str, ...]
) -> None:
    program: NetworkProgram = network.first
    before = secrets_of(read_tree(program.home))
    descriptor = os.open(program.home / "lock", os.O_RDWR)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        shown = program(*command, "-o", "json")
    finally:
        os.close(descriptor)

    assert (shown.code, shown.error["code"]) == (LOCAL_STATE, "home-busy")
    assert secrets_of(read_tree(program.home)) == before


def test_two_commands_never_change_the_configuration_at_once(network: NetworkInMemory) -> None:
    program = network.first
    descriptor = os.open(program.home / "config" / "config.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        shown = program("config", "set", "node.moniker", "other", "-o", "json")
    finally:
        os.close(descriptor)

    assert (shown.code, shown.error["code"]) == (LOCAL_STATE, "home-busy")
    assert program.ok("config", "set", "node.moniker", "other")["changed"]
