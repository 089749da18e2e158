"""Many nodes that want to join at once: made in this process, each with a key and an account.

No enclave process stands behind them: the simulated quoting enclave's code writes their quotes,
and the network's own simulated Intel, whose keys lie in the network's folder, signs the reports.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Self
from urllib.parse import unquote

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from enclave import exchange, keys, measurement
from enclave.appraise.reference_values import SgxMeasurement
from enclave.binding import registration_report_data
from enclave.configuration import Configuration
from enclave.evidence import simulated_quote
from enclave.evidence.ias_report import SignedReport
from enclave.keys import Secret
from enigmacli import protobuf
from enigmacli.app.genesis import GenesisDocument
from enigmacli.attestation.ra_tls import build_certificate
from enigmacli.chain import signing
from enigmacli.chain.address import address_of, encode_address
from enigmacli.chain.gas import GasPrice, fee_for, gas_needed
from enigmacli.chain.messages import Coin, MsgSend, RaAuthenticate
from enigmacli.chain.queries import Queries
from enigmacli.chain.rpc import RpcClient
from enigmacli.chain.tx import tx_hash
from enigmacli.keyring.derivation import PrivateKey
from enigmacli.localnet.words import INTEL
from enigmacli.simulated_intel.pki import SimulatedPki
from enigmacli.simulated_intel.report_body import Finding, encode_report
from enigmacli.submission import Signer
from tests.e2e.localnet import LocalNetwork, signer_of

_GIFT: Final = 10_000
_GIFTS_A_TX: Final = 250
_LARGEST: Final = 2**32
"""Takes as many bytes in a transaction as any amount, gas limit or sequence here may."""


@dataclass(frozen=True)
class Newcomer:
    """One node: its registration key, and the account that owns it."""

    key: Secret
    account: PrivateKey

    @classmethod
    def generate(cls) -> Self:
        return cls(Secret.generate(), PrivateKey(bytes(Secret.generate().data)))

    @property
    def node_id(self) -> bytes:
        return keys.derive_public_key(self.key)

    @property
    def owner(self) -> bytes:
        return address_of(self.account.public_key)


class Welcome:
    """Coins, evidence and transactions for those who want to join a network."""

    def __init__(self, network: LocalNetwork) -> None:
        genesis = GenesisDocument.parse(network.home("node1").read_genesis())
        policy, public = genesis.app_state.policy, genesis.app_state.keys
        assert policy is not None
        assert public is not None
        (allowed,) = policy.measurements
        assert isinstance(allowed, SgxMeasurement)
        self._mr_enclave = allowed.mr_enclave
        self._network = network
        self._network_keys = public
        self._configuration = Configuration.parse(genesis.chain_id, policy.encode())
        self._price = GasPrice(*policy.gas_price())
        self._prefix = genesis.app_state.prefix
        self._pki = SimulatedPki.load_or_create(network.folder / INTEL, datetime.now(UTC))

    def fund(self, newcomers: Sequence[Newcomer]) -> None:
        """Give every account coins from the first node's: many transfers in one transaction."""
        giver = signer_of(self._network, "node1")
        with RpcClient(self._network.urls["node1"]) as node:
            chain = Queries(node)
            for start in range(0, len(newcomers), _GIFTS_A_TX):
                gifts = [
                    MsgSend(giver.address, self._address(one), (Coin(self._price.denom, _GIFT),))
                    for one in newcomers[start : start + _GIFTS_A_TX]
                ]
                raw = self._signed(gifts, giver, chain)
                chain.broadcast(raw)
                deadline = time.monotonic() + 60
                chain.wait_for_tx(tx_hash(raw), deadline, time.monotonic, time.sleep)

    def certificate(self, newcomer: Newcomer, at: datetime) -> bytes:
        """Evidence of a newcomer, as the simulated Intel would have signed it at an instant."""
        bound = registration_report_data(
            newcomer.node_id, self._configuration.network_id, newcomer.owner
        )
        quote = simulated_quote.encode_body(
            self._mr_enclave, measurement.SIMULATED_SIGNER, measurement.ISV_PROD_ID,
            measurement.ISV_SVN, bound,
        )  # fmt: skip
        report = encode_report(
            Finding(), quote=quote, platform_key=bytes(32), nonce=None, report_id=1, version=4,
            at_us=round(at.timestamp() * 1e6),
        )  # fmt: skip
        leaf, _ = x509.load_pem_x509_certificates(unquote(self._pki.chain_header).encode())
        signed = SignedReport(report, self._pki.sign(report), leaf.public_bytes(Encoding.DER))
        return build_certificate(signed, datetime.now(UTC))

    def register(self, newcomer: Newcomer, chain: Queries, at: datetime | None = None) -> bytes:
        """The raw, signed transaction with which a newcomer asks; its evidence is of ``at``."""
        certificate = self.certificate(newcomer, at or datetime.now(UTC))
        signer = Signer(self._address(newcomer), newcomer.account.public_key, newcomer.account.sign)
        return self._signed([RaAuthenticate(newcomer.owner, certificate)], signer, chain)

    def opened(self, newcomer: Newcomer, encrypted_seed: bytes) -> bool:
        """Whether a newcomer's own key opens the network's seed; an error says why it does not."""
        public = self._network_keys
        seeds = exchange.decrypt_seeds(
            newcomer.key, public.exchange_pk, self._configuration.network_id, encrypted_seed
        )
        exchange.check_seeds(seeds, public.exchange_pk, public.io_pk, public.exchange_pk)
        return len(seeds) == 1

    def _address(self, newcomer: Newcomer) -> str:
        return encode_address(self._prefix, newcomer.owner)

    def _signed(self, messages: Sequence[Any], signer: Signer, chain: Queries) -> bytes:
        account = chain.account(signer.address)
        packed = [{"type_url": one.type_url, "value": one.encode()} for one in messages]
        body = protobuf.new("cosmos.tx.v1beta1.TxBody", messages=packed).SerializeToString()

        def encoded(gas: int, fee: Coin, sign: Any) -> bytes:
            auth = signing.encode_auth_info(signer.public_key, account.sequence, gas, (fee,))
            document = signing.sign_bytes(body, auth, self._configuration.chain_id, account.number)
            return signing.encode_tx(body, auth, sign(document))

        most = Coin(self._price.denom, _LARGEST)
        registers = sum(isinstance(one, RaAuthenticate) for one in messages)
        gas = gas_needed(len(encoded(_LARGEST, most, lambda _: bytes(64))), registers)
        return encoded(gas, fee_for(gas, self._price), signer.sign)
