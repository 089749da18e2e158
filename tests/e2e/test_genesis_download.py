"""Joining by address: the genesis document comes over HTTP from this machine."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from enigmacli import genesis_source
from enigmacli.app.genesis import GenesisDocument, genesis_hash, new_genesis
from enigmacli.download import download, names_this_machine
from enigmacli.errors import (
    ConfigError,
    EnigmaError,
    GenesisError,
    MalformedError,
    NotFoundError,
    ServiceRefusedError,
    ServiceUnavailableError,
)
from enigmacli.simulated_policy import find_root

pytestmark = pytest.mark.e2e

DOCUMENT = new_genesis("net-1", 1_790_000_000_000_000)
FILE = DOCUMENT.encode()


@dataclass
class Site:
    """Pages by path: status and body."""

    pages: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    url: str = ""


@pytest.fixture
def site() -> Iterator[Site]:
    shown = Site()

    class Pages(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = shown.pages.get(self.path, (404, b""))
            self.send_response(status)
            if status in range(300, 400):
                self.send_header("Location", "/genesis.json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    shown.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield shown
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_file_behind_an_address_is_taken_byte_for_byte(site: Site) -> None:
    spaced = FILE + b"\n\n"
    site.pages["/genesis.json"] = (200, spaced)

    found = genesis_source.find(f"{site.url}/genesis.json", None)

    assert found.data == spaced
    assert found.document == DOCUMENT
    assert found.sha256 == genesis_hash(spaced)


@pytest.mark.parametrize("ending", ["", "/", "/genesis"])
def test_a_nodes_address_is_enough(site: Site, ending: str) -> None:
    answer = {"jsonrpc": "2.0", "id": -1, "result": {"genesis": json.loads(FILE)}}
    site.pages["/genesis"] = (200, json.dumps(answer).encode())

    found = genesis_source.find(site.url + ending, genesis_hash(FILE))

    assert found.data == FILE


def test_the_wrong_hash_is_refused_with_both(site: Site) -> None:
    site.pages["/genesis.json"] = (200, FILE)

    with pytest.raises(GenesisError) as caught:
        genesis_source.find(f"{site.url}/genesis.json", "00" * 32)

    assert caught.value.details == {"expected": "00" * 32, "seen": genesis_hash(FILE)}


def test_another_machines_document_needs_a_hash(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.pages["/genesis.json"] = (200, FILE)
    monkeypatch.setattr(genesis_source, "names_this_machine", lambda _: False)

    with pytest.raises(GenesisError) as caught:
        genesis_source.find(f"{site.url}/genesis.json", None)

    assert f"--genesis-hash {genesis_hash(FILE)}" in caught.value.hint
    found = genesis_source.find(f"{site.url}/genesis.json", genesis_hash(FILE))
    assert isinstance(found.document, GenesisDocument)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (301, ServiceRefusedError),
        (403, ServiceRefusedError),
        (404, NotFoundError),
        (500, ServiceUnavailableError),
        (503, ServiceUnavailableError),
    ],
)
def test_every_other_answer_has_its_cause(
    site: Site, status: int, error: type[EnigmaError]
) -> None:
    site.pages["/genesis.json"] = (status, FILE)

    with pytest.raises(error):
        genesis_source.find(f"{site.url}/genesis.json", None)


def test_an_answer_is_bounded(site: Site) -> None:
    site.pages["/long"] = (200, b"x" * 1000)

    assert len(download(f"{site.url}/long", 1000)) == 1000
    with pytest.raises(MalformedError, match="longer than 999 bytes"):
        download(f"{site.url}/long", 999)


def test_an_answer_that_never_ends_is_given_up(site: Site) -> None:
    site.pages["/long"] = (200, b"x" * 1000)

    with pytest.raises(ServiceUnavailableError, match="did not end in time"):
        download(f"{site.url}/long", 1000, deadline_s=0.0)


def test_nobody_listening_is_unavailable(site: Site) -> None:
    with pytest.raises(ServiceUnavailableError, match="is unavailable: ConnectError"):
        download("http://127.0.0.1:1/genesis", 1000)
    assert site.url


@pytest.mark.parametrize("ending", ["", "/", "/simulation/v1/root"])
def test_a_running_service_shows_its_root(site: Site, ending: str) -> None:
    site.pages["/simulation/v1/root"] = (200, b"simulation:MAMCAQI=")

    assert find_root(site.url + ending) == "simulation:MAMCAQI="


def test_a_service_that_does_not_run_is_named_with_its_command() -> None:
    with pytest.raises(ServiceUnavailableError) as caught:
        find_root("http://127.0.0.1:1")

    assert caught.value.hint.startswith("enigmacli ias serve")


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("http://127.0.0.1:80/x", True),
        ("http://localhost", True),
        ("https://[::1]:5", True),
        ("http://10.0.0.1", False),
        ("https://localhost.example", False),
        ("http://127.0.0.1.example", False),
    ],
)
def test_this_machine_is_known_by_its_address(url: str, *, local: bool) -> None:
    assert names_this_machine(url) is local


@pytest.mark.parametrize("url", ["ftp://x", "http://", "http://[", "http://x:0", "file:///etc"])
def test_what_is_no_web_address_is_refused(url: str) -> None:
    with pytest.raises(ConfigError):
        names_this_machine(url)
