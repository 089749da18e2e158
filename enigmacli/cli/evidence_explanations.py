"""Why evidence is refused and what to do about it: the part of ``explain`` about attestation.

A code without an entry of its own has that of its class's nearest ancestor.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from enigmacli.cli.explanation import Explanation

_E = Explanation

EVIDENCE_EXPLANATIONS: Final[Mapping[str, Explanation]] = MappingProxyType(
    {
        "evidence-malformed": _E(
            "The file is truncated, altered, or not attestation evidence.",
            "Fetch it again.",
            "enigmacli attest fetch",
        ),
        "evidence-unsupported": _E(
            "This enclave's hardware makes no quotes of the kind that was asked for.",
            "Choose another one with --provider and --kind.",
        ),
        "policy-malformed": _E(
            "A member of the policy is missing, unknown, unsorted or of another form.",
            "Correct the member that the message names; `policy check` names all problems at once.",
            "enigmacli policy check FILE",
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
        "quote-length": _E(
            "A captured quote has zero bytes behind it, or was cut short; a chain takes neither.",
            "Cut zero bytes off with --trim-padding, and send the quote itself.",
            "enigmacli attest parse FILE --trim-padding",
        ),
        "platform-status-not-allowed": _E(
            "Intel's TCB Info says that the platform's firmware or configuration needs something.",
            "Update BIOS and microcode, then fetch a new quote and new collateral.",
        ),
        "qe-status-not-allowed": _E(
            "The platform's quoting enclave is older than Intel's newest.",
            "Update the DCAP packages of the machine, then fetch a new quote.",
        ),
        "no-tcb-level": _E(
            "The platform is older than the oldest level that Intel still lists.",
            "Update BIOS and microcode, then fetch a new quote and new collateral.",
        ),
        "advisory-not-allowed": _E(
            "A known weakness applies to the platform, and the policy does not list it.",
            "Update BIOS and microcode; Intel's page on the advisory says what else it takes.",
        ),
        "tcb-evaluation-too-low": _E(
            "The collateral is from an earlier evaluation by Intel than the network asks for.",
            "Fetch newer collateral.",
            "enigmacli attest fetch",
        ),
        "attributes-not-allowed": _E(
            "The enclave or trust domain was started in a way that lets others look inside.",
            "Build and launch it for production, with its host's extensions switched off.",
        ),
        "debug-enclave": _E(
            "An enclave or trust domain in debug mode shows its memory to its host.",
            "Build it for production, sign it, and fetch a new quote.",
        ),
        "tdx-module-not-allowed": _E(
            "The machine runs another TDX module than the network has measured.",
            "Load the module that the policy's mr_seam names.",
        ),
        "rtmr-not-allowed": _E(
            "The trust domain has booted other firmware, kernel or configuration.",
            "Boot the exact image of the network.",
        ),
    }
)
