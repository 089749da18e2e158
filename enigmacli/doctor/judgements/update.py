"""``update``: will what is sealed survive a BIOS or microcode update?

What a sealing key of SGX is made of: keys fused into the processor, the owner epoch that the
BIOS keeps, the security versions of processor and microcode (CPUSVN), and the enclave's
measurement (Intel SDM, EGETKEY). Gramine asks for the key of the *current* CPUSVN. In
simulation a file takes the place of all but the measurement.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from enigmacli.doctor.checks import error, note, ok, warning
from enigmacli.doctor.facts import Facts, Held, Trusted
from enigmacli.doctor.findings import Finding
from enigmacli.doctor.judgements import backup

if TYPE_CHECKING:
    from enigmacli.chain.records import NodeRecord


def judge(facts: Facts) -> Iterator[Finding]:
    """Findings before an update, in the order in which they matter."""
    trusted, program = facts.trusted, facts.subject.program
    if trusted is None:
        return
    if not trusted.sealed_names:
        yield ok("update.state", "nothing is sealed, so nothing can be lost")
        return
    yield _binding(trusted)
    if trusted.held is None:
        hint = f"{program} explain {trusted.fault_code}" if trusted.fault_code else None
        yield error("update.state", f"the sealed files do not open now: {trusted.fault}", hint)
        yield _backup_alone(trusted, program)
        return
    held = trusted.held
    yield ok("update.state", f"{', '.join(file.name for file in held.files)} open now")
    yield _backup(trusted, held, program)
    if held.seeds:
        yield _holders(facts, held)
    yield _evidence(facts, held)


def _binding(trusted: Trusted) -> Finding:
    names = ", ".join(trusted.sealed_names)
    measured = f"code {trusted.package_measurement[:16]}…"
    if trusted.held is None or trusted.held.simulation:
        seen = f"{names}: bound to enclave/platform.key (simulation) and {measured}"
        return note("update.binding", f"{seen}; no BIOS or microcode changes either")
    seen = f"{names}: bound to this CPU, its owner epoch, its CPUSVN and {measured}"
    hint = "treat them as lost after a microcode update, an SGX reset or a change of board"
    return warning("update.binding", seen, hint)


def _backup_alone(trusted: Trusted, program: str) -> Finding:
    """Where what is in place does not open, a backup may be what is left."""
    good = backup.newest_good(trusted.backups)
    if good is None:
        return error("update.backup", "no backup opens either", f"{program} doctor --backup DIR")
    restore = f"{program} enclave restore {good.folder}"
    return warning("update.backup", f"{good.folder} opens", restore)


def _backup(trusted: Trusted, held: Held, program: str) -> Finding:
    make = f"{program} enclave backup --out DIR"
    good = backup.newest_good(trusted.backups)
    if not trusted.backups:
        return error("update.backup", "there is no backup of the sealed files", make)
    if good is None:
        first = trusted.backups[0]
        return error("update.backup", f"{first.folder} does not open: {first.fault}", make)
    if missing := backup.lacks(good, held):
        seen = f"{good.folder} lacks the {' and '.join(missing)} held now"
        return error("update.backup", seen, make)
    where = "on this platform only"
    return ok("update.backup", f"{good.folder} opens and holds all that is held; {where}")


def _holders(facts: Facts, held: Held) -> Finding:
    """Whoever else is registered was given the same seed, and can admit this node anew."""
    records = facts.node.records if facts.node else None
    program = facts.subject.program
    if records is None:
        seen = "the node did not say who else holds the seed"
        return warning("update.holders", seen, f"{program} query register nodes --node URL")
    others = sum(_holds(record, held) for record in records)
    if not others and not _is_admitted(records, held):
        seen = "no other node is registered: this home is the only holder of the network's seed"
        hint = "let a second node join before the update"
        if held.simulation:
            return warning("update.holders", seen, hint)
        return error("update.holders", seen, hint)
    named = f"{others} other nodes" if others else "the network's first node"
    return ok("update.holders", f"{named} can give the seed again, as the node says")


def _holds(record: "NodeRecord", held: Held) -> bool:
    """As many epochs as this home: 48 bytes of encrypted seed each."""
    return record.node_id.hex() != held.node_id and record.epoch + 1 >= held.seeds


def _is_admitted(records: "tuple[NodeRecord, ...]", held: Held) -> bool:
    """A node that was admitted had the seed from another, which holds it still."""
    return any(record.node_id.hex() == held.node_id for record in records)


def _evidence(facts: Facts, held: Held) -> Finding:
    program = facts.subject.program
    fetch = f"after the update: {program} attest fetch, then {program} attest verify"
    if held.simulation:
        seen = "a simulated platform states no BIOS or microcode: the evidence stays as good"
        return ok("update.evidence", seen)
    statuses = ", ".join(file.status for file in facts.evidence or () if file.status)
    seen = f"the registration stays; evidence in the home ({statuses or 'none'}) gets old"
    return note("update.evidence", seen, fetch)


def steps(facts: Facts) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The commands before the update, and those after it."""
    program, trusted = facts.subject.program, facts.trusted
    if trusted is None or not trusted.sealed_names:
        return ("systemctl stop enigmacli",), ("systemctl start enigmacli",)
    before = (
        f"{program} enclave backup --out DIR",
        f"{program} enclave verify-backup DIR",
        f"{program} doctor --before-update --backup DIR",
    )
    after = (
        f"{program} enclave status",
        f"{program} start",
        f"if a file is missing: {program} enclave restore DIR",
        f"if nothing opens: {program} enclave reset, then {program} join",
    )
    return before, after
