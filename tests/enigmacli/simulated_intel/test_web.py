import pytest

from enigmacli.simulated_intel import web


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8090"),
        ("localhost", "http://localhost:8090"),
        ("::1", "http://[::1]:8090"),
    ],
)
def test_the_url_of_an_address_can_be_asked_for(host: str, url: str) -> None:
    assert web._url(host, 8090) == url
