"""A node on the real CometBFT under registrations whose evidence is refused."""

import re
import time
from pathlib import Path
from typing import Any

import pytest

from enclave.evidence.ias_report import SignedReport
from enigmacli.app.genesis import GenesisDocument
from enigmacli.chain import signing
from enigmacli.chain.gas import GasPrice, fee_for
from enigmacli.chain.messages import RaAuthenticate
from enigmacli.chain.queries import Queries
from enigmacli.chain.rpc import RpcClient
from enigmacli.errors import TxRejectedError
from enigmacli.home import Home
from enigmacli.keyring import Keyring
from enigmacli.localnet.processes import command_line, descendants
from tests.e2e.cometbft_network import bootstrapped
from tests.enclave import simulated_pki as pki
from tests.negatives import epid
from tests.simulators.dcap_factory import SGX_V3, make

pytestmark = pytest.mark.e2e

EACH = 30
PATIENCE_S = 60.0


def hostile(number: int) -> dict[str, bytes]:
    """Evidence by what is wrong with it, another one for each number."""
    good = pki.signed(epid.report(id=str(number)))
    bad = SignedReport(good.report, bytes(len(good.signature)), good.signing_cert)
    return {
        "garbage": number.to_bytes(2) * 1_500,
        "foreign root": pki.on_chain(good),
        "bad signature": pki.on_chain(bad),
        "DCAP": make(SGX_V3, header={"user_data": number.to_bytes(20, "little")}).container,
    }


def judges(pid: int) -> set[int]:
    return {one.pid for one in descendants(pid) if "judge" in command_line(one.pid)}


def test_a_flood_of_refused_evidence_restarts_nothing_and_stops_no_block(tmp_path: Path) -> None:
    with bootstrapped(tmp_path) as network:
        home = Home(network.home.path)
        state = GenesisDocument.parse(home.read_genesis()).app_state
        assert state.policy is not None
        keyring = Keyring(home.keyring_dir("test"), "test", 118, state.prefix)
        account, key = keyring.show("alice"), keyring.unlock("alice")
        price = GasPrice(*state.policy.gas_price())
        with network.node("--engine", "cometbft") as (node, url), RpcClient(url) as rpc:
            known = Queries(rpc).account(account.address)

            def register(certificate: bytes) -> dict[str, Any]:
                message = RaAuthenticate(account.account, certificate)
                gas = signing.estimate_gas(message)
                raw = signing.build_and_sign(
                    message, sign=key.sign, public_key=account.public_key,
                    chain_id=network_of(rpc), account_number=known.number,
                    sequence=known.sequence, gas_limit=gas, fee=(fee_for(gas, price),),
                )  # fmt: skip
                with pytest.raises(TxRejectedError) as refused:
                    Queries(rpc).broadcast(raw, check=True)
                return refused.value.details

            register(b"first")
            before, height = judges(node.process.pid), rpc.status().latest_block_height
            seen = {
                (told["codespace"], told["code"])
                for number in range(EACH)
                for certificate in hostile(number).values()
                for told in [register(certificate)]
            }
            after = judges(node.process.pid)
            deadline = time.monotonic() + PATIENCE_S
            while rpc.status().latest_block_height < height + 2:
                assert time.monotonic() < deadline, "the chain stands still"
                time.sleep(0.05)
        noticed = [one for one in node.events() if re.search("enclave.unavailable", str(one))]

    assert len(before) == 1
    assert after == before
    assert noticed == []
    assert {codespace for codespace, _ in seen} == {"register"}
    assert {code for _, code in seen} <= {2, 3, 6}


def network_of(rpc: RpcClient) -> str:
    return rpc.status().network
