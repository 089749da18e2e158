"""What commands work with: the home, its configuration, and the clients made from them.

One :class:`Services` exists per call of the program. Everything in it is made on first use
and closed at the end, and everything heavy is imported on first use, so a command pays for
what it touches. Questions to people are asked here, too: never without a terminal.
"""

import os
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import click

from enigmacli.cli.lines import warning_line

if TYPE_CHECKING:
    from enclave.appraise.policy import Policy
    from enclave.client import EnclaveClient
    from enigmacli.app.genesis import GenesisDocument
    from enigmacli.chain.queries import Queries
    from enigmacli.chain.rpc import RpcClient
    from enigmacli.config import Config
    from enigmacli.home import Home
    from enigmacli.keyring import Keyring

_SIMULATION = "simulation: keys, evidence and Intel are simulated, nothing here is protected"


class NotAskedError(click.UsageError):
    """A question has no one to answer it; ``hint`` names the option that answers it."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


class Services:
    """The home and the clients of one call; see the module's description.

    Attributes:
        program: the name by which the program was called.
        json: whether ``-o json`` was given.
        assume_yes: whether ``-y`` was given.
    """

    def __init__(
        self,
        program: str = "enigmacli",
        *,
        json: bool = False,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self.program = program
        self.json = json
        self.environ = os.environ if environ is None else environ
        self.home_flag: str | None = None
        self.passphrase_file: str | None = None
        self.assume_yes = False
        self._flags: dict[str, str] = {}
        self._warnings: list[str] = []
        self._warned: set[str] = set()
        self._open = ExitStack()

    # --- the home and its configuration ---------------------------------------------------

    def override(self, key: str, value: str) -> None:
        """Let a flag set the configuration key ``key`` for this call."""
        self._flags[key] = value

    @property
    def flags(self) -> Mapping[str, str]:
        """What flags of this call have set, by ``section.key``."""
        return dict(self._flags)

    @property
    def home_path(self) -> Path:
        """The home folder's path, which may not exist."""
        named = self.home_flag or self.environ.get("ENIGMA_HOME") or "~/.enigmacli"
        return Path(os.path.expanduser(named)).absolute()  # noqa: PTH111 -- Path's may raise

    @cached_property
    def config(self) -> "Config":
        """The configuration, from flags, environment, file and defaults.

        Raises:
            ConfigError: a value or the file is malformed.
        """
        from enigmacli import config  # noqa: PLC0415

        return config.load(self.home_path, self.environ, self._flags)

    def forget_config(self) -> None:
        """Read the configuration again: a file or a flag has changed."""
        vars(self).pop("config", None)

    @cached_property
    def home(self) -> "Home":
        """This node's home.

        Raises:
            HomeMissingError: there is none.
        """
        from enigmacli.home import Home  # noqa: PLC0415

        return Home.open(self.home_path)

    @cached_property
    def genesis(self) -> "GenesisDocument":
        """The genesis document of this home.

        Raises:
            HomeMissingError: there is none.
            GenesisError: it is malformed.
        """
        from enigmacli.app.genesis import GenesisDocument  # noqa: PLC0415

        return GenesisDocument.parse(self.home.read_genesis())

    @property
    def policy(self) -> "Policy":
        """The appraisal policy of this home's genesis document.

        Raises:
            HomeMissingError: there is no genesis document.
            GenesisError: it is malformed, or has no policy.
        """
        policy = self.genesis.app_state.policy
        if policy is None:
            from enigmacli.errors import GenesisError  # noqa: PLC0415

            raise GenesisError(
                "the genesis document has no policy", hint="enigmacli genesis set-policy FILE"
            )
        self.warn_if_simulated(policy)
        return policy

    @property
    def chain_id(self) -> str:
        """The network's chain id: that of the genesis document, else the configured one.

        Raises:
            ConfigError: the two differ, or there is neither.
        """
        from enigmacli.errors import ConfigError  # noqa: PLC0415

        named = self.config.chain.chain_id
        known = self.genesis.chain_id if self.has_genesis else ""
        if named and known and named != known:
            raise ConfigError(
                f"chain id {named} is not that of this home's genesis document, {known}",
                hint="leave --chain-id out, or choose the home of that network with --home",
                details={"expected": known, "seen": named},
            )
        if not (named or known):
            raise ConfigError("the chain id is not known", hint="--chain-id ID")
        return known or named

    @property
    def has_genesis(self) -> bool:
        """Whether this home has a genesis document."""
        return (self.home_path / "config" / "genesis.json").is_file()

    @property
    def prefix(self) -> str:
        """The bech32 prefix of addresses: the genesis document's, else the default."""
        from enigmacli.app.app_state import DEFAULT_PREFIX  # noqa: PLC0415

        return self.genesis.app_state.prefix if self.has_genesis else DEFAULT_PREFIX

    @property
    def package(self) -> Path | None:
        """The folder that contains the trusted package; None: the installed one."""
        path = self.config.enclave.path
        return Path(os.path.expanduser(path)).absolute() if path else None  # noqa: PTH111

    # --- clients --------------------------------------------------------------------------

    def enclave(self) -> "EnclaveClient":
        """This home's enclave, with keys; started by its first call."""
        return self._enclave

    @cached_property
    def _enclave(self) -> "EnclaveClient":
        from enclave.client import EnclaveClient  # noqa: PLC0415

        backend = self.config.enclave.backend
        if backend == "simulation":
            self.warn_of_simulation()
        client = EnclaveClient.keys(
            package=self.package, state=self.home.enclave_dir, backend=backend
        )
        return self._open.enter_context(client)

    def judge(self) -> "EnclaveClient":
        """The installed trusted program without keys, judging by this home's policy.

        Not the one at ``enclave.path``: that is the code which is to be judged.
        """
        return self._judge

    @cached_property
    def _judge(self) -> "EnclaveClient":
        from enclave.client import EnclaveClient  # noqa: PLC0415

        client = EnclaveClient.judge_role(
            package=None, chain_id=self.genesis.chain_id, policy=self.policy.encode()
        )
        return self._open.enter_context(client)

    def rpc(self) -> "RpcClient":
        """The node named by ``--node``."""
        return self._rpc

    @cached_property
    def _rpc(self) -> "RpcClient":
        from enigmacli.chain.rpc import RpcClient  # noqa: PLC0415

        chain = self.config.chain
        return self._open.enter_context(RpcClient(chain.node, chain.timeout_s))

    def queries(self) -> "Queries":
        """Typed queries to the node named by ``--node``."""
        from enigmacli.chain.queries import Queries  # noqa: PLC0415

        return Queries(self.rpc())

    def keyring(self) -> "Keyring":
        """This home's account keys, in the configured backend."""
        return self._keyring

    @cached_property
    def _keyring(self) -> "Keyring":
        from enigmacli.keyring import Keyring  # noqa: PLC0415

        account = self.config.account
        return Keyring(
            self.home.keyring_dir(account.keyring_backend),
            account.keyring_backend,
            account.coin_type,
            self.prefix,
        )

    def close(self) -> None:
        """End what was started, in reverse order; harmless when repeated."""
        self._open.close()

    # --- people ---------------------------------------------------------------------------

    def now_us(self) -> int:
        """The clock, in microseconds since the Unix epoch, UTC."""
        return time.time_ns() // 1000

    def warn(self, message: str) -> None:
        """Warn on standard error, once for each message.

        With ``-o json`` it is kept until the result or the error is printed.
        """
        if message in self._warned:
            return
        self._warned.add(message)
        if self.json:
            self._warnings.append(message)
        else:
            click.echo(warning_line(message, self.program, json=False), err=True)

    def warn_if_simulated(self, policy: "Policy | None") -> None:
        """Say loudly that a policy is of a simulated network."""
        if policy is not None and policy.simulation:
            self.warn_of_simulation()

    def warn_of_simulation(self) -> None:
        """Say loudly that this home is of a simulated network."""
        self.warn(_SIMULATION)

    def take_warnings(self) -> list[str]:
        """The warnings not yet shown."""
        taken, self._warnings = self._warnings, []
        return taken

    def confirm(self, question: str) -> None:
        """Ask before something that cannot be taken back; ``-y`` answers yes.

        Raises:
            NotAskedError: standard input is not a terminal, or the answer was no.
        """
        if self.assume_yes:
            return
        if not (sys.stdin.isatty() and click.confirm(question, err=True)):
            raise NotAskedError(f"not confirmed: {question}", "add -y to say yes in advance")

    def passphrase(self, *, new: bool = False) -> str:
        """The keyring's passphrase: from ``--passphrase-file``, else asked on the terminal.

        The backend ``test`` has none; it gets the empty one.

        Raises:
            NotAskedError: there is neither a file nor a terminal.
            PassphraseError: the file holds none.
            StorageError: the file cannot be read.
        """
        if self.config.account.keyring_backend == "test":
            return ""
        return self.secret("keyring passphrase", self.passphrase_file, "--passphrase-file", new=new)

    def secret(self, question: str, file: str | None, option: str, *, new: bool = False) -> str:
        """A secret: from its file, else asked on the terminal, twice for a new one.

        Args:
            question: what to ask for.
            file: its name, or ``-`` for standard input.
            option: the one that names the file.
            new: whether a mistyped one would be kept.

        Raises:
            NotAskedError: there is neither a file nor a terminal.
            PassphraseError: the file holds none.
            StorageError: the file cannot be read.
        """
        if file is not None:
            from enigmacli.cli import inputs  # noqa: PLC0415

            return inputs.read_passphrase(file)
        if not sys.stdin.isatty():
            raise NotAskedError(f"the {question} was not given", f"use {option} FILE (or -)")
        return str(click.prompt(question, hide_input=True, confirmation_prompt=new, err=True))


pass_services = click.make_pass_decorator(Services, ensure=True)
"""Passes :class:`Services` as the first argument of a command's function."""
