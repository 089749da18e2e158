"""The own enclave is asked once for an answer, and never for less than the very same question."""

from dataclasses import dataclass, field, replace

import pytest

from enclave.calls import AdmitReply, JudgeReply
from enclave.errors import EnclaveUnavailableError
from enigmacli.engine.answers import OwnAnswers

QUESTION = (b"certificate", bytes(20), 7)
REPLY = AdmitReply(bytes(32), bytes(48), 0, "epid", bytes(32), "OK")


@dataclass
class CountingEnclave:
    """Answers everything alike, and keeps what it was asked."""

    asked: list[tuple[bytes, bytes, int]] = field(default_factory=list)
    rechecked: list[tuple[bytes, bytes, int]] = field(default_factory=list)
    advanced: list[int] = field(default_factory=list)
    fails: bool = False

    def admit(self, certificate: bytes, owner: bytes, at_us: int) -> AdmitReply:
        self.asked.append((certificate, owner, at_us))
        if self.fails:
            raise EnclaveUnavailableError("gone")
        return REPLY

    def recheck(self, certificate: bytes, owner: bytes, at_us: int, confirm: AdmitReply) -> bool:
        self.rechecked.append((certificate, owner, at_us))
        return confirm == REPLY

    def judge_bootstrap(
        self, certificate: bytes, at_us: int, exchange_pk: bytes, io_pk: bytes
    ) -> JudgeReply:
        raise NotImplementedError

    def advance(self, at_us: int) -> None:
        self.advanced.append(at_us)


def test_the_same_question_is_asked_once_and_its_answer_is_known_to_the_recheck() -> None:
    enclave = CountingEnclave()
    answers = OwnAnswers(enclave)

    assert answers.admit(*QUESTION) == answers.admit(*QUESTION) == REPLY
    answers.advance(7)

    assert answers.recheck(*QUESTION, REPLY)
    assert (enclave.asked, enclave.rechecked, enclave.advanced) == ([QUESTION], [], [7])


@pytest.mark.parametrize("place", range(3))
def test_a_question_that_differs_anywhere_is_asked(place: int) -> None:
    enclave = CountingEnclave()
    answers = OwnAnswers(enclave)
    other = list(QUESTION)
    other[place] = (b"another", b"\x01" * 20, 8)[place]

    answers.admit(*QUESTION)
    answers.admit(*other)  # type: ignore[arg-type]

    assert enclave.asked == [QUESTION, tuple(other)]


def test_another_confirm_than_the_answer_is_rechecked_by_the_enclave() -> None:
    enclave = CountingEnclave()
    answers = OwnAnswers(enclave)
    answers.admit(*QUESTION)

    assert not answers.recheck(*QUESTION, replace(REPLY, encrypted_seed=b"\x01" * 48))
    assert enclave.rechecked == [QUESTION]


def test_failures_are_asked_again() -> None:
    enclave = CountingEnclave(fails=True)
    answers = OwnAnswers(enclave)

    for _ in range(2):
        with pytest.raises(EnclaveUnavailableError):
            answers.admit(*QUESTION)

    assert len(enclave.asked) == 2


def test_answers_of_earlier_blocks_are_forgotten() -> None:
    enclave = CountingEnclave()
    answers = OwnAnswers(enclave)
    answers.admit(*QUESTION)
    answers.advance(8)

    answers.admit(*QUESTION)
    assert answers.recheck(*QUESTION, REPLY)

    assert enclave.asked == [QUESTION] * 2
    assert enclave.rechecked == []
