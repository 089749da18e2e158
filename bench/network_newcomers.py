"""Newcomers for the measures of a network: accounts in genesis, evidence, signed registrations.

Evidence is as a simulated Intel gives it, signed with that network's own root, over quote bodies
that no enclave made: thousands of nodes need no enclave each, and validators cannot tell.
"""

import hashlib
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Final
from urllib.parse import unquote

import coincurve
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from enclave import measurement
from enclave.appraise.policy import Policy
from enclave.appraise.reference_values import SgxMeasurement
from enclave.binding import registration_report_data
from enclave.evidence import simulated_quote
from enclave.evidence.ias_report import SignedReport
from enclave.network import network_id
from enigmacli.attestation.ra_tls import build_certificate
from enigmacli.chain import signing
from enigmacli.chain.address import address_of, encode_address
from enigmacli.chain.gas import GasPrice, fee_for
from enigmacli.chain.messages import RaAuthenticate
from enigmacli.simulated_intel.pki import SimulatedPki
from enigmacli.simulated_intel.report_body import Finding, encode_report

COINS: Final = 1_000_000_000
"""Of each newcomer, in genesis."""


@dataclass(frozen=True)
class Newcomer:
    """Somebody with an account who wants in."""

    number: int

    @cached_property
    def key(self) -> coincurve.PrivateKey:
        """Of the account."""
        return coincurve.PrivateKey(hashlib.sha256(b"newcomer %d" % self.number).digest())

    @cached_property
    def public_key(self) -> bytes:
        return self.key.public_key.format()

    @cached_property
    def account(self) -> bytes:
        """20 bytes."""
        return address_of(self.public_key)

    @cached_property
    def node_id(self) -> bytes:
        """A registration key whose private half nobody has: 32 bytes, canonical."""
        digest = hashlib.sha256(b"node %d" % self.number).digest()
        return digest[:31] + bytes([digest[31] & 0x7F])

    def address(self, prefix: str = "enigma") -> str:
        return encode_address(prefix, self.account)


class Notary:
    """A simulated Intel's signature under whatever it is given.

    Args:
        folder: of the simulated Intel, which keeps root and leaf there.
    """

    def __init__(self, folder: Path) -> None:
        self._pki = SimulatedPki.load_or_create(folder, datetime.now(UTC))
        chain = x509.load_pem_x509_certificates(unquote(self._pki.chain_header).encode())
        self._leaf = chain[0].public_bytes(Encoding.DER)

    def certify(
        self,
        mr_enclave: bytes,
        report_data: bytes,
        change: Callable[[SignedReport], SignedReport] = lambda signed: signed,
    ) -> bytes:
        """The certificate field of a register for an enclave that binds ``report_data``.

        Args:
            mr_enclave: 32 bytes.
            report_data: 64 bytes.
            change: spoils the report that was signed.
        """
        body = simulated_quote.encode_body(
            mr_enclave,
            measurement.SIMULATED_SIGNER,
            measurement.ISV_PROD_ID,
            measurement.ISV_SVN,
            report_data,
        )
        report = encode_report(
            Finding(),
            quote=body,
            platform_key=bytes(32),
            nonce=secrets.token_hex(16),
            report_id=secrets.randbits(128),
            version=4,
            at_us=time.time_ns() // 1_000,
        )
        signed = SignedReport(report, self._pki.sign(report), self._leaf)
        return build_certificate(change(signed), datetime.now(UTC))


@dataclass(frozen=True)
class Registrar:
    """Makes the register transactions of one network's newcomers.

    Args:
        chain_id: of the network.
        policy: of its genesis.
        intel: folder of its simulated Intel.
        numbers: account number by account.
    """

    chain_id: str
    policy: Policy
    intel: Path
    numbers: Mapping[bytes, int]

    @cached_property
    def network_id(self) -> bytes:
        return network_id(self.chain_id, self.policy.encode())

    @cached_property
    def mr_enclave(self) -> bytes:
        """Of the one enclave that the policy allows."""
        measured = (one for one in self.policy.measurements if isinstance(one, SgxMeasurement))
        return next(measured).mr_enclave

    @cached_property
    def notary(self) -> Notary:
        return Notary(self.intel)

    def evidence(self, newcomer: Newcomer) -> bytes:
        """Good evidence."""
        data = registration_report_data(newcomer.node_id, self.network_id, newcomer.account)
        return self.notary.certify(self.mr_enclave, data)

    def sign(self, newcomer: Newcomer, certificate: bytes, sequence: int = 0) -> bytes:
        """The raw register transaction with any certificate field."""
        message = RaAuthenticate(newcomer.account, certificate)
        gas = signing.estimate_gas(message)
        return signing.build_and_sign(
            message,
            sign=lambda document: signing.sign(newcomer.key, document),
            public_key=newcomer.public_key,
            chain_id=self.chain_id,
            account_number=self.numbers[newcomer.account],
            sequence=sequence,
            gas_limit=gas,
            fee=(fee_for(gas, GasPrice(*self.policy.gas_price())),),
        )
