import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from hypothesis import given
from hypothesis import strategies as st

from enclave.evidence import simulated_dcap
from enclave.verify import ecdsa
from tests.simulators.dcap_pki_factory import key

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
PRIME = 2**256 - 2**224 + 2**192 + 2**96 - 1
# FIPS 186-4 test vector of NIST's CAVP: SigVer.rsp, [P-256,SHA-256], first case with Result = P
KEY = bytes.fromhex(
    "e424dc61d4bb3cb7ef4344a7f8957a0c5134e16f7a67c074f82e6e12f49abf3c"
    "970eed7aa2bc48651545949de1dddaf0127e5965ac85d1243d6f60e7dfaee927"
)
MESSAGE = bytes.fromhex(
    "e1130af6a38ccb412a9c8d13e15dbfc9e69a16385af3c3f1e5da954fd5e7c45f"
    "d75e2b8c36699228e92840c0562fbf3772f07e17f1add56588dd45f7450e1217"
    "ad239922dd9c32695dc71ff2424ca0dec1321aa47064a044b7fe3c2b97d03ce4"
    "70a592304c5ef21eed9f93da56bb232d1eeb0035f9bf0dfafdcc4606272b20a3"
)
SIGNATURE = bytes.fromhex(
    "bf96b99aa49c705c910be33142017c642ff540c76349b9dab72f981fd9347f4f"
    "17c55095819089c2e03b9cd415abdf12444e323075d98f31920b9e0f57ec871c"
)


def number(value: int) -> bytes:
    return value.to_bytes(32, "big")


def test_a_known_signature_verifies_and_no_other() -> None:
    public = ecdsa.load_key(KEY)

    assert ecdsa.verifies(public, SIGNATURE, MESSAGE)
    assert not ecdsa.verifies(public, SIGNATURE, MESSAGE + b"\0")
    assert not ecdsa.verifies(public, SIGNATURE[32:] + SIGNATURE[:32], MESSAGE)
    assert not ecdsa.verifies_der(public, SIGNATURE, MESSAGE)


def test_a_high_s_is_accepted() -> None:
    r, s = SIGNATURE[:32], int.from_bytes(SIGNATURE[32:], "big")
    other = r + number(ORDER - s)

    assert ecdsa.is_in_range(other)
    assert ecdsa.verifies(ecdsa.load_key(KEY), other, MESSAGE)


@pytest.mark.parametrize("bad", [0, ORDER, ORDER + 1, 2**256 - 1])
def test_r_and_s_are_below_the_order_and_not_zero(bad: int) -> None:
    assert ecdsa.is_in_range(number(1) + number(ORDER - 1))
    assert not ecdsa.is_in_range(number(bad) + number(1))
    assert not ecdsa.is_in_range(number(1) + number(bad))


@given(st.integers(1, 2**64))
def test_a_point_of_the_curve_is_known(scalar: int) -> None:
    public = ec.derive_private_key(scalar, ec.SECP256R1()).public_key()
    raw = simulated_dcap.raw_key(public)

    assert ecdsa.is_on_curve(raw)
    assert ecdsa.load_key(raw) == public


@given(st.binary(min_size=64, max_size=64))
def test_what_is_no_point_is_told_as_the_library_does(raw: bytes) -> None:
    try:
        ecdsa.load_key(raw)
    except ValueError:
        assert not ecdsa.is_on_curve(raw)
    else:
        assert ecdsa.is_on_curve(raw)


def test_coordinates_are_below_the_prime() -> None:
    raw = simulated_dcap.raw_key(key("attestation").public_key())

    assert not ecdsa.is_on_curve(number(PRIME) + raw[32:])
    assert not ecdsa.is_on_curve(raw[:32] + number(PRIME))
    assert not ecdsa.is_on_curve(bytes(64))


def test_a_signature_in_der_is_that_of_its_key() -> None:
    r, s = (int.from_bytes(half, "big") for half in (SIGNATURE[:32], SIGNATURE[32:]))

    assert ecdsa.verifies_der(ecdsa.load_key(KEY), encode_dss_signature(r, s), MESSAGE)
