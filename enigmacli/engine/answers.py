"""What the own enclave has answered about the block in the making, so that it is asked once.

The proposer needs one answer three times: to propose, to vote on its own proposal, and to
re-check what was committed. ``admit`` is a function of certificate, owner and block time, and
of sealed state that only :meth:`OwnAnswers.advance` touches: the answer to a question of the
very same bytes is that answer.
"""

from typing import Final, Protocol

from enclave.calls import AdmitReply, JudgeReply
from enigmacli.app.ports import Admitter

_MOST: Final = 4_096
"""Answers that are kept, more than a block holds; rounds without end must not cost memory."""

_Question = tuple[bytes, bytes, int]
"""Certificate, owner, block time."""


class Enclave(Admitter, Protocol):
    """The keyed enclave, as a running node asks it."""

    def recheck(self, certificate: bytes, owner: bytes, at_us: int, confirm: AdmitReply) -> bool:
        """Whether the committed ``confirm`` is what this enclave computes."""
        ...


class OwnAnswers:
    """The keyed enclave, and what it has answered; refusals and silence are asked again.

    Consensus and the background re-check may use it at the same time.
    """

    def __init__(self, enclave: Enclave) -> None:
        self._enclave = enclave
        self._answers: dict[_Question, AdmitReply] = {}

    def admit(self, certificate: bytes, owner: bytes, at_us: int) -> AdmitReply:
        """See :class:`enclave.calls.Admit`."""
        question = (certificate, owner, at_us)
        answer = self._answers.get(question)
        if answer is None:
            answer = self._enclave.admit(*question)
            if len(self._answers) >= _MOST:
                self._answers = {}
            self._answers[question] = answer
        return answer

    def recheck(self, certificate: bytes, owner: bytes, at_us: int, confirm: AdmitReply) -> bool:
        """Whether ``confirm`` is what the enclave answered, or else what it computes now."""
        if self._answers.get((certificate, owner, at_us)) == confirm:
            return True
        return self._enclave.recheck(certificate, owner, at_us, confirm)

    def judge_bootstrap(
        self, certificate: bytes, at_us: int, exchange_pk: bytes, io_pk: bytes
    ) -> JudgeReply:
        """See :class:`enclave.calls.JudgeBootstrap`."""
        return self._enclave.judge_bootstrap(certificate, at_us, exchange_pk, io_pk)

    def advance(self, at_us: int) -> None:
        """Tell the enclave a block's time; answers of the blocks before that one are forgotten."""
        self._answers = {key: one for key, one in self._answers.items() if key[-1] >= at_us}
        self._enclave.advance(at_us)
