"""Accounts as people name them: by address, or by the name of a key in this home."""

from enigmacli.chain.address import decode_address
from enigmacli.cli.context import Services


def address_named(services: Services, text: str) -> bytes:
    """The 20 bytes of an account.

    Args:
        services: of this call.
        text: a bech32 address of this network, or a key's name.

    Raises:
        MalformedError: it looks like an address and is none.
        KeyringError: there is no such key.
    """
    if text.startswith(f"{services.prefix}1"):
        return decode_address(text, services.prefix)
    return services.keyring().show(text).account
