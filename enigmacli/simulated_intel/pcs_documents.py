"""SIMULATION ONLY: what a simulated PCS serves at one instant, made anew for each request.

Signatures need no randomness and dates are those of the last full minute, so within a minute
the same question gets the same bytes. The number of a revocation list grows with time, and
with what is revoked.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from enigmacli.simulated_intel import tcb_documents
from enigmacli.simulated_intel.dcap_pki import ROLES, Ca, CrlContent, DcapPki, pck_serial
from enigmacli.simulated_intel.pcs_behaviour import Document, Edition, PcsBehaviour
from enigmacli.simulated_intel.tcb_documents import Finding, Validity

VALIDITY: Final = timedelta(days=30)
ROOT_CRL_VALIDITY: Final = timedelta(days=365)
EXPIRED_SINCE: Final = timedelta(days=10)
ROLLED_BACK_BY: Final = timedelta(days=20)

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MINUTE: Final = timedelta(minutes=1)
_MAX_REVOCATIONS: Final = 100  # more than can be revoked in one minute


class GoneError(Exception):
    """A TCB evaluation data number that is no longer served."""


class UnknownNumberError(Exception):
    """A TCB evaluation data number that does not exist yet."""


@dataclass(frozen=True, slots=True)
class PcsDocuments:
    """The documents of one instant.

    Attributes:
        pki: signs them.
        behaviour: what they say.
        at_us: now, in microseconds since the Unix epoch.
    """

    pki: DcapPki
    behaviour: PcsBehaviour
    at_us: int

    def tcb_info(self, tee_type: int, *, early: bool = False, number: int | None = None) -> bytes:
        """TCB Info of the simulated platforms, signed.

        Args:
            tee_type: SGX or TDX.
            early: what will be standard next.
            number: of one edition; excludes ``early``.

        Raises:
            GoneError: ``number`` is too old.
            UnknownNumberError: ``number`` is too high.
        """
        finding = self._finding(Document.TCB, early=early, number=number)
        members = tcb_documents.tcb_info(tee_type, finding, self._validity(Document.TCB))
        return self._signed(tcb_documents.TCB_INFO, members)

    def identity(
        self,
        tee_type: int,
        enclave: str | None = None,
        *,
        early: bool = False,
        number: int | None = None,
    ) -> bytes:
        """The identity of the quoting enclave, or of the one named, signed.

        Raises:
            GoneError: ``number`` is too old.
            UnknownNumberError: ``number`` is too high.
        """
        finding = self._finding(Document.IDENTITY, early=early, number=number)
        validity = self._validity(Document.IDENTITY)
        members = tcb_documents.identity(tee_type, finding, validity, enclave)
        return self._signed(tcb_documents.IDENTITY, members)

    def evaluation_numbers(self, tee_type: int) -> bytes:
        """Which evaluation data sets are served, signed."""
        validity = Validity(self._now(), self._now() + VALIDITY)
        members = tcb_documents.evaluation_numbers(tee_type, self._numbers(), validity)
        return self._signed(tcb_documents.EVALUATION_NUMBERS, members)

    def pck_crl(self, ca: Ca) -> bytes:
        """The revocation list of one authority's PCK certificates, DER."""
        keys = [one for one in self.behaviour.revoked if one not in ROLES]
        serials = [pck_serial(ca, bytes.fromhex(key)) for key in keys]
        return self.pki.pck_crl(ca, self._crl(Document.PCK_CRL, serials))

    def root_crl(self) -> bytes:
        """The root's revocation list, DER."""
        roles = [one for one in self.behaviour.revoked if one in ROLES]
        serials = [self.pki.serial_of(role) for role in roles]
        return self.pki.root_crl(self._crl(Document.ROOT_CRL, serials))

    def _crl(self, document: Document, serials: Sequence[int]) -> CrlContent:
        validity = self._validity(document)
        number = (validity.issued - _EPOCH) // _MINUTE * _MAX_REVOCATIONS + len(serials)
        return CrlContent(number, validity.issued, validity.next_update, tuple(serials))

    def _now(self) -> datetime:
        return _EPOCH + timedelta(microseconds=self.at_us) // _MINUTE * _MINUTE

    def _validity(self, document: Document) -> Validity:
        length = ROOT_CRL_VALIDITY if document is Document.ROOT_CRL else VALIDITY
        age = {
            Edition.CURRENT: timedelta(0),
            Edition.EXPIRED: length + EXPIRED_SINCE,
            Edition.ROLLED_BACK: ROLLED_BACK_BY,
        }[self.behaviour.edition(document)]
        return Validity(self._now() - age, self._now() - age + length)

    def _numbers(self) -> tuple[int, int, int]:
        standard = self.behaviour.finding.evaluation_number
        return standard - 1, standard, standard + 1

    def _finding(self, document: Document, *, early: bool, number: int | None) -> Finding:
        former, standard, next_one = self._numbers()
        if self.behaviour.edition(document) is Edition.ROLLED_BACK:
            standard = former
        chosen = number if number is not None else next_one if early else standard
        if chosen < former:
            raise GoneError
        if chosen > next_one:
            raise UnknownNumberError
        return replace(self.behaviour.finding, evaluation_number=chosen)

    def _signed(self, kind: str, members: dict[str, Any]) -> bytes:
        text = tcb_documents.text_of(members)
        signature = tcb_documents.sign(text, self.pki.tcb_signer.key)
        return tcb_documents.served(kind, text, signature)
