"""The client with real processes: quick, without a network, and as few as will do."""

import os
import re
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import pytest

import enclave
from enclave import calls, client
from enclave.binding import registration_report_data
from enclave.client import EnclaveClient
from enclave.errors import (
    BackendPolicyError,
    BindingError,
    CallError,
    EnclaveUnavailableError,
    NoSeedError,
    PolicyFormatError,
    StateWriteError,
)
from enclave.measurement import measure
from tests.simulators.attested_network import NOW_US, OWNER, AttestedNetwork

PACKAGE: Final = Path(enclave.__file__).parent
MEASUREMENT: Final = measure(PACKAGE)
NETWORK: Final = AttestedNetwork(MEASUREMENT)


@pytest.fixture
def keys(tmp_path: Path) -> Iterator[EnclaveClient]:
    with EnclaveClient.keys(package=None, state=tmp_path / "state") as started:
        yield started


def pid(started: EnclaveClient) -> int:
    """Of the running process."""
    process = started._process
    assert process is not None
    return process._popen.pid


def kill(running: int) -> None:
    """Kill -9 a child of this process, and wait until it is gone; somebody else may reap it."""
    os.kill(running, signal.SIGKILL)
    os.waitid(os.P_PID, running, os.WEXITED | os.WNOWAIT)


def stub(folder: Path, main: str) -> Path:
    """A package folder whose trusted program is ``main``."""
    package = folder / "enclave"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "__main__.py").write_text(main)
    return folder


def stubbed(folder: Path, main: str) -> EnclaveClient:
    return EnclaveClient.keys(package=stub(folder, main), state=folder / "state")


# Answers the greeting with an error, which is an answer, then does what the test wants.
GREETED: Final = """\
import os, struct, sys, time
def read():
    size, = struct.unpack(">I", os.read(0, 4))
    return os.read(0, size)
def greet():
    read()
    body = b"".join(struct.pack(">I", len(t)) + t for t in (b"no-seed", b"greeting", b"", b""))
    os.write(1, struct.pack(">IB", 1 + len(body), 0) + body)
"""


def test_the_role_with_keys_from_start_to_end(keys: EnclaveClient, tmp_path: Path) -> None:
    status = keys.status()
    made = keys.keygen(NETWORK.chain_id, NETWORK.policy)
    public = keys.bootstrap(NETWORK.chain_id, NETWORK.policy)
    quote = keys.evidence("registration", "epid", OWNER).quote
    certificate = NETWORK.certify(quote)
    bootstrap = NETWORK.certify(keys.evidence("bootstrap", "epid", bytes(20)).quote)
    confirm = keys.admit(certificate, OWNER, NOW_US)
    installed = keys.install(
        genesis_exchange_pk=public.genesis_exchange_pk,
        genesis_io_pk=public.genesis_io_pk,
        bootstrap_certificate=bootstrap,
        bootstrap_at_us=NOW_US,
        exchange_pk=public.exchange_pk,
        encrypted_seed=confirm.encrypted_seed,
    )
    keys.advance(NOW_US)
    bundle = keys.backup()

    assert status.measurement == MEASUREMENT
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o700
    assert keys.judge(certificate, OWNER, NOW_US).node_id == made.node_id == confirm.node_id
    assert keys.judge_bootstrap(bootstrap, NOW_US, public.exchange_pk, public.io_pk)
    assert keys.recheck(certificate, OWNER, NOW_US, confirm)
    assert installed == public == keys.public_keys()
    assert keys.verify_backup(bundle) == keys.seal()
    assert keys.restore(bundle) == ()
    assert keys.status().clock_us == NOW_US


def test_errors_come_back_as_the_enclaves_own_class(keys: EnclaveClient) -> None:
    real = AttestedNetwork(MEASUREMENT, {"simulation": False, "trust_roots": ["intel"]})

    with pytest.raises(NoSeedError):
        keys.public_keys()
    running = pid(keys)
    with pytest.raises(BackendPolicyError) as caught:
        keys.keygen(real.chain_id, real.policy)
    with pytest.raises(CallError, match="does not offer configure"):
        keys.call(calls.Configure(NETWORK.chain_id, NETWORK.policy))
    with pytest.raises(CallError, match="out of bounds"):
        keys.advance(-1)

    assert (caught.value.expected, caught.value.seen) == ("simulation true", "simulation false")
    assert pid(keys) == running


def test_the_judge_is_configured_after_every_start() -> None:
    data = registration_report_data(
        (9).to_bytes(32, "little"), NETWORK.configuration.network_id, OWNER
    )
    certificate = NETWORK.certify_report_data(data)
    arguments = {"package": None, "chain_id": NETWORK.chain_id, "policy": NETWORK.policy}

    with EnclaveClient.judge_role(**arguments) as judge:  # type: ignore[arg-type]
        assert judge.judge(certificate, OWNER, NOW_US).measurement == MEASUREMENT
        with pytest.raises(BindingError):
            judge.judge(certificate, bytes(20), NOW_US)
        with pytest.raises(CallError, match="does not offer keygen"):
            judge.keygen(NETWORK.chain_id, NETWORK.policy)
        kill(pid(judge))
        assert judge.judge(certificate, OWNER, NOW_US).measurement == MEASUREMENT


def test_a_judge_that_refuses_its_configuration_is_not_kept() -> None:
    with EnclaveClient.judge_role(package=None, chain_id="enigma", policy=b"{}") as judge:
        with pytest.raises(PolicyFormatError):
            judge.status()
        assert judge._process is None


def test_the_process_is_hardened_and_apart_from_the_terminal(keys: EnclaveClient) -> None:
    keys.status()
    running = pid(keys)

    status = Path(f"/proc/{running}/status").read_text()
    limits = Path(f"/proc/{running}/limits").read_text()
    assert "NoNewPrivs:\t1" in status
    assert re.search(r"Max core file size +0 +0 ", limits)
    assert os.getpgid(running) == running  # an interrupt at the terminal does not reach it


def test_the_process_ends_with_its_input_and_ignores_interrupts(keys: EnclaveClient) -> None:
    keys.status()
    popen = keys._process._popen if keys._process else None
    assert popen is not None

    os.kill(popen.pid, signal.SIGINT)
    keys.status()
    keys.close()

    assert popen.returncode == 0


def test_a_process_that_died_between_two_calls_costs_none_of_them(keys: EnclaveClient) -> None:
    keys.status()
    first = pid(keys)
    kill(first)

    assert keys.status().measurement == MEASUREMENT

    assert pid(keys) != first


def test_a_death_during_a_call_fails_that_call_and_is_no_reason_to_repeat_it(
    tmp_path: Path,
) -> None:
    starts = tmp_path / "starts"
    program = f"def main(): open({str(starts)!r}, 'a').write('x'); greet(); read(); sys.exit(7)\n"

    with stubbed(tmp_path, GREETED + program) as dying:
        for count in (1, 2):
            with pytest.raises(EnclaveUnavailableError, match="ended with status 7"):
                dying.status()
            assert starts.read_text() == "x" * count


def test_a_process_that_died_and_does_not_start_again_is_started_once_a_call(
    tmp_path: Path,
) -> None:
    once = tmp_path / "once"
    program = f"""
def main():
    open({str(once)!r}, "a").write("x")
    if os.path.getsize({str(once)!r}) > 1:
        sys.exit(7)
    greet()
    read()
    os.write(1, struct.pack(">IB", 1, {calls.Advance.NUMBER}))
    read()
"""
    with stubbed(tmp_path, GREETED + program) as dying:
        dying.advance(1)
        kill(pid(dying))

        with pytest.raises(EnclaveUnavailableError, match="ended with status 7"):
            dying.advance(1)

    assert once.read_text() == "xx"


def test_a_call_that_hangs_is_cut_off_and_the_process_killed(tmp_path: Path) -> None:
    hanging = stubbed(tmp_path, GREETED + "def main(): greet(); time.sleep(600)\n")
    with hanging:
        started = time.monotonic()
        with pytest.raises(EnclaveUnavailableError, match="did not answer in time"):
            hanging.call(calls.Status(), timeout_s=0.2)

        assert time.monotonic() - started < 10
        assert hanging._process is None


def test_a_request_larger_than_the_pipe_is_cut_off_too(tmp_path: Path) -> None:
    deaf = stubbed(tmp_path, GREETED + "def main(): greet(); time.sleep(600)\n")
    request = calls.Configure("enigma", bytes(calls.MAX_POLICY_BYTES))
    big = calls.VerifyBackup(calls.BackupBundle(b"", (calls.SealedBlob("x", request.policy),) * 4))

    with deaf, pytest.raises(EnclaveUnavailableError, match="did not answer in time"):
        deaf.call(big, timeout_s=0.2)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ('os.write(1, b"nonsense")', "answered with no frame"),
        ('os.write(1, struct.pack(">IB", 1, 9))', "answered another call"),
        ('os.write(1, struct.pack(">IBB", 2, 1, 0))', "answer is malformed"),
        ('os.write(1, struct.pack(">IBB", 2, 0, 0))', "answer is malformed"),
        ('os.write(1, struct.pack(">I", 99)); return 0', "ended with status 0"),
        ("sys.exit(7)", "ended with status 7"),
    ],
)
def test_nonsense_and_death_make_the_enclave_unavailable(
    tmp_path: Path, answer: str, reason: str
) -> None:
    broken = stubbed(tmp_path, GREETED + f"def main(): greet(); read(); {answer}\n")

    with broken, pytest.raises(EnclaveUnavailableError, match=reason):
        broken.status()


def test_a_start_that_fails_twice_is_not_tried_at_every_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = stubbed(tmp_path, f"import sys; open({str(tmp_path / 'starts')!r}, 'a').write('x')\n")
    with broken:
        for _ in range(2):
            with pytest.raises(EnclaveUnavailableError, match="ended with status 1"):
                broken.status()
        for _ in range(3):
            with pytest.raises(EnclaveUnavailableError, match=r"does not start: .* status 1"):
                broken.status()
        assert (tmp_path / "starts").read_text() == "xx"

        monkeypatch.setattr(broken, "_retry_at", 0.0)
        with pytest.raises(EnclaveUnavailableError, match="ended with status 1"):
            broken.status()
        assert (tmp_path / "starts").read_text() == "xxx"


def test_a_start_that_hangs_is_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "START_TIMEOUT_S", 0.3)
    hanging = stubbed(tmp_path, "import time; time.sleep(600)\n")

    with hanging, pytest.raises(EnclaveUnavailableError, match="did not answer in time"):
        hanging.status()


def test_a_folder_without_the_package_is_refused(tmp_path: Path) -> None:
    with (
        EnclaveClient.keys(package=tmp_path, state=tmp_path / "state") as missing,
        pytest.raises(EnclaveUnavailableError, match="no enclave package"),
    ):
        missing.status()


def test_an_unusable_state_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with EnclaveClient.keys(package=None, state=tmp_path / "file" / "state") as unusable:
        for _ in range(2):
            with pytest.raises(StateWriteError, match="Not a directory"):
                unusable.keygen(NETWORK.chain_id, NETWORK.policy)


def test_an_unknown_backend_is_named(tmp_path: Path) -> None:
    with (
        EnclaveClient.keys(package=None, state=tmp_path, backend="magic") as unknown,
        pytest.raises(CallError, match="no such backend"),
    ):
        unknown.status()


def test_the_process_sees_neither_environment_nor_other_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENIGMA_SECRET", "hush")
    seen = tmp_path / "seen"
    program = f"""
def main():
    links = [os.path.realpath(f"/proc/self/fd/{{n}}") for n in os.listdir("/proc/self/fd")]
    open({str(seen)!r}, "w").write(repr((dict(os.environ), links, os.getcwd())))
    greet(); read(); sys.exit(0)
"""
    descriptor = os.open(tmp_path / "open", os.O_RDWR | os.O_CREAT)
    os.set_inheritable(descriptor, True)  # noqa: FBT003 -- the standard library's signature
    with (
        stubbed(tmp_path / "stub", GREETED + program) as probe,
        pytest.raises(EnclaveUnavailableError),
    ):
        probe.status()
    os.close(descriptor)

    text = seen.read_text()
    assert "hush" not in text
    assert "'LANG': 'C.UTF-8'" in text
    assert str(tmp_path / "open") not in text


def test_calls_of_many_threads_take_turns(keys: EnclaveClient) -> None:
    keys.keygen(NETWORK.chain_id, NETWORK.policy)

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda _: keys.status(), range(40)))

    assert len({status.node_id for status in statuses}) == 1


def test_a_process_started_by_a_thread_outlives_it(keys: EnclaveClient) -> None:
    thread = threading.Thread(target=keys.status)
    thread.start()
    thread.join()

    first = pid(keys)
    keys.status()

    assert pid(keys) == first


def race(folder: Path, call: Callable[[EnclaveClient], bytes]) -> set[bytes]:
    """What four enclaves over one state folder answer to the same call at once."""
    with ThreadPoolExecutor(4) as pool, ExitStack() as stack:
        clients = [
            stack.enter_context(EnclaveClient.keys(package=None, state=folder)) for _ in range(4)
        ]
        list(pool.map(lambda started: started.status(), clients))
        return set(pool.map(call, clients))


def test_racing_enclaves_make_one_platform_one_key_and_one_seed(tmp_path: Path) -> None:
    policy = NETWORK.policy  # made once, before the threads

    def make(started: EnclaveClient) -> bytes:
        node_id = started.keygen(NETWORK.chain_id, policy).node_id
        return node_id + started.bootstrap(NETWORK.chain_id, policy).exchange_pk

    answers = race(tmp_path, make)

    assert len(answers) == 1
    with EnclaveClient.keys(package=None, state=tmp_path) as started:
        status = started.status()
    assert answers == {status.node_id + status.exchange_pk}


def test_usage_is_explained_on_standard_error(tmp_path: Path) -> None:
    import subprocess  # noqa: PLC0415 -- the one test that starts the program by hand

    for arguments in ([], ["--role", "judge", "--state", "x"], ["--role", "keys"], ["x"]):
        command = [sys.executable, "-B", "-m", "enclave", *arguments]
        ended = subprocess.run(
            command, cwd=PACKAGE.parent, capture_output=True, check=False, timeout=30
        )
        assert ended.returncode == 2
        assert ended.stdout == b""
        assert b"--role judge" in ended.stderr
    assert list(tmp_path.iterdir()) == []
