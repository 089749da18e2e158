"""A process that stops, or a machine that loses power, at any step of any change."""

import fnmatch
from collections.abc import Callable, Iterator

import pytest

from tests.faults.disk import Disk, Step, Steps, Tree, read_tree, run_until, write_tree
from tests.faults.scenarios import SCENARIOS, Scenario
from tests.simulators.network_in_memory import NetworkInMemory

Prepare = Callable[[NetworkInMemory], Scenario]

MADE_ONCE = (
    "*enclave*/platform.key", "*enclave*/registration.sealed", "*enclave*/seed.sealed",
    "*node_key.json", "*priv_validator_key.json", "*keyring-*/*.key", "*ias_pki.pem",
    "*new-words",
)  # fmt: skip
UNIMPORTANT = ("*.tmp", "*lock", "*/logs/*", "*manifest.json.unfinished")

each_change = pytest.mark.parametrize("prepare", SCENARIOS, ids=lambda one: one.__name__)


def matters(path: str) -> bool:
    return not any(fnmatch.fnmatch(path, pattern) for pattern in UNIMPORTANT)


def files(tree: Tree) -> set[str]:
    """The paths of what matters; folders are made again by whoever needs them."""
    return {path for path, content in tree.items() if content is not None and matters(path)}


def secrets_of(tree: Tree) -> set[bytes]:
    """Contents that must never be made a second time, wherever they stand."""
    return {
        content
        for path, content in tree.items()
        if content is not None and any(fnmatch.fnmatch(f"/{path}", one) for one in MADE_ONCE)
    }


def check_old_or_new(seen: Tree, before: Tree, after: Tree) -> None:
    """Each file as it was, or whole as a completed run leaves it; no secret of before is gone.

    What is random differs in each run: there a new file has to be as long as the completed one.
    """
    for path in files({**before, **after, **seen}):
        content = seen.get(path)
        if content == before.get(path) and (path in seen) == (path in before):
            continue
        complete = after.get(path)
        same_kind = (content is None) == (complete is None) and (path in seen) == (path in after)
        assert same_kind, f"{path} is neither old nor new"
        if content is not None and complete is not None:
            spread = max(16, len(complete) // 3)  # words are of many lengths; torn is half
            assert abs(len(content) - len(complete)) <= spread, f"{path} is torn"
    assert secrets_of(before) <= secrets_of(seen), "a secret is gone"


def record(scenario: Scenario) -> list[Step]:
    steps = Steps(scenario.root)
    with steps.watched():
        assert scenario.run() in scenario.again
    return steps.taken


def check_completes(scenario: Scenario, before: Tree) -> None:
    """The same command again ends well, and makes no secret anew that is there."""
    held = secrets_of(before)

    assert scenario.run() in scenario.again

    assert held <= secrets_of(read_tree(scenario.root))


@each_change
def test_a_process_that_stops_at_any_step(network: NetworkInMemory, prepare: Prepare) -> None:
    scenario = prepare(network)
    before = read_tree(scenario.root)
    steps = record(scenario)
    after = read_tree(scenario.root)
    assert any(step.call == "fsync" for step in steps)

    for number in range(len(steps)):
        write_tree(scenario.root, before)
        assert run_until(scenario.root, number, scenario.run, torn=True), number
        left = read_tree(scenario.root)
        check_old_or_new(left, before, after)
        check_completes(scenario, left)

        again = read_tree(scenario.root)
        assert files(again) == files(after), number


def distinct(trees: Iterator[Tree]) -> list[Tree]:
    found: list[Tree] = []
    for tree in trees:
        if tree not in found:
            found.append(tree)
    return found


def power_cuts(before: Tree, steps: list[Step]) -> Iterator[Tree]:
    """The folder after each step, as each kind of power cut leaves it."""
    disk = Disk(before)
    for step in steps:
        disk.take(step)
        yield disk.after_power_cut()
        yield disk.after_reordering()


@each_change
def test_a_power_cut_at_any_step_drops_what_was_not_synced(
    network: NetworkInMemory, prepare: Prepare
) -> None:
    scenario = prepare(network)
    before = read_tree(scenario.root)
    steps = record(scenario)
    after = read_tree(scenario.root)

    for left in distinct(power_cuts(before, steps)):
        check_old_or_new(left, before, after)
        write_tree(scenario.root, left)
        check_completes(scenario, left)


@each_change
def test_what_a_completed_command_made_survives_a_power_cut(
    network: NetworkInMemory, prepare: Prepare
) -> None:
    scenario = prepare(network)
    disk = Disk(read_tree(scenario.root))

    for step in record(scenario):
        disk.take(step)

    kept, there = disk.after_power_cut(), read_tree(scenario.root)
    assert {path: kept.get(path, "lost") for path in there if matters(path)} == {
        path: there[path] for path in there if matters(path)
    }


@each_change
def test_what_is_found_after_a_stop_and_built_on_survives_a_power_cut(
    network: NetworkInMemory, prepare: Prepare
) -> None:
    """Stopped, run again to its end, then the power fails: nothing that was reported is gone."""
    scenario = prepare(network)
    before = read_tree(scenario.root)
    steps = record(scenario)

    for number in range(len(steps)):
        disk = Disk(before)
        for step in steps[:number]:
            disk.take(step)
        write_tree(scenario.root, disk.as_it_is())
        disk.forget_open()

        for step in record(scenario):
            disk.take(step)

        there = read_tree(scenario.root)
        assert disk.as_it_is().keys() == there.keys()
        assert secrets_of(disk.after_power_cut()) == secrets_of(there), number
