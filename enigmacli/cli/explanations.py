"""Why each error happens and what to do about it: the data of ``explain`` and of hints.

A code without an entry of its own has that of its class's nearest ancestor. What a code
*means* is the docstring of its class, so it is not repeated here.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from enclave.errors import BY_CODE, EnclaveError
from enigmacli.cli.dcap_explanations import DCAP_EXPLANATIONS
from enigmacli.cli.evidence_explanations import EVIDENCE_EXPLANATIONS
from enigmacli.cli.explanation import Explanation
from enigmacli.errors import EnigmaError

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
        "state-corrupt": _E(
            "What the database of the state holds does not fit itself: a damaged disk, or a file "
            "that was changed or copied while a node ran.",
            "Keep the folder `data/` aside for a look, check the disk, and let the node sync anew.",
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
        "rate-limited": _E(
            "More requests came than the service allows; details name the pause it asked for.",
            "Wait that long, then try again; a PCCS or `ias proxy` in between asks less often.",
        ),
        "platform-unknown": _E(
            "The platform was never registered there, or the caching service has no data of it.",
            "Register the platform with Intel or at the PCCS, or name another server with --url.",
        ),
        "certificates-unavailable": _E(
            "Intel gave no PCK certificate for the TCB that this platform runs.",
            "Update BIOS and microcode, then let the PCCS refresh its cache.",
        ),
        "service-integrity": _E(
            "A certificate or document in the caching service's store is damaged or foreign.",
            "Let its operator refresh the cache from Intel, or name another server with --url.",
        ),
        "evaluation-number-gone": _E(
            "Intel serves documents of a TCB evaluation number for a limited time.",
            "Ask for a newer one, or leave --tcb-evaluation-data-number out.",
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
        "mempool": _E(
            "The node's queue did not take the transaction.",
            "Read the message; where the queue is full, send it again later.",
        ),
        "child-failed": _E(
            "A command that this one ran ended in a way that it did not name.",
            "Read the message, and the logs that it names; then run the same command again.",
        ),
        "request-order": _E(
            "The engine asked the application for a step that cannot come at this point.",
            "Stop the node and start it again; report it if it comes back.",
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
        "enclave-internal": _E(
            "A bug in the trusted program.", "Report it, with the command that led to it."
        ),
        **EVIDENCE_EXPLANATIONS,
        **DCAP_EXPLANATIONS,
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
