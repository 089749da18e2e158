"""The proxy as a process between a client and the simulated service, on loopback."""

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from enigmacli.attestation.retry import RetryPolicy
from enigmacli.errors import ServiceRefusedError, ServiceUnavailableError
from tests.e2e.ias_process import API_KEY, GROUP, NONCE, PLATFORM, Server, judge, policy, serving

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("network")
    with serving("ias", folder=str(folder)) as server:
        with server.client() as client:
            client.provision(PLATFORM.platform_key)
        yield server


@pytest.fixture
def ias(running: Server) -> Server:
    """The service as it starts: no revocation list."""
    running.order(sig_rl="")
    return running


def test_a_proxy_hands_on_exactly_what_the_service_sent(ias: Server) -> None:
    with serving("proxy", upstream=ias.url, api_key="unused") as proxy, proxy.client() as client:
        ias.order(sig_rl=base64.b64encode(b"revoked").decode())
        assert client.sigrl(GROUP) == b"revoked"
        signed = client.report(PLATFORM.quote(sig_rl=b"revoked"), NONCE)

    assert judge(signed, policy(ias.first["trust_root"])).status == "OK"


def test_a_proxy_keeps_the_key_to_itself(tmp_path: Path) -> None:
    with (
        serving("ias", folder=str(tmp_path), api_keys=[API_KEY]) as server,
        serving("proxy", upstream=server.url, api_key=API_KEY) as proxy,
    ):
        with server.client(API_KEY) as client:
            client.provision(PLATFORM.platform_key)
        with proxy.client() as client:
            assert client.report(PLATFORM.quote(), NONCE).signature
            with pytest.raises(ServiceRefusedError, match="not a simulated service"):
                client.provision(b"\x09" * 32)
        said = proxy.stop()

    assert said.count("Answered") == 2
    assert API_KEY not in said


def test_a_proxy_asks_for_its_own_keys_and_holds_its_own_rate(ias: Server) -> None:
    settings = {"client_keys": ["client-1"], "requests_per_minute": 2}
    with serving("proxy", upstream=ias.url, api_key="unused", **settings) as proxy:
        with proxy.client("client-2") as client, pytest.raises(ServiceRefusedError):
            client.sigrl(GROUP)
        with proxy.client("client-1", retry=RetryPolicy(attempts=1)) as client:
            assert [client.sigrl(GROUP), client.sigrl(GROUP)] == [b"", b""]
            with pytest.raises(ServiceUnavailableError, match="429"):
                client.sigrl(GROUP)


def test_a_proxy_without_its_service_is_unavailable() -> None:
    nowhere = "http://127.0.0.1:9"  # the discard port, where nothing listens
    with (
        serving("proxy", upstream=nowhere, api_key="unused") as proxy,
        proxy.client() as client,
        pytest.raises(ServiceUnavailableError, match="502"),
    ):
        client.sigrl(GROUP)
