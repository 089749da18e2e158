"""Why DCAP evidence is refused and what to do: the part of ``explain`` about quotes.

A rule without an entry has that of its family; docs/dcap.md lists all rules with their sources.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from enigmacli.cli.explanation import Explanation

_E = Explanation

_FETCH: Final = "enigmacli attest fetch --provider dcap"

DCAP_EXPLANATIONS: Final[Mapping[str, Explanation]] = MappingProxyType(
    {
        # --- the quote's form ---
        "quote-version": _E(
            "SGX quotes are judged in version 3, TDX quotes in versions 4 and 5.",
            "Use the quoting library that Intel ships for this TEE.",
        ),
        "quote-key-type": _E(
            "The quote was made for another signature algorithm than ECDSA on P-256.",
            "Configure the quoting library for ECDSA-256-with-P-256.",
        ),
        "quote-certification-data": _E(
            "The platform's quotes do not carry their PCK certificate chain (type 5).",
            "Provision the platform's PCK certificate, at a PCCS for instance, and quote again.",
        ),
        # --- collateral ---
        "collateral-malformed": _E(
            "The collateral is cut short, padded, or in a form that transactions do not carry.",
            "Fetch it again for this quote.",
            _FETCH,
        ),
        "dcap-document": _E(
            "Intel's document is of another kind, version or form than the quote needs.",
            "Fetch the collateral again for this quote; a new form needs a new version of this.",
            _FETCH,
        ),
        "dcap-collateral-tee": _E(
            "Collateral of SGX came with a TDX quote, or the other way round.",
            "Fetch the collateral for this quote.",
            _FETCH,
        ),
        "dcap-tcb-info-time": _E(
            "TCB Info is valid for 30 days; it has run out, or this clock is behind.",
            "Fetch the collateral again; `enigmacli attest expiry` shows when each part ends.",
            _FETCH,
        ),
        "dcap-qe-identity-time": _E(
            "QE Identity is valid for 30 days; it has run out, or this clock is behind.",
            "Fetch the collateral again; `enigmacli attest expiry` shows when each part ends.",
            _FETCH,
        ),
        "dcap-crl-time": _E(
            "A revocation list has run out, or this clock is behind.",
            "Fetch the collateral again; `enigmacli attest expiry` shows when each part ends.",
            _FETCH,
        ),
        "dcap-certificate-time": _E(
            "A certificate has run out or is not valid yet, or this clock is wrong.",
            "Check the clock, then fetch certificates and collateral again.",
            _FETCH,
        ),
        "dcap-validity-disjoint": _E(
            "The collateral was put together from parts of different dates.",
            "Fetch all of it again at one time.",
            _FETCH,
        ),
        "dcap-evaluation-numbers": _E(
            "TCB Info and QE Identity were fetched for two TCB evaluation numbers.",
            "Fetch both for the same number.",
            _FETCH,
        ),
        "dcap-fmspc": _E(
            "The collateral is for another processor model than the one that made the quote.",
            "Fetch the collateral for this quote.",
            _FETCH,
        ),
        # --- trust ---
        "dcap-root": _E(
            "The chain leads to a root that is not trusted here: a simulated one, for instance.",
            "Judge simulated evidence by its own network's policy, or with --trust-root FILE.",
        ),
        "dcap-crl-issuer": _E(
            "The revocation list is of the other PCK CA: there is a Platform and a Processor CA.",
            "Fetch the list that the PCK certificate's issuer names (ca=platform or processor).",
            _FETCH,
        ),
        "dcap-pck-revoked": _E(
            "Intel has revoked this platform's certificate: its keys may be in other hands.",
            "Use another machine. Do not trust this one.",
        ),
        "dcap-pck-ca-revoked": _E(
            "Intel has revoked the CA that certified this platform.",
            "Fetch the platform's certificates again; do not trust the old ones.",
        ),
        "dcap-tcb-signer-revoked": _E(
            "Intel has revoked the key that signed these documents.",
            "Fetch the collateral again; do not trust the old one.",
            _FETCH,
        ),
        "dcap-qe-debug": _E(
            "A quoting enclave in debug mode made the quote: anybody can have its key.",
            "Do not trust it.",
        ),
        "dcap-engine-refused": _E(
            "Two independent verifications disagree, and the stricter one counts.",
            "Report it with the evidence; do not trust it meanwhile.",
        ),
        "dcap-engine-disagrees": _E(
            "Two independent verifications read different TCB statuses out of the documents.",
            "Report it with the evidence; do not trust it meanwhile.",
        ),
    }
)
