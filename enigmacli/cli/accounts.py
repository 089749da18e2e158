"""Whose account acts: ``--from``, else ``[account] from``, else the only key of the keyring."""

from typing import TYPE_CHECKING

from enigmacli.cli.addresses import address_named
from enigmacli.cli.context import Services
from enigmacli.errors import KeyringError
from enigmacli.submission import Signer

if TYPE_CHECKING:
    from enigmacli.keyring import AccountKey


def acting_account(services: Services, named: str = "") -> "AccountKey":
    """The account that signs, pays, and owns this node.

    Args:
        services: of this call.
        named: a key's name or address that goes before every other rule.

    Raises:
        KeyringError: there is no such key, or none at all, or the choice is not clear.
        MalformedError: what looks like an address is none.
    """
    wanted = named or services.config.account.from_
    if wanted:
        return _find(services, wanted)
    keys = services.keyring().list()
    if not keys:
        raise KeyringError("there is no account key in this home", hint="enigmacli keys add NAME")
    if len(keys) > 1:
        names = ", ".join(key.name for key in keys)
        raise KeyringError(
            f"there are several account keys ({names})", hint="choose one with --from NAME"
        )
    return keys[0]


def _find(services: Services, wanted: str) -> "AccountKey":
    account = address_named(services, wanted)
    for key in services.keyring().list():
        if key.account == account:
            return key
    raise KeyringError(
        f"there is no key of address {wanted} in this keyring", hint="enigmacli keys list"
    )


def signer_of(services: Services, key: "AccountKey") -> Signer:
    """What signs for ``key``; the passphrase is asked for now.

    Raises:
        PassphraseError: the passphrase does not open the key.
        NotAskedError: there is no passphrase, and no one to ask.
    """
    private = services.keyring().unlock(key.name, services.passphrase())
    return Signer(key.address, key.public_key, private.sign)
