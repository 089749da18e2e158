"""Random and damaged transactions against CheckTx of a real application with a real judge.

Half are damaged as a whole; the others are correctly signed and paid around damaged
evidence, so that the judge meets it. Every one gets an answer in time, none is a bug, the
judge lives, and neither application hash nor sealed files change.
"""

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any, Final

from enclave.appraise.policy import Policy
from enclave.binding import NO_OWNER, registration_report_data
from enclave.calls import AdmitReply, JudgeReply
from enclave.client import EnclaveClient
from enigmacli.app.app_state import NetworkKeys
from enigmacli.app.genesis import GenesisDocument
from tests.enigmacli.app.chain import ALICE, BLOCK_US, BOB, CAROL, GENESIS_US, Chain, genesis
from tests.fuzz.enclave_calls import NETWORK
from tests.fuzz.mutation import Outcome, damage, pick

LONGEST_S: Final = 5.0
"""A judgement may take one second; the rest is a busy machine's."""
_RENEW_EVERY: Final = 200


@dataclass
class RealEnclaves:
    """The application's judge and admitter, each a live process."""

    keys: EnclaveClient
    judging: EnclaveClient

    def judge(
        self, certificate: bytes, owner: bytes, at_us: int, *, catch_up: bool = False
    ) -> JudgeReply:
        return self.judging.judge(certificate, owner, at_us, catch_up=catch_up)

    def admit(self, certificate: bytes, owner: bytes, at_us: int) -> AdmitReply:
        return self.keys.admit(certificate, owner, at_us)

    def judge_bootstrap(
        self, certificate: bytes, at_us: int, exchange_pk: bytes, io_pk: bytes
    ) -> JudgeReply:
        return self.keys.judge_bootstrap(certificate, at_us, exchange_pk, io_pk)

    def advance(self, at_us: int) -> None:
        self.keys.advance(at_us)


@dataclass
class Checked:
    """A chain of one, its genuine transactions, and what must not change."""

    chain: Chain
    rng: Random
    outcome: Outcome
    _spent: bool = False

    def __post_init__(self) -> None:
        at_us = self.chain.next_us
        self._certificates = [_certificate(one.address, at_us) for one in (BOB, CAROL)]
        self._renew()
        self._app_hash = self.chain.info().last_block_app_hash

    def step(self) -> None:
        """One input."""
        if self._spent or self.outcome.inputs % _RENEW_EVERY == _RENEW_EVERY - 1:
            self._renew()
        raw = self._transaction()
        started = time.monotonic()
        answer = self.chain.check(raw, again=self.rng.random() < 0.2)
        took_s = time.monotonic() - started
        self._spent = answer.code == 0  # a sequence number, which the others would lack
        self.outcome.count(f"{answer.codespace} {answer.code}" if answer.code else "accepted")
        if took_s > LONGEST_S:
            self.outcome.fail(f"CheckTx took {took_s:.1f} s", raw)
        for reason in self.chain.app.take_reasons():
            if reason.kind in ("request-failed", "enclave-unavailable"):
                self.outcome.fail(f"CheckTx: {reason}", raw)
        if self.chain.info().last_block_app_hash != self._app_hash:
            self.outcome.fail("CheckTx changed the state", raw)

    def _transaction(self) -> bytes:
        if self.rng.random() < 0.5:
            return pick(self.rng, self._genuine)
        certificate = pick(self.rng, self._certificates)
        if self.rng.random() < 0.5:  # deep inside the evidence: it stays well-formed DER
            certificate = _damage_inside(self.rng, self.rng.choice(self._certificates))
        return self.chain.register(self.rng.choice((BOB, CAROL)), certificate=certificate)

    def _renew(self) -> None:
        """Let the mempool's state begin anew, after an empty block."""
        self._spent = False
        self.chain.decide([])
        self._genuine = [
            self.chain.register(BOB, certificate=self._certificates[0]),
            self.chain.send(ALICE, BOB),
            self.chain.vote(CAROL, ALICE, 3),
            self.chain.sign_all(ALICE, []),
        ]
        if self.chain.check(self._genuine[0]).code:
            self.outcome.fail("a genuine registration is refused", self._genuine[0])
        self.chain.decide([])


def _damage_inside(rng: Random, certificate: bytes) -> bytes:
    """Change letters of the evidence's text, and no length."""
    start = certificate.index(b'{"report"')
    end = certificate.index(b"}", start)
    changed = bytearray(certificate)
    for _ in range(rng.randint(1, 6)):
        changed[rng.randrange(start, end)] = rng.choice(b'ABCDEFabcdef0189+/="{}[]:,\\ ')
    return bytes(changed) if rng.random() < 0.8 else damage(rng, bytes(changed))


def _certificate(owner: bytes, at_us: int) -> bytes:
    node_id = owner.ljust(31, b"\x00") + b"\x01"
    data = registration_report_data(node_id, NETWORK.configuration.network_id, owner)
    return NETWORK.certify_report_data(data, at_us)


def _document(keys: EnclaveClient) -> GenesisDocument:
    public = keys.bootstrap(NETWORK.chain_id, NETWORK.policy)
    quote = keys.evidence("bootstrap", "epid", NO_OWNER).quote
    at_us = GENESIS_US - BLOCK_US
    certificate = NETWORK.certify(quote, at_us)
    network_keys = NetworkKeys(public.exchange_pk, public.io_pk, certificate, at_us)
    return _with_keys(genesis(network_policy=Policy.parse(NETWORK.policy)), network_keys)


def _with_keys(document: GenesisDocument, network_keys: NetworkKeys) -> GenesisDocument:
    entries: Any = [
        replace(one, node_id=network_keys.exchange_pk) for one in document.app_state.validators
    ]
    state = replace(document.app_state, keys=network_keys, validators=tuple(entries))
    return replace(document, app_state=state)


@contextlib.contextmanager
def fuzzed(folder: Path, rng: Random) -> Iterator[tuple[Outcome, Callable[[], None]]]:
    """A live application; the second value sends it one transaction."""
    outcome = Outcome("CheckTx")
    with (
        EnclaveClient.keys(package=None, state=folder) as keys,
        EnclaveClient.judge_role(
            package=None, chain_id=NETWORK.chain_id, policy=NETWORK.policy
        ) as judging,
    ):
        enclaves: Any = RealEnclaves(keys, judging)
        chain = Chain(_document(keys), enclave=enclaves).start()
        checked = Checked(chain, rng, outcome)
        sealed = (folder / "seed.sealed").read_bytes()
        running = judging._process
        yield outcome, checked.step
        if (folder / "seed.sealed").read_bytes() != sealed:
            outcome.fail("the sealed seed changed")
        if judging._process is not running:
            outcome.fail("the judge was started again")
