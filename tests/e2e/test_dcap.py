"""DCAP with real processes: a mixed network, and the collateral client at a real server."""

import base64
import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from enigmacli.attestation import pcs_request
from enigmacli.attestation.collateral import Platform, fetch_collateral
from enigmacli.attestation.pcs import PcsServer
from enigmacli.attestation.pcs_request import Edition
from enigmacli.attestation.recorded import RecordedSource
from enigmacli.attestation.retry import RetryPolicy
from enigmacli.errors import (
    CertificatesUnavailableError,
    EnigmaError,
    EvaluationNumberGoneError,
    PlatformUnknownError,
    RateLimitedError,
    ServiceIntegrityError,
    ServiceUnavailableError,
)
from tests.e2e.story_processes import ProgramHome, running

pytestmark = pytest.mark.e2e

ANY_PORT = "127.0.0.1:0"
FMSPC = b"SIM\0\0\0"
ONCE = RetryPolicy(attempts=1)
TWICE = RetryPolicy(attempts=2, first_delay_s=0.01)
SGX = Platform("sgx", FMSPC, "platform")


@dataclass
class Network:
    """A simulated Intel of both kinds, and a first node that bootstrapped with DCAP."""

    folder: Path
    ias: str
    pccs: str
    first: ProgramHome
    url: str

    def newcomer(self, name: str) -> ProgramHome:
        home = ProgramHome(self.folder / name)
        home.ok("init", name, "--genesis", str(self.first.path / "config" / "genesis.json"))
        self.first.ok(
            "tx", "bank", "send", "alice", home.account(name), "10000000uscrt", "-y",
            "--node", self.url,
        )  # fmt: skip
        home.ok("enclave", "keygen")
        return home

    def order(self, **settings: Any) -> None:
        """Tell the simulated PCCS what to answer."""
        with httpx.Client(trust_env=False) as client:
            answer = client.post(f"{self.pccs}/simulation/v1/faults", json=settings)
        assert answer.status_code == 200, answer.text


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    folder = tmp_path_factory.mktemp("mixed")
    with ExitStack() as processes:
        services = [
            processes.enter_context(
                running(ProgramHome(folder / name), name, "serve", "--listen", ANY_PORT)
            )
            for name in ("ias", "pccs")
        ]
        ias, pccs = (str(service.wait_for("listening")["url"]) for service in services)
        first = ProgramHome(folder / "first")
        first.ok(
            "init", "first", "--simulated", "--chain-id", "mixed-1",
            "--ias-root", ias, "--pccs-root", pccs,
        )  # fmt: skip
        first.ok("genesis", "add-account", first.account("alice"), "1000000000uscrt")
        node = processes.enter_context(
            running(
                first, "start", "--bootstrap", "--provider", "dcap", "--url", pccs,
                "--rpc-listen", ANY_PORT, "--block-interval", "0.1",
            )
        )  # fmt: skip
        yield Network(folder, ias, pccs, first, str(node.wait_for("listening")["rpc"]))


def test_nodes_of_every_kind_join_one_network(network: Network) -> None:
    by_epid, by_tdx = network.newcomer("by_epid"), network.newcomer("by_tdx")
    fetched = [
        by_epid.ok("attest", "fetch", "--url", network.ias),
        by_tdx.ok(
            "attest", "fetch", "--provider", "dcap", "--kind", "dcap-tdx", "--url", network.pccs
        ),
    ]

    for home, evidence in zip((by_epid, by_tdx), fetched, strict=True):
        home.ok("tx", "register", "auth", evidence["path"], "-y", "--node", network.url)
        home.ok("seed", "unseal", "--node", network.url)

    nodes = network.first.ok("query", "register", "nodes", "--node", network.url)["nodes"]
    assert {node["evidence_kind"] for node in nodes} == {"epid", "dcap-tdx"}


@pytest.fixture
def server(network: Network) -> Iterator[PcsServer]:
    with PcsServer(network.pccs, retry=ONCE) as made:
        yield made


@pytest.mark.parametrize("caching", [False, True])
def test_a_whole_set_comes_over_the_wire_whatever_the_crls_are_written_in(
    network: Network, server: PcsServer, *, caching: bool
) -> None:
    network.order(caching=caching)
    try:
        collateral = fetch_collateral([server], SGX, Edition(), pytest.fail)
    finally:
        network.order(caching=False)

    assert collateral.pck_crl[:1] == collateral.root_ca_crl[:1] == b"\x30"
    assert json.loads(collateral.tcb_info)["tcbInfo"]["fmspc"] == FMSPC.hex().upper()
    assert collateral.tcb_info_issuer_chain.count(b"BEGIN CERTIFICATE") == 2


def test_the_older_header_is_read_over_the_wire(network: Network, server: PcsServer) -> None:
    network.order(next=["old-header,endpoint=tcb"])

    assert len(server.get(pcs_request.tcb_info("sgx", FMSPC, Edition())).chain) == 2


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("404,endpoint=tcb", PlatformUnknownError),
        ("410,endpoint=tcb", EvaluationNumberGoneError),
        ("460,endpoint=tcb", ServiceIntegrityError),
        ("461,endpoint=tcb", PlatformUnknownError),
        ("462,endpoint=tcb", CertificatesUnavailableError),
        ("429,endpoint=tcb,retry-after=9", RateLimitedError),
        ("502,endpoint=tcb", ServiceUnavailableError),
        ("drop-connection,endpoint=tcb", ServiceUnavailableError),
    ],
)
def test_every_failure_is_told_apart_over_the_wire(
    network: Network, server: PcsServer, fault: str, error: type[EnigmaError]
) -> None:
    network.order(next=[fault])

    with pytest.raises(error) as failure:
        server.get(pcs_request.tcb_info("sgx", FMSPC, Edition()))

    assert type(failure.value) is error


def test_a_server_that_is_busy_once_is_asked_again(network: Network) -> None:
    network.order(next=["503,endpoint=tcb"])

    with PcsServer(network.pccs, retry=TWICE) as server:
        assert server.get(pcs_request.tcb_info("sgx", FMSPC, Edition())).body


def test_a_home_keeps_what_it_fetched_and_works_without_the_server(
    network: Network, tmp_path: Path
) -> None:
    genesis = json.loads((network.first.path / "config" / "genesis.json").read_text())
    captured = tmp_path / "captured"
    captured.write_bytes(
        base64.b64decode(genesis["app_state"]["register"]["bootstrap"]["certificate"])
    )
    elsewhere = ProgramHome(tmp_path / "elsewhere")
    elsewhere.ok("init", "elsewhere")
    line = ("attest", "fetch", "--provider", "dcap", "--quote", str(captured))

    online = elsewhere.ok(*line, "--out", str(tmp_path / "online"), "--url", network.pccs)
    cache = elsewhere.path / "cache" / "pcs"
    offline = elsewhere.ok(*line, "--out", str(tmp_path / "offline"), "--offline", str(cache))

    assert online["sha256"] == offline["sha256"]
    assert len(RecordedSource.open(cache).answers) == 4
