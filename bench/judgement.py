"""What it costs to judge evidence, against the bare cryptography and the bare engine.

Each judgement is the whole of what a validator does with a transaction's certificate field:
container, parsing, every rule, policy, binding. Quotes and reports are new each time; the
certificates and documents they come with are the same, as on a network whose nodes share
platforms and services. ``first seen`` is the same with nothing remembered: reported, and not
promised, since it happens once for each set of collateral.
"""

import itertools
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final

import dcap_qvl  # type: ignore[import-untyped]
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from bench.caches import forget
from bench.ratio import Ratio, measure
from enclave.appraise.registration import judge_registration
from enclave.binding import NO_OWNER
from enclave.evidence.dcap_quote import DcapQuote
from enclave.evidence.dcap_signature import DcapSignature
from tests.enclave import simulated_pki as pki
from tests.negatives import dcap, epid
from tests.simulators.dcap_factory import SGX_V3, TDX_V4, TDX_V5, Made
from tests.simulators.dcap_quote_factory import Form

RUNS: Final = 400
SETS: Final = 40
"""Different quotes, so that no result of a whole judgement can be remembered."""
DCAP_MOST: Final = 1.25
IAS_MOST: Final = 1.5
ROOT_BITS: Final = 3072  # as Intel's
QUOTES_PER_SECOND: Final = 20_000
FORMS: Final = {"SGX v3": SGX_V3, "TDX v4": TDX_V4, "TDX v5": TDX_V5}


def ratios() -> Iterator[Ratio]:
    for name, form in FORMS.items():
        yield _dcap(name, form)
    yield _ias()
    yield from (_parsing(name, form) for name, form in FORMS.items())
    yield _first_seen()


def _dcap(name: str, form: Form) -> Ratio:
    made = [_with_user_data(form, number) for number in range(SETS)]
    policy = dcap.policy_of(made[0])
    at_us = dcap.Case(0, "", "").at_us
    containers = itertools.cycle([one.container for one in made])
    quotes = itertools.cycle([one.quote for one in made])
    collateral = dcap_qvl.QuoteCollateralV3.from_json(made[0].collateral_json.decode())
    root, now_s = made[0].root_der, at_us // 1_000_000
    return measure(
        f"judge a DCAP quote, {name} / dcap_qvl.verify",
        lambda: judge_registration(next(containers), NO_OWNER, policy, dcap.NETWORK, at_us),
        lambda: dcap_qvl.verify_with_root_ca(next(quotes), collateral, root, now_s),
        runs=RUNS,
        promised=DCAP_MOST,
    )


def _with_user_data(form: Form, number: int) -> Made:
    header = {"user_data": number.to_bytes(20, "little")}
    return dcap.Case(0, "", "", {"header": header}, form).made()


def _ias() -> Ratio:
    root = pki.root(bits=ROOT_BITS)
    leaf = pki.certificate(issuer_bits=ROOT_BITS)
    signed = [pki.signed(epid.report(id=str(number)), leaf) for number in range(SETS)]
    policy = pki.policy(trust_roots=[pki.trust_root(root)])
    containers = itertools.cycle([pki.on_chain(one) for one in signed])
    reports = itertools.cycle(signed)

    def bare() -> None:
        one = next(reports)
        signer = x509.load_der_x509_certificate(one.signing_cert)
        signer.verify_directly_issued_by(x509.load_der_x509_certificate(root))
        key: Any = signer.public_key()
        assert isinstance(key, RSAPublicKey)
        key.verify(one.signature, one.report, PKCS1v15(), SHA256())

    return measure(
        "judge an IAS report / two certificates, two RSA checks",
        lambda: judge_registration(next(containers), epid.OWNER, policy, epid.NETWORK, pki.AT_US),
        bare,
        runs=RUNS,
        promised=IAS_MOST,
    )


def _parsing(name: str, form: Form) -> Ratio:
    """Against the time that each quote may take at the promised rate: 1.0 is just enough."""
    quotes = [_with_user_data(form, number).quote for number in range(SETS)]

    def parse() -> None:
        for data in quotes:
            quote = DcapQuote.parse(data)
            DcapSignature.parse(quote.signature, quote.version)

    found = measure(
        f"parse {SETS} {name} quotes / {QUOTES_PER_SECOND:,} a second", parse, parse, runs=60
    )
    return Ratio(found.name, found.ours_ms, SETS * 1000 / QUOTES_PER_SECOND, 1.0)


def _first_seen() -> Ratio:
    made = _with_user_data(SGX_V3, 0)
    policy = dcap.policy_of(made)
    at_us = dcap.Case(0, "", "").at_us
    container = made.container
    again: Callable[[], object] = partial(
        judge_registration, container, NO_OWNER, policy, dcap.NETWORK, at_us
    )

    def first() -> None:
        forget()
        again()

    return measure("judge a DCAP quote, first seen / seen before", first, again, runs=60)
