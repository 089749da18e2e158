"""Why each error happens and what to do about it: the data of ``explain`` and of hints.

A code without an entry of its own has that of its class's nearest ancestor. What a code
*means* is the docstring of its class, so it is not repeated here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from enclave.errors import BY_CODE, EnclaveError
from enigmacli.errors import EnigmaError


@dataclass(frozen=True, slots=True)
class Explanation:
    """Behind a code: a usual cause, what to do, and the one command to try first."""

    why: str
    remedy: str
    hint: str = ""


_E = Explanation

EXPLANATIONS: Final[Mapping[str, Explanation]] = MappingProxyType(
    {
        # --- configuration and local state ---
        "config": _E(
            "A value, a file or their combination is not what this command needs.",
            "Read the message; `enigmacli config show --origin` says where each value came from.",
        ),
        "home-missing": _E(
            "The folder named by --home, ENIGMA_HOME or the default holds no complete home.",
            "Create it with `enigmacli init`, or name the right one with --home.",
            "enigmacli init MONIKER",
        ),
        "home-busy": _E(
            "One process at a time may change a home; a running node holds it all the time.",
            "Wait for the process that the message names, or stop it.",
        ),
        "file-exists": _E(
            "Keys, seeds, documents and backups are never overwritten.",
            "Move the file away if it is not needed, or name another one.",
        ),
        "storage": _E(
            "The disk is full, the file system read-only, or the owner or mode is another.",
            "Mend what the message names and run the command again: no file is left half-written.",
        ),
        "genesis": _E(
            "The document is truncated, edited by hand, incomplete, or another network's.",
            "Fetch it again and compare its hash; `enigmacli genesis validate` names the member.",
        ),
        "keyring": _E(
            "There is no such account key here, or its name is taken.",
            "Look at `enigmacli keys list`; --keyring-backend and --home choose another keyring.",
            "enigmacli keys list",
        ),
        "passphrase": _E(
            "The passphrase is not the one that the key was stored with.",
            "Try again; without the passphrase only the mnemonic brings the key back.",
        ),
        "not-bootstrapped": _E(
            "The network's first node has not made the seed yet.",
            "Bootstrap on the first node, then give everyone its genesis document.",
            "enigmacli bootstrap",
        ),
        "seed-missing": _E(
            "A node may sync only once its enclave holds the network's seed.",
            "Register, wait for the confirmation, unseal; or start with --wait-for-seed.",
            "enigmacli seed unseal",
        ),
        "seed-mismatch": _E(
            "The enclave holds the seed of one network, the genesis document is of another.",
            "Use the home that belongs to this network, or put the old seed aside.",
            "enigmacli enclave reset",
        ),
        "trust-store-corrupt": _E(
            "The file of verified headers was cut short or changed by something else.",
            "Remove the file that the message names; the next call verifies from genesis again.",
        ),
        "trust-expired": _E(
            "Validators of long ago may have left, and their keys may be anyone's by now.",
            "Ask someone you trust for a recent header: --trust-height N --trust-hash HEX.",
        ),
        "port-busy": _E(
            "Another process listens on this address, or the address is not this machine's.",
            "Stop the other process or choose another port; port 0 takes a free one.",
        ),
        "double-sign": _E(
            "Signing would contradict a signature that this key has given before.",
            "Run one node per validator key, and restore its data together with the key.",
        ),
        "engine-stopped": _E(
            "CometBFT ran beside the node and ended first; the node does not go on without it.",
            "Read the last lines of its log in the details, then run the same command again.",
        ),
        # --- services and answers ---
        "service-unavailable": _E(
            "The service is down, unreachable, overloaded, or slower than the time limit.",
            "Check the address and try again.",
        ),
        "service-refused": _E(
            "The service understood and declined: a wrong key, an unknown platform or path.",
            "Correct what the message names; trying again alone does not help.",
        ),
        "malformed": _E(
            "The bytes are truncated, altered, or of another format.",
            "Fetch or build them again from their source.",
        ),
        "untrusted-answer": _E(
            "A node's answer does not fit the headers whose signatures were verified.",
            "Ask another node with --node, and tell the operators of this one.",
        ),
        "app-hash-mismatch": _E(
            "Executing a verified block gave another state than the network agreed on.",
            "Keep the data folder for analysis and compare the program's version with others'.",
        ),
        "not-found": _E(
            "The chain has no such node, account, transaction or block, or not yet.",
            "Check what was asked for, and that --node is a node of the right network.",
        ),
        "tx-rejected": _E(
            "The chain checked the transaction and refused it with a code and a log line.",
            "See `enigmacli explain CODESPACE/CODE` for the code, then mend its cause.",
        ),
        "insufficient-funds": _E(
            "The account owns less than the amount and the fee together.",
            "Send coins to the account, or use another one with --from.",
            "enigmacli query balance ADDRESS",
        ),
        "timed-out": _E(
            "What was waited for did not happen before the deadline; it may still happen.",
            "Run the same command again; chain.wait_timeout_s sets the patience.",
        ),
        "error": _E("No more is known than the message says.", "Read the message."),
        # --- the enclave ---
        "enclave-refused": _E(
            "The trusted program declined; the message names the rule.",
            "Look at what it holds.",
            "enigmacli enclave status",
        ),
        "enclave-unavailable": _E(
            "The trusted program did not start, ended, or took longer than its limit.",
            "Run the command again; if it persists, check enclave.path and free memory.",
            "enigmacli config show enclave.path --origin",
        ),
        "enclave-call-malformed": _E(
            "The two sides of the program are of different versions, or a file is too large.",
            "Use the trusted package of this version (enclave.path), and smaller input.",
        ),
        "enclave-already-configured": _E(
            "Chain id and policy are sealed with the first key and never change.",
            "Use the genesis document that the keys were made for, or put the keys aside.",
            "enigmacli enclave reset",
        ),
        "no-registration-key": _E(
            "This home's enclave has not made its key yet.",
            "Make it; the genesis document must be in the home first.",
            "enigmacli enclave keygen",
        ),
        "no-seed": _E(
            "The network's seed has not been unsealed in this home.",
            "Register this node and unseal the seed; on the first node, bootstrap.",
            "enigmacli seed unseal",
        ),
        "seed-exists": _E(
            "A seed is never replaced.", "There is nothing to do if it is the right network's."
        ),
        "sealed-state-refused": _E(
            "A sealed file is damaged, or was made elsewhere: by other code, another platform, "
            "another network.",
            "Bring back what changed: the file from a backup made here, the code (enclave.path), "
            "the platform. Where it is lost, enclave reset, then join again with a new key.",
            "enigmacli enclave restore DIR",
        ),
        "backup-refused": _E(
            "A backup opens only whole, unaltered, in the same enclave on the same platform.",
            "Use another copy. After a lost platform, join again with a new key.",
        ),
        "backup-conflict": _E(
            "The home holds a key that the backup would replace, which is never done.",
            "Restore into a home without that key.",
        ),
        "backend-not-allowed": _E(
            "Simulation serves only simulated policies, hardware only real ones.",
            "Choose the backend that the genesis document's policy asks for.",
            "enigmacli config show enclave.backend --origin",
        ),
        "enclave-state-busy": _E(
            "Another process is changing the sealed files of this home.",
            "Wait for it, or stop the node that runs from this home.",
        ),
        "enclave-state-unwritable": _E(
            "The disk is full, or the enclave's folder read-only.",
            "Mend it and run the command again: no sealed file is left half-written.",
        ),
        "clock-backwards": _E(
            "The enclave has seen a later block time than the one named now.",
            "Check the machine's clock, and that the data folder is not an old copy.",
        ),
        "install-refused": _E(
            "The encrypted seed is not for this key, or not the seed of this genesis document.",
            "Ask another node with --node; compare the genesis hash with your network's.",
            "enigmacli genesis show --hash",
        ),
        "public-key-refused": _E(
            "32 bytes that are no canonical X25519 key.", "Copy the key again from its source."
        ),
        # --- evidence ---
        "evidence-malformed": _E(
            "The file is truncated, altered, or not attestation evidence.",
            "Fetch it again.",
            "enigmacli attest fetch",
        ),
        "evidence-unsupported": _E(
            "The evidence is well-formed, but this version judges EPID reports only.",
            "Attest with EPID, or use a version that judges this kind.",
        ),
        "policy-malformed": _E(
            "A member of the policy is missing, unknown, unsorted or of another form.",
            "Correct the member that the message names.",
        ),
        "not-authentic": _E(
            "The evidence does not bear the signature of a trusted root over these bytes.",
            "Do not trust it. `enigmacli attest verify` shows which check failed.",
        ),
        "evidence-in-future": _E(
            "The evidence is dated later than the time of judgement.",
            "Check this machine's clock; otherwise try again a little later.",
        ),
        "policy-refused": _E(
            "The evidence is authentic, and the network's policy does not accept it.",
            "Compare expected and seen, with `enigmacli attest verify` and the policy.",
            "enigmacli genesis show",
        ),
        "measurement-not-allowed": _E(
            "The enclave's code differs from what the network allows, by one byte or more.",
            "Run the exact trusted package of the network (enclave.path).",
            "enigmacli enclave measure",
        ),
        "quote-status-not-allowed": _E(
            "The platform's firmware or configuration is not up to what the network asks for.",
            "Update BIOS and microcode, then fetch new evidence.",
        ),
        "evidence-too-old": _E(
            "More time has passed since the report than the policy allows.",
            "Fetch new evidence.",
            "enigmacli attest fetch",
        ),
        "binding-mismatch": _E(
            "The evidence was made for another key, network or account.",
            "Fetch evidence again in this home with the account that sends it (--from).",
            "enigmacli attest fetch",
        ),
        "enclave-internal": _E(
            "A bug in the trusted program.", "Report it, with the command that led to it."
        ),
    }
)


def explanation_of(cls: type[Exception]) -> Explanation:
    """The entry of a class's code, else that of its nearest ancestor."""
    codes = (getattr(ancestor, "code", "error") for ancestor in cls.__mro__)
    return next((EXPLANATIONS[code] for code in codes if code in EXPLANATIONS), _NONE)


_NONE: Final = EXPLANATIONS["error"]


def hint_for(error: EnigmaError | EnclaveError) -> str:
    """The command to try first, empty where nothing is better than the message."""
    cls = BY_CODE.get(error.code, type(error))
    own = EXPLANATIONS.get(error.code)
    return (own or explanation_of(cls)).hint
