import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from enclave import measurement
from enclave.backends import check_policy
from enclave.backends.simulation import PLATFORM_KEY_FILE, SimulatedPlatform
from enclave.errors import (
    BackendPolicyError,
    QuoteFormatError,
    SealedElsewhereError,
    SealedFormatError,
    SealedStateError,
    StateWriteError,
    VerificationError,
)
from enclave.evidence import simulated_quote
from tests.simulators.attested_network import AttestedNetwork

MEASUREMENT = b"\x01" * 32
REPORT_DATA = bytes(range(64))


@pytest.fixture
def platform(tmp_path: Path) -> SimulatedPlatform:
    return SimulatedPlatform.open(tmp_path, MEASUREMENT)


def test_the_platform_key_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    first = SimulatedPlatform.open(tmp_path, MEASUREMENT)
    key = (tmp_path / PLATFORM_KEY_FILE).read_bytes()
    second = SimulatedPlatform.open(tmp_path, MEASUREMENT)

    assert len(key) == 32
    assert (tmp_path / PLATFORM_KEY_FILE).read_bytes() == key
    assert stat.S_IMODE((tmp_path / PLATFORM_KEY_FILE).stat().st_mode) == 0o600
    assert first.sealing_key() == second.sealing_key()
    assert first.quoting_public_key == second.quoting_public_key


def test_losing_the_race_for_the_platform_key_takes_the_winners(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    winner = b"w" * 32

    def link(_source: object, target: Path) -> None:
        target.write_bytes(winner)
        raise FileExistsError

    monkeypatch.setattr(os, "link", link)

    platform = SimulatedPlatform.open(tmp_path, MEASUREMENT)

    monkeypatch.undo()
    assert platform.sealing_key() == SimulatedPlatform.open(tmp_path, MEASUREMENT).sealing_key()
    assert (tmp_path / PLATFORM_KEY_FILE).read_bytes() == winner


def test_other_platforms_and_other_code_have_other_sealing_keys(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    here = SimulatedPlatform.open(tmp_path / "a", MEASUREMENT)
    elsewhere = SimulatedPlatform.open(tmp_path / "b", MEASUREMENT)
    updated = SimulatedPlatform.open(tmp_path / "a", b"\x02" * 32)

    assert here.sealing_key() != elsewhere.sealing_key()
    assert here.sealing_key() != updated.sealing_key()
    assert here.quoting_public_key == updated.quoting_public_key
    assert here.quoting_public_key != elsewhere.quoting_public_key


def test_the_quoting_key_is_not_the_sealing_key(platform: SimulatedPlatform) -> None:
    assert bytes(platform.sealing_key().data) != platform.quoting_public_key


@pytest.mark.parametrize("size", [0, 31, 33])
def test_refuses_a_damaged_platform_key(tmp_path: Path, size: int) -> None:
    (tmp_path / PLATFORM_KEY_FILE).write_bytes(bytes(size))

    with pytest.raises(SealedFormatError, match=r"platform\.key is malformed"):
        SimulatedPlatform.open(tmp_path, MEASUREMENT)


def test_says_why_the_platform_key_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(StateWriteError, match="No such file"):
        SimulatedPlatform.open(tmp_path / "missing", MEASUREMENT)

    (tmp_path / PLATFORM_KEY_FILE).mkdir()
    with pytest.raises(SealedStateError, match="Is a directory"):
        SimulatedPlatform.open(tmp_path, MEASUREMENT)


def test_serves_simulated_networks_only(platform: SimulatedPlatform) -> None:
    simulated = AttestedNetwork(MEASUREMENT)
    real = AttestedNetwork(MEASUREMENT, {"simulation": False, "trust_roots": ["intel"]})

    check_policy(platform, simulated.configuration.policy)
    with pytest.raises(BackendPolicyError, match="simulation backend may not serve"):
        check_policy(platform, real.configuration.policy)


def test_a_quote_has_the_layout_of_an_epid_quote(platform: SimulatedPlatform) -> None:
    quote = platform.quote_epid(REPORT_DATA, b"")

    assert len(quote) == 432 + 4 + 10 + 32 + 64
    assert quote[0:4] == b"\x02\x00\x00\x00"  # version 2, unlinkable
    assert quote[4:8] == b"\x16\x0e\x00\x00"  # EPID group, little-endian
    assert quote[16:48] == bytes(32)  # basename
    assert quote[96:112] == b"\x05" + bytes(7) + b"\x03" + bytes(7)
    assert quote[112:144] == MEASUREMENT
    assert quote[176:208] == measurement.SIMULATED_SIGNER
    assert quote[304:308] == b"\x01\x00\x01\x00"
    assert quote[368:432] == REPORT_DATA
    assert quote[432:436] == (106).to_bytes(4, "little")


def test_a_quote_verifies_and_names_the_quoting_key(platform: SimulatedPlatform) -> None:
    for sig_rl in (b"", b"a revocation list"):
        quote = platform.quote_epid(REPORT_DATA, sig_rl)

        assert simulated_quote.verify_signature(quote, sig_rl) == platform.quoting_public_key


def test_a_quote_verifies_under_its_revocation_list_only(platform: SimulatedPlatform) -> None:
    quote = platform.quote_epid(REPORT_DATA, b"old list")

    with pytest.raises(VerificationError, match="does not verify"):
        simulated_quote.verify_signature(quote, b"new list")


def test_refuses_every_flipped_byte_of_a_quote(platform: SimulatedPlatform) -> None:
    quote = platform.quote_epid(REPORT_DATA, b"")

    for position in range(len(quote)):
        bad = bytearray(quote)
        bad[position] ^= 1
        framed = 432 <= position < 446  # length and magic
        with pytest.raises(QuoteFormatError if framed else VerificationError):
            simulated_quote.verify_signature(bytes(bad), b"")


@pytest.mark.parametrize("change", [lambda q: q[:-1], lambda q: q + b"\x00", lambda _: b""])
def test_refuses_a_quote_of_another_length(
    platform: SimulatedPlatform, change: Callable[[bytes], bytes]
) -> None:
    with pytest.raises(QuoteFormatError, match="another length"):
        simulated_quote.verify_signature(change(platform.quote_epid(REPORT_DATA, b"")), b"")


def test_a_lost_platform_key_is_not_replaced_while_sealed_files_need_it(tmp_path: Path) -> None:
    (tmp_path / "seed.sealed").write_bytes(b"sealed")

    with pytest.raises(SealedElsewhereError, match=r"gone, and seed\.sealed"):
        SimulatedPlatform.open(tmp_path, MEASUREMENT)

    assert not (tmp_path / PLATFORM_KEY_FILE).exists()
