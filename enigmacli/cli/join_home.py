"""How ``join`` makes what the operator has not made yet: a home, its settings, an account."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from enigmacli import genesis_source
from enigmacli.app.genesis import genesis_hash
from enigmacli.cli.accounts import acting_account
from enigmacli.cli.context import Services
from enigmacli.config import KEYS, Origin, Scalar
from enigmacli.errors import GenesisError, HomeMissingError
from enigmacli.home import Home
from enigmacli.initialise import initialise
from enigmacli.join.flow import DONE, KEPT

if TYPE_CHECKING:
    from enigmacli.cli.joining import Told
    from enigmacli.keyring import AccountKey

LASTING: Final = (
    "chain.node", "chain.faucet", "account.keyring_backend", "account.from",
    "attestation.provider", "attestation.ias_url", "attestation.pcs_urls", "attestation.dcap_kind",
)  # fmt: skip
"""Flags that a home made by ``join`` keeps, so that the next run needs none."""


def prepare(
    services: Services,
    told: "Told",
    *,
    source: str | None,
    sha256: str | None,
    moniker: str | None,
    localnet: Path | None,
) -> None:
    """Make the home where there is none, and let it know the local network.

    Raises:
        HomeMissingError: there is no home, and no genesis document was named.
        GenesisError: the home is of another network than the document named.
        ConfigError: a value is malformed.
        StorageError: a file cannot be written.
    """
    if localnet is not None:
        source = source or _genesis_of(localnet)
    home = Home(services.home_path)
    if home.config_file.exists() and home.genesis_file.exists():
        if source is not None:
            _check_same(home, source, sha256)
        told.done("home", KEPT, str(home.path))
    elif source is None:
        raise HomeMissingError(
            f"there is no home with a genesis document at {home.path}",
            hint=f"{services.program} join --genesis FILE|URL --genesis-hash HEX --node URL, "
            "or --localnet DIR",
        )
    else:
        made = initialise(
            home.path, genesis_source.find(source, sha256), _settings(services, moniker)
        )
        told.done("home", DONE, f"made {made.home.path}")
    if localnet is not None:
        _configure(home, localnet)


def _genesis_of(localnet: Path) -> str:
    from enigmacli.localnet.folder import Network  # noqa: PLC0415 -- paid only by --localnet

    network = Network.load(localnet.absolute())
    return str(network.home(network.first).genesis_file)


def _configure(home: Home, localnet: Path) -> None:
    from enigmacli.localnet.folder import Network  # noqa: PLC0415
    from enigmacli.localnet.homes import configure_guest  # noqa: PLC0415

    configure_guest(Network.load(localnet.absolute()), home)


def _check_same(home: Home, source: str, sha256: str | None) -> None:
    wanted = genesis_source.find(source, sha256)
    seen = genesis_hash(home.read_genesis())
    if wanted.sha256 != seen:
        raise GenesisError(
            f"the home {home.path} is of another network than {source}, "
            f"expected {wanted.sha256}, seen {seen}",
            hint="choose another folder with --home, or leave --genesis and --localnet out",
            details={"expected": wanted.sha256, "seen": seen},
        )


def _settings(services: Services, moniker: str | None) -> dict[str, Scalar]:
    given: dict[str, Any] = {
        name: services.flags[name] for name in LASTING if name in services.flags
    }
    if moniker is not None:
        given["node.moniker"] = moniker
    return {name: KEYS[name].read(text, Origin("flag")) for name, text in given.items()}


def account(services: Services, told: "Told", mnemonic_file: str | None) -> "AccountKey":
    """The account that registers: the one named, the only one, or one made now.

    Raises:
        KeyringError: which account is not clear.
        NotAskedError: a passphrase is needed, and nobody can be asked.
        StorageError: a file cannot be written.
    """
    if services.config.account.from_ or services.keyring().list():
        chosen = acting_account(services)
        told.done("account", KEPT, chosen.address)
        return chosen
    from enigmacli.cli.keys import make_with_file  # noqa: PLC0415 -- not paid by later runs

    name = services.config.node.moniker
    if services.config.account.keyring_backend == "test" and mnemonic_file is None:
        from enigmacli.keyring.derivation import generate_phrase  # noqa: PLC0415

        made = services.keyring().recover(name, generate_phrase(), "")
        told.done("account", DONE, f"{made.address}, a key for tests")
        return made
    words = Path(mnemonic_file) if mnemonic_file else services.home.path / f"{name}.words"
    made = make_with_file(services, name, words, services.passphrase(new=True))
    told.done("account", DONE, f"{made.address}; its words are in {words}: keep them elsewhere")
    return made
