from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from enclave.appraise.policy import STRICT_PRODUCTION
from enclave.calls import JudgeReply, PublicKeysReply
from enclave.errors import MeasurementNotAllowedError, NoSeedError, NotYetValidError
from enigmacli.app.app_state import NetworkKeys
from enigmacli.app.genesis import GenesisDocument, new_genesis, validate
from enigmacli.bootstrap import FirstValidator, bootstrap, stored_height
from enigmacli.engine.block_store import BlockStore, StoredBlock
from enigmacli.errors import ConfigError, GenesisError, ServiceUnavailableError
from enigmacli.home import Home

# public keys of the first 32 bytes 0x41 and 0x42: canonical points, as genesis wants
EXCHANGE_PK = bytes.fromhex("7a1a4e709bf085ac494aba0469b9b1eda0ab1f78b16aabb79ffeda90623e8522")
IO_PK = bytes.fromhex("7dec438dd58f765423cc52ff0eaff0a8afaf6790f7c76be25ffffa8fc30bdc0d")
OPERATOR = b"o" * 20
VALIDATOR = FirstValidator(b"v" * 32, OPERATOR, "first")
NOW_US = 1_790_000_000_250_000
SECOND_US = 1_000_000


@dataclass
class SimulatedEnclave:
    """Makes its seed once; judges by date alone."""

    seeded: bool = False
    made: int = 0
    newest_us: int = NOW_US
    """The start date of the evidence."""
    skew_us: int = 5 * SECOND_US
    refuses: bool = False
    judged_at: list[int] = field(default_factory=list)

    def public_keys(self) -> PublicKeysReply:
        if not self.seeded:
            raise NoSeedError("no seed")
        return PublicKeysReply(0, EXCHANGE_PK, IO_PK, EXCHANGE_PK, IO_PK)

    def bootstrap(self, chain_id: str, policy: bytes) -> PublicKeysReply:
        assert (chain_id, policy) == ("enigma-test", STRICT_PRODUCTION.encode())
        self.made += not self.seeded
        self.seeded = True
        return self.public_keys()

    def judge_bootstrap(
        self, certificate: bytes, at_us: int, exchange_pk: bytes, io_pk: bytes
    ) -> JudgeReply:
        assert (certificate, exchange_pk, io_pk) == (b"evidence", EXCHANGE_PK, IO_PK)
        if self.refuses:
            raise MeasurementNotAllowedError("mr_enclave", expected="aa", seen="bb")
        if self.newest_us > at_us + self.skew_us:
            raise NotYetValidError("dated in the future")
        self.judged_at.append(at_us)
        return JudgeReply(exchange_pk, "epid", b"m" * 32, "OK", self.newest_us, at_us)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home.create(tmp_path / "home")
    document = new_genesis("enigma-test", NOW_US - 3600 * SECOND_US).with_account(OPERATOR)
    home.genesis_file.write_bytes(document.with_policy(STRICT_PRODUCTION).encode())
    return home


def fetch() -> bytes:
    return b"evidence"


def not_asked() -> bytes:
    pytest.fail("evidence was fetched again")


def genesis(home: Home) -> GenesisDocument:
    return GenesisDocument.parse(home.read_genesis())


def keys_of(document: GenesisDocument) -> NetworkKeys:
    assert document.app_state.keys is not None
    return document.app_state.keys


def run(home: Home, enclave: SimulatedEnclave) -> None:
    bootstrap(home, enclave, fetch, lambda: VALIDATOR, lambda: NOW_US)


def test_writes_keys_evidence_and_the_first_validator(home: Home) -> None:
    result = bootstrap(home, SimulatedEnclave(), fetch, lambda: VALIDATOR, lambda: NOW_US)

    document = genesis(home)
    validate(document)
    assert result.changed
    assert keys_of(document) == result.keys
    assert (result.keys.exchange_pk, result.keys.io_pk) == (EXCHANGE_PK, IO_PK)
    (entry,) = document.app_state.validators
    assert (entry.operator, entry.node_id) == (OPERATOR, EXCHANGE_PK)
    assert document.validators[0].power == 10


def test_the_recorded_time_is_whole_seconds_and_not_before_the_evidence(home: Home) -> None:
    run(home, SimulatedEnclave())

    document = genesis(home)
    at_us = keys_of(document).at_us
    assert at_us % SECOND_US == 0
    assert NOW_US <= at_us < NOW_US + SECOND_US
    assert document.genesis_time_us == at_us


def test_a_service_whose_clock_is_ahead_moves_the_recorded_time(home: Home) -> None:
    enclave = SimulatedEnclave(newest_us=NOW_US + 3 * SECOND_US)

    run(home, enclave)

    at_us = keys_of(genesis(home)).at_us
    assert at_us == -(-enclave.newest_us // SECOND_US) * SECOND_US
    assert enclave.judged_at[-1] == at_us


def test_a_later_genesis_time_stays(home: Home) -> None:
    later = NOW_US // SECOND_US * SECOND_US + 3600 * SECOND_US
    home.genesis_file.write_bytes(replace(genesis(home), genesis_time_us=later).encode())

    run(home, SimulatedEnclave())

    assert genesis(home).genesis_time_us == later


def test_a_second_run_changes_nothing_and_asks_nobody(home: Home) -> None:
    enclave = SimulatedEnclave()
    run(home, enclave)
    before = home.read_genesis()

    result = bootstrap(home, enclave, not_asked, lambda: VALIDATOR, lambda: NOW_US)

    assert not result.changed
    assert home.read_genesis() == before
    assert enclave.made == 1


def test_a_run_that_was_cut_off_is_completed_with_the_same_seed(home: Home) -> None:
    enclave = SimulatedEnclave()
    before = home.read_genesis()

    def fail() -> bytes:
        raise ServiceUnavailableError("no answer")

    with pytest.raises(ServiceUnavailableError):
        bootstrap(home, enclave, fail, lambda: VALIDATOR, lambda: NOW_US)
    assert home.read_genesis() == before
    run(home, enclave)

    assert enclave.made == 1
    assert keys_of(genesis(home)).exchange_pk == EXCHANGE_PK


def test_evidence_that_the_policy_refuses_leaves_genesis_alone(home: Home) -> None:
    before = home.read_genesis()

    with pytest.raises(MeasurementNotAllowedError):
        run(home, SimulatedEnclave(refuses=True))

    assert home.read_genesis() == before


def test_a_missing_validator_is_added_to_the_keys_that_are_there(home: Home) -> None:
    run(home, SimulatedEnclave())
    document = genesis(home)
    without = replace(document, validators=(), app_state=replace(document.app_state, validators=()))
    home.genesis_file.write_bytes(without.encode())

    result = bootstrap(
        home, SimulatedEnclave(seeded=True), not_asked, lambda: VALIDATOR, lambda: NOW_US
    )

    assert result.changed
    assert genesis(home) == document


def test_the_keys_of_another_bootstrap_are_refused_and_no_seed_is_made(home: Home) -> None:
    run(home, SimulatedEnclave())
    newcomer = SimulatedEnclave()

    with pytest.raises(GenesisError, match="another bootstrap"):
        run(home, newcomer)

    assert newcomer.made == 0


def test_keys_that_are_not_the_enclave_s_are_refused_by_name(home: Home) -> None:
    keys = NetworkKeys(IO_PK, EXCHANGE_PK, b"evidence", NOW_US // SECOND_US * SECOND_US)
    home.genesis_file.write_bytes(genesis(home).with_network_keys(keys).encode())

    with pytest.raises(GenesisError) as caught:
        run(home, SimulatedEnclave(seeded=True))

    assert caught.value.details == {"expected": IO_PK.hex(), "seen": EXCHANGE_PK.hex()}


def test_a_chain_with_a_block_keeps_its_genesis(home: Home) -> None:
    store = BlockStore(home.data_dir / "blocks.db")
    store.save_block(StoredBlock(1, b"h" * 32, 1, b"p" * 32, b"block", b"commit"))
    store.close()
    enclave = SimulatedEnclave()

    with pytest.raises(ConfigError, match="height 1"):
        run(home, enclave)

    assert enclave.made == 0
    assert stored_height(home.data_dir) == 1


def test_the_first_node_starts_again_after_it_has_made_blocks(home: Home) -> None:
    run(home, SimulatedEnclave())
    store = BlockStore(home.data_dir / "blocks.db")
    store.save_block(StoredBlock(1, b"h" * 32, 1, b"p" * 32, b"block", b"commit"))
    store.close()

    result = bootstrap(
        home, SimulatedEnclave(seeded=True), not_asked, lambda: VALIDATOR, lambda: NOW_US
    )

    assert not result.changed


def test_a_home_without_a_store_has_no_blocks(home: Home) -> None:
    assert stored_height(home.data_dir) == 0
    assert not (home.data_dir / "blocks.db").exists()


def test_genesis_without_a_policy_is_refused_before_a_seed_is_made(home: Home) -> None:
    home.genesis_file.write_bytes(new_genesis("enigma-test", NOW_US).encode())
    enclave = SimulatedEnclave()

    with pytest.raises(GenesisError, match="policy"):
        run(home, enclave)

    assert enclave.made == 0
