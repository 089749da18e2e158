"""Where a service may be: https anywhere, plain http on this machine only."""

import re
import ssl
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final, Self
from urllib.parse import urlsplit

from enigmacli.errors import ConfigError

_PRINTABLE: Final = re.compile(r"[!-~]+")
_LABEL: Final = r"[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?"
_NAME: Final = re.compile(rf"{_LABEL}(\.{_LABEL})*\.?", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, slots=True)
class ServiceUrl:
    """A checked base URL."""

    base: str
    """Scheme, host, port and path, without a slash at the end."""
    loopback: bool
    """Whether it names this machine, so that no proxy of the environment is asked."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Check what a person or a configuration file gave.

        Raises:
            ConfigError: not an http(s) URL, one with user, query or fragment, or plain
                http to another machine.
        """
        try:
            parts = urlsplit(text)
            host, port = parts.hostname, parts.port
        except ValueError as error:
            raise ConfigError("the service's URL is malformed") from error
        if parts.scheme not in ("https", "http") or not host or port == 0:
            raise ConfigError(f"not an https URL of a service: {_shown(text)}")
        if parts.username is not None or parts.query or parts.fragment:
            raise ConfigError("a service's URL holds no user, query or fragment")
        if not _PRINTABLE.fullmatch(text) or not (_is_address(host) or _NAME.fullmatch(host)):
            raise ConfigError(f"the service's URL is malformed: {_shown(text)}")
        loopback = is_loopback(host)
        if parts.scheme == "http" and not loopback:
            raise ConfigError(
                f"plain http is for this machine only: {_shown(text)}", hint="use an https URL"
            )
        return cls(f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}", loopback)

    def verification(self, ca_file: str = "") -> ssl.SSLContext | bool:
        """What httpx verifies TLS with: for https its usual roots, or those of ``ca_file``.

        For plain http a context that trusts nobody: no TLS is spoken, redirects are not
        followed, and loading the usual roots takes longer than the whole exchange.

        Raises:
            ConfigError: ``ca_file`` cannot be read, or holds no certificate.
        """
        if not self.base.startswith("https:"):
            return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if not ca_file:
            return True
        try:
            return ssl.create_default_context(cafile=ca_file)
        except OSError as error:
            raise ConfigError(
                f"there is no TLS authority to be read in {ca_file}",
                hint="name a PEM file of certificates",
            ) from error


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine's own (RFC 6761 sec. 6.3 for the name)."""
    if host == "localhost":
        return True
    return _is_address(host) and ip_address(host).is_loopback


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _shown(text: str) -> str:
    return repr(text[:200])
