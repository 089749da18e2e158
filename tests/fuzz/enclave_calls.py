"""Random and damaged frames against live trusted processes of both roles, over their pipes.

Every frame that has a sound length gets one well-formed answer in time; a broken length gets
an error and an ordered end. Nothing is written to standard error, no answer is a bug of the
enclave's, and the sealed files stay byte for byte what they were.
"""

import contextlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path
from random import Random
from typing import Any, Final

import enclave
from enclave import calls, codec, frames
from enclave.binding import NO_OWNER
from enclave.client import EnclaveClient
from enclave.errors import CallError, EnclaveUnavailableError
from enclave.measurement import measure
from enclave.process import EnclaveProcess
from tests.fuzz.mutation import Outcome, damage, noise, pick
from tests.simulators.attested_network import NOW_US, OWNER, AttestedNetwork

PACKAGE: Final = Path(enclave.__file__).parent
NETWORK: Final = AttestedNetwork(measure(PACKAGE))
ANSWER_TIMEOUT_S: Final = 20.0
_BREAKS: Final = (0, calls.MAX_FRAME_BYTES + 1, 2**31, 2**32 - 1)
_FIXED: Final = 64
"""Fields of at most so many bytes keep their length."""
_JUDGES: Final = (calls.Status, calls.Configure, calls.Judge, calls.JudgeBootstrap, calls.Admit)
_STATUS: Final = frames.encode(calls.Status.NUMBER, calls.Status())


@dataclass
class Fuzzed:
    """One live process, its genuine frames, and what must not change."""

    name: str
    arguments: list[str]
    greeting: bytes
    requests: list[Any]
    """Genuine ones, of every call that does not end the process."""
    folder: Path
    """Its sealed files, and the file that takes its standard error."""
    rng: Random
    outcome: Outcome

    def __post_init__(self) -> None:
        self._genuine = [_frame(request) for request in self.requests]
        self._errors = os.open(self.folder / f"{self.name}.stderr", os.O_CREAT | os.O_RDWR, 0o600)
        self._sealed = self._files()
        self._start()
        self._status = self._process.exchange(_STATUS, ANSWER_TIMEOUT_S)

    def close(self) -> None:
        """End the process and look at what is left."""
        self._process.close()
        written = os.pread(self._errors, 4096, 0)
        if written:
            self.outcome.fail(f"{self.name} wrote to standard error: {written.decode()}")
        if self._files() != self._sealed:
            self.outcome.fail(f"{self.name}: the sealed files changed")
        os.close(self._errors)

    def step(self) -> None:
        """One input."""
        kind = self.rng.random()
        if kind < 0.004:
            self._break_length()
        elif kind < 0.008:
            self._cut_off()
        else:
            self._send(self._make_frame())
        if self.rng.random() < 0.05:
            self._ask_status()

    def _make_frame(self) -> bytes:
        kind = self.rng.random()
        if kind < 0.05:
            return bytes([self.rng.randrange(256)]) + noise(self.rng)
        if kind < 0.3:
            return pick(self.rng, self._genuine) or b"\x00"
        with contextlib.suppress(CallError):
            return _frame(damage_fields(self.rng, self.rng.choice(self.requests)))
        return self.rng.choice(self._genuine)

    def _send(self, frame: bytes) -> None:
        if _moves_the_clock(frame) or len(frame) > calls.MAX_FRAME_BYTES:
            return
        number = frame[0]
        try:
            answered, body = self._process.exchange(_framed(frame), ANSWER_TIMEOUT_S)
        except EnclaveUnavailableError as error:
            self.outcome.fail(f"{self.name}: {error}", frame)
            self._restart()
            return
        self.outcome.count(f"{self.name}: {self._read(number, answered, body, frame)}")
        if answered == calls.Shutdown.NUMBER:
            self._expect_end(frame)

    def _read(self, number: int, answered: int, body: bytes, frame: bytes) -> str:
        kind: Any = calls.BY_NUMBER.get(answered)
        try:
            if answered == calls.ErrorReply.NUMBER:
                code = codec.decode(calls.ErrorReply, body).code
                if code == "enclave-internal":
                    self.outcome.fail(f"{self.name}: a bug", frame)
                return code
            codec.decode(kind.REPLY, body)
        except (CallError, AttributeError) as error:
            self.outcome.fail(f"{self.name}: a malformed answer ({error})", frame)
        if answered != number:
            self.outcome.fail(f"{self.name}: an answer to another call", frame)
        return "done"

    def _ask_status(self) -> None:
        if self._process.exchange(_STATUS, ANSWER_TIMEOUT_S) != self._status:
            self.outcome.fail(f"{self.name}: its status changed")

    def _break_length(self) -> None:
        broken = self.rng.choice(_BREAKS).to_bytes(4, "big") + noise(self.rng)
        answered, body = self._process.exchange(broken, ANSWER_TIMEOUT_S)
        self.outcome.count(f"{self.name}: broken length")
        if answered or codec.decode(calls.ErrorReply, body).code != "enclave-call-malformed":
            self.outcome.fail(f"{self.name}: a broken length is not refused", broken)
        self._expect_end(broken)

    def _cut_off(self) -> None:
        whole = _framed(self.rng.choice(self._genuine))
        cut = whole[: self.rng.randrange(len(whole))]
        popen = self._process._popen
        assert popen.stdin is not None
        os.set_blocking(popen.stdin.fileno(), True)
        popen.stdin.write(cut)
        popen.stdin.close()
        self.outcome.count(f"{self.name}: cut off")
        self._expect_end(cut)

    def _expect_end(self, data: bytes) -> None:
        try:
            status = self._process._popen.wait(ANSWER_TIMEOUT_S)
        except TimeoutError:
            status = None
        if status != 0:
            self.outcome.fail(f"{self.name}: it ended with {status}", data)
        self._restart()

    def _restart(self) -> None:
        self._process.kill()
        self._start()
        self._ask_status()

    def _start(self) -> None:
        self._process = EnclaveProcess.spawn(PACKAGE.parent, self.arguments, self._errors)
        self._process.exchange(self.greeting, ANSWER_TIMEOUT_S)

    def _files(self) -> dict[str, bytes]:
        kept = (*self.folder.glob("*.sealed"), *self.folder.glob("platform.key"))
        return {path.name: path.read_bytes() for path in kept}


def damage_fields(rng: Random, request: Any) -> Any:
    """A request of which one field is damaged, so that what stands behind the codec is met."""
    name = rng.choice([field.name for field in fields(request)] or [""])
    return (
        replace(request, **{name: _damage_value(rng, getattr(request, name))}) if name else request
    )


def _damage_value(rng: Random, value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return rng.choice((0, 1, value + 1, 2**63 - 1, rng.randrange(2**63)))
    if isinstance(value, str):
        return damage(rng, value.encode()).decode("utf-8", "replace")
    if isinstance(value, bytes):
        changed = damage(rng, value)
        return changed[: len(value)].ljust(len(value), b"\x00") if len(value) <= _FIXED else changed
    if isinstance(value, tuple):
        changed_items = [damage_fields(rng, item) for item in value]
        return tuple(rng.choices(changed_items, k=rng.randint(0, len(value) + 1)) if value else ())
    return damage_fields(rng, value)


def _frame(request: Any) -> bytes:
    """Without its length: call number and body."""
    return frames.encode(request.NUMBER, request)[frames.HEADER_BYTES :]


def _framed(frame: bytes) -> bytes:
    return len(frame).to_bytes(4, "big") + frame


def _moves_the_clock(frame: bytes) -> bool:
    """Whether it is a well-formed Advance, which rightly changes the sealed clock."""
    if frame[:1] != bytes([calls.Advance.NUMBER]):
        return False
    with contextlib.suppress(CallError):
        codec.decode(calls.Advance, frame[1:])
        return True
    return False


@contextlib.contextmanager
def fuzzed(folder: Path, rng: Random) -> Iterator[tuple[Outcome, Callable[[], None]]]:
    """Both roles, live; the second value sends one input to one of them."""
    outcome = Outcome("enclave calls")
    requests = _requests(folder / "keys")
    (folder / "judge").mkdir()
    configure = calls.Configure(NETWORK.chain_id, NETWORK.policy)
    roles = [
        Fuzzed(
            "keys", ["--role", "keys", "--backend", "simulation", "--state", str(folder / "keys")],
            _STATUS, requests, folder / "keys", rng, outcome,
        ),
        Fuzzed(
            "judge", ["--role", "judge"], frames.encode(configure.NUMBER, configure),
            [one for one in requests if isinstance(one, _JUDGES)], folder / "judge", rng, outcome,
        ),
    ]  # fmt: skip
    try:
        yield outcome, lambda: rng.choice(roles).step()
    finally:
        for role in roles:
            role.close()


def _requests(state: Path) -> list[Any]:
    """One good request of each call, over the state of a first node, which this makes."""
    with EnclaveClient.keys(package=None, state=state) as client:
        client.keygen(NETWORK.chain_id, NETWORK.policy)
        public = client.bootstrap(NETWORK.chain_id, NETWORK.policy)
        client.advance(NOW_US)
        certificate = NETWORK.certify(client.evidence("registration", "epid", OWNER).quote)
        bootstrap = NETWORK.certify(client.evidence("bootstrap", "epid", NO_OWNER).quote)
        confirm = client.admit(certificate, OWNER, NOW_US)
        bundle = client.backup()
    return [
        calls.Status(), calls.Keygen(NETWORK.chain_id, NETWORK.policy),
        calls.Evidence("registration", "epid", OWNER, b""),
        calls.Evidence("bootstrap", "epid", NO_OWNER, b"a list"),
        calls.Bootstrap(NETWORK.chain_id, NETWORK.policy), calls.PublicKeys(),
        calls.Configure(NETWORK.chain_id, NETWORK.policy),
        calls.Judge(certificate, OWNER, NOW_US, catch_up=False),
        calls.Judge(certificate, OWNER, NOW_US - 10**12, catch_up=True),
        calls.JudgeBootstrap(bootstrap, NOW_US, public.exchange_pk, public.io_pk),
        calls.Admit(certificate, OWNER, NOW_US),
        calls.Recheck(certificate, OWNER, NOW_US, confirm),
        calls.Install(
            public.genesis_exchange_pk, public.genesis_io_pk, bootstrap, NOW_US,
            public.exchange_pk, confirm.encrypted_seed,
        ),
        calls.Advance(NOW_US - 1), calls.Seal(), calls.Backup(), calls.VerifyBackup(bundle),
        calls.Restore(bundle),
    ]  # fmt: skip
