"""The phases of ``join`` behind the home: checks, key, registration, seed, receipt."""

import shlex
from dataclasses import dataclass
from typing import Any, Final

from enigmacli import home as homes
from enigmacli import registration
from enigmacli.chain.tx import decode_tx
from enigmacli.cli import attestation_service, join_home, receipts, registration_note
from enigmacli.cli.attest_fetch import DCAP_FILES, EPID_FILES
from enigmacli.cli.context import Services
from enigmacli.cli.joining import (
    HomeEvidence,
    HomeNote,
    HomePurse,
    NetworkNode,
    Told,
    check_can_ask,
)
from enigmacli.cli.network import SystemClock
from enigmacli.cli.output import emit, table
from enigmacli.cli.receipts import KeptReceipt
from enigmacli.cli.seed import network_keys
from enigmacli.errors import ConfigError, SeedMismatchError
from enigmacli.join.faucet import check_allowed
from enigmacli.join.flow import DONE, KEPT, Joining, Registered, Rehearsal
from enigmacli.keyring import AccountKey

_EXAMINED: Final = ("permissions", "disk", "clock.kept", "platform")
"""What ``doctor`` looks at before anything is made; the network judges the rest itself."""

WRITTEN: Final = (registration_note.FILE_NAME, receipts.FILE_NAME, *EPID_FILES.values(),
                  *DCAP_FILES.values())  # fmt: skip
"""Files of the home beside which a killed run may have left unfinished ones."""


@dataclass(frozen=True, slots=True)
class Joined:
    """A node that holds the seed."""

    node_id: bytes
    address: str
    registered: Registered | None
    """None where this home holds the seed without having registered, as a bootstrap node."""
    kept: KeptReceipt | None
    told: Told

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        found, receipt = self.registered, self.kept.receipt if self.kept else None
        digest = bytes.fromhex(receipt.claims.tx_hash) if receipt else None
        fee = decode_tx(receipt.tx).fee_amount if receipt else ()
        return {
            "state": "seeded",
            "node_id": self.node_id.hex(),
            "address": self.address,
            "height": found.record.height if found else None,
            "sent": found.sent if found else False,
            "tx_hash": digest.hex().upper() if digest else None,
            "fee": ",".join(map(str, fee)) or None,
            "receipt": str(self.kept.path) if self.kept else None,
            "phases": self.told.phases,
        }

    def text(self, services: Services, *, start: bool) -> str:
        """For people."""
        rows = [("joined", services.chain_id), ("node id", self.node_id.hex())]
        if self.registered is not None:
            rows.append(("height", str(self.registered.record.height)))
        if self.kept is not None:
            rows.append(("receipt", str(self.kept.path)))
        if not start:
            rows.append(("next", _next(services)))
        return table(rows)


def _next(services: Services) -> str:
    home = f" --home {shlex.quote(services.home_flag)}" if services.home_flag else ""
    follow = "" if services.config.node.follow else f" --follow {services.config.chain.node}"
    return f"{services.program} start{follow}{home}"


def run(services: Services, told: Told, mnemonic_file: str | None) -> Joined:
    """Every phase in its order; the home is locked.

    Raises:
        EnigmaError, EnclaveError: why the node is not joined (yet).
    """
    check_can_ask(services)
    homes.remove_leftovers(services.home.path, *WRITTEN)
    chain = _check(services, told)
    account = join_home.account(services, told, mnemonic_file)
    joining = _joining(services, told, chain, account)
    if _is_seeded(services):
        told.done("unseal", KEPT, "the enclave holds the network's seed")
        registered = joining.found()
    else:
        registered = joining.register()
        with told.working("unseal", "the enclave opens, checks and seals the seed"):
            registration.unseal(
                services.enclave(), chain, joining.node_id, network_keys(services)
            )  # fmt: skip
        told.done("unseal", DONE, "the enclave holds the network's seed")
    kept = None
    if registered is not None:
        kept = receipts.keep(services, told, joining.node_id, registered.record.height)
    return Joined(joining.node_id, account.address, registered, kept, told)


def rehearse(services: Services, told: Told, mnemonic_file: str | None) -> None:
    """Everything that costs nothing, and what the rest would cost."""
    chain = _check(services, told)
    account = join_home.account(services, told, mnemonic_file)
    joining = _joining(services, told, chain, account)
    found = joining.rehearse()
    document: dict[str, Any] = {"dry_run": True, "node_id": joining.node_id.hex(),
                                "address": account.address, "phases": told.phases}  # fmt: skip
    if not isinstance(found, Rehearsal):
        words = f"registered since height {found.height}: joining costs nothing more"
        emit(services, document | {"height": found.height, "fee": None}, words)
        return
    short = max(found.fee.amount - found.held, 0)
    document |= {
        "verdict": "accept", "gas_limit": found.gas_limit, "fee": str(found.fee),
        "held": f"{found.held}{found.fee.denom}", "short": f"{short}{found.fee.denom}",
    }  # fmt: skip
    words = f"nothing was sent; registering costs {found.fee} (gas {found.gas_limit})"
    if short:
        words += f"\naccount {account.address} lacks {short}{found.fee.denom}"
    emit(services, document, words)


def _check(services: Services, told: Told) -> NetworkNode:
    """What can refuse before anything is made, the cheap things first."""
    policy = services.policy
    network_keys(services)
    check_allowed(services.config.chain.faucet, simulation=policy.simulation)
    attestation_service.check_provider(services)
    _examine(services, told)
    with told.working("checks", "the network"):
        chain = NetworkNode(services)
    told.done("checks", DONE, f"{services.chain_id} at {services.config.chain.node}")
    return chain


def _examine(services: Services, told: Told) -> None:
    """Ask the doctor, who changes nothing.

    Raises:
        ConfigError: it found something that has to be mended first.
    """
    from enigmacli.doctor.examination import Subject, examine  # noqa: PLC0415
    from enigmacli.doctor.findings import Severity  # noqa: PLC0415

    subject = Subject(
        home=services.home_path,
        config=services.config,
        now_us=services.now_us,
        program=services.program,
    )
    with told.working("checks", "this machine and this home"):
        findings = list(examine(subject, _EXAMINED))
    for finding in findings:
        if finding.severity is Severity.ERROR:
            raise ConfigError(
                f"{finding.seen} ({finding.why})",
                hint=finding.hint or f"{services.program} doctor",
                details={"finding": finding.id},
            )
        if finding.severity is Severity.WARNING:
            services.warn(f"{finding.seen} ({finding.why})")


def _joining(services: Services, told: Told, chain: NetworkNode, account: AccountKey) -> Joining:
    """The flow, once the enclave has a registration key."""
    policy = services.policy
    with told.working("key", "the enclave's registration key"):
        made = services.enclave().keygen(services.chain_id, policy.encode())
    told.done("key", DONE if made.created else KEPT, made.node_id.hex())
    owner = registration.bound_owner(account.account, require_owner=policy.require_owner)
    return Joining(
        node_id=made.node_id,
        owner=owner,
        chain=chain,
        evidence=HomeEvidence(services, owner),
        purse=HomePurse(services, account),
        note=HomeNote(services, made.node_id),
        clock=SystemClock(),
        progress=told,
        timeout_s=services.config.chain.wait_timeout_s,
    )


def _is_seeded(services: Services) -> bool:
    """Whether the enclave holds the seed of this home's genesis.

    Raises:
        SeedMismatchError: it holds another network's.
    """
    held = services.enclave().status()
    expected = network_keys(services).exchange_pk
    if held.seeds and held.exchange_pk != expected:
        raise SeedMismatchError(
            "the enclave holds the seed of another network than this home's genesis document",
            hint=f"{services.program} enclave status; another home with --home",
            details={"expected": expected.hex(), "seen": held.exchange_pk.hex()},
        )
    return bool(held.seeds)
