"""The enclave, as the application needs it; :class:`enclave.client.EnclaveClient` fits both."""

from typing import Protocol

from enclave.calls import AdmitReply, JudgeReply


class Judge(Protocol):
    """Judges evidence for CheckTx, with no key at hand."""

    def judge(
        self, certificate: bytes, owner: bytes, at_us: int, *, catch_up: bool = False
    ) -> JudgeReply:
        """Judge a register's evidence at ``at_us``, or at its own newest start date if later.

        Raises:
            EnclaveError: why the evidence is refused, or that nobody answers.
        """


class Admitter(Protocol):
    """The enclave with keys: admits newcomers, and keeps the clock bound."""

    def admit(self, certificate: bytes, owner: bytes, at_us: int) -> AdmitReply:
        """Judge a register's evidence and encrypt the seeds to the newcomer.

        Raises:
            EnclaveError: why the evidence is refused, or that nobody answers.
        """

    def judge_bootstrap(
        self, certificate: bytes, at_us: int, exchange_pk: bytes, io_pk: bytes
    ) -> JudgeReply:
        """Judge the evidence of the network's first keys.

        Raises:
            EnclaveError: why the evidence is refused, or that nobody answers.
        """

    def advance(self, at_us: int) -> object:
        """Move the sealed clock bound forwards.

        Raises:
            EnclaveError: it was not moved.
        """
