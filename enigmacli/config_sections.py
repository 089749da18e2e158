"""The sections of the configuration: every key with its default, its meaning and its rule."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, TypeVar

from enigmacli import config_rules as rules
from enigmacli.config_rules import Check

T = TypeVar("T")


def _key(default: T, doc: str, check: Check | None = None) -> T:
    """A key of the section: its default, its meaning, its rule."""
    about = {"default": default, "doc": doc, "check": check}
    value: T = field(default=default, metadata=about)
    return value


@dataclass(frozen=True, slots=True)
class ChainSection:
    """How commands talk to the chain."""

    chain_id: str = _key(
        "", "Chain id; empty: that of the genesis document.",
        rules.chain_id,
    )  # fmt: skip
    node: str = _key("http://127.0.0.1:26657", "Node that answers queries.", rules.node_url)
    faucet: str = _key(
        "", "Faucet of a simulated network, which join asks for coins; empty: none.",
        rules.or_empty(rules.web_url),
    )  # fmt: skip
    trust_height: int = _key(
        0, "Height of a header to trust in place of genesis; 0: none.", rules.between(0, 2**62)
    )  # fmt: skip
    trust_hash: str = _key(
        "", "Hash of that header, 64 hex digits; empty: none.", rules.header_hash
    )
    trusting_period_s: float = _key(
        1_209_600.0, "How long a verified header is relied on; 0: for good.",
        rules.between(0, 10**10),
    )  # fmt: skip
    timeout_s: float = _key(10.0, "Longest wait for one answer of the node.", rules.seconds)
    wait_timeout_s: float = _key(60.0, "Longest wait for inclusion, or for a seed.", rules.seconds)
    broadcast_mode: str = _key(
        "block", "How long to wait after sending: sync, async or block.",
        rules.one_of("sync", "async", "block"),
    )  # fmt: skip
    gas: str = _key("auto", "Gas limit: a number, or auto to estimate.", rules.gas)
    gas_adjustment: float = _key(
        1.3, "Factor on an estimated gas limit.", rules.between(1, 10)
    )  # fmt: skip
    gas_prices: str = _key(
        "", "Price of one gas, like 0.0025uscrt; empty: the policy's.",
        rules.price,
    )  # fmt: skip
    fees: str = _key(
        "", "Fee in place of a price, like 1500uscrt; empty: by the price.",
        rules.coin,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class AccountSection:
    """Whose account signs, and where its key is kept."""

    from_: str = _key("", "Account key that signs and owns this node; empty: the only key.")
    keyring_backend: str = _key(
        "file", "Where account keys are kept: file (encrypted) or test (never for value).",
        rules.one_of("file", "test"),
    )  # fmt: skip
    coin_type: int = _key(118, "SLIP-44 coin type of new keys.", rules.between(0, 2**31 - 1))


@dataclass(frozen=True, slots=True)
class EnclaveSection:
    """The trusted program."""

    backend: str = _key("simulation", "What stands behind the enclave.", rules.one_of("simulation"))
    path: str = _key("", "Folder that contains the trusted package; empty: the installed one.")


@dataclass(frozen=True, slots=True)
class AttestationSection:
    """Who turns quotes into evidence: an attestation service, or Intel's collateral."""

    provider: str = _key(
        "simulated", "Who attests: ias or simulated (EPID), or dcap.",
        rules.one_of("dcap", "ias", "simulated"),
    )  # fmt: skip
    ias_url: str = _key("http://127.0.0.1:8090", "Attestation service or proxy.", rules.web_url)
    ias_api_key_file: str = _key("", "File with the service's API key; empty: none.")
    spid: str = _key(
        "", "Service provider id of the API key, 32 hex digits; empty: none.",
        rules.spid,
    )  # fmt: skip
    timeout_s: float = _key(10.0, "Longest wait for one answer of the service.", rules.seconds)
    retries: int = _key(
        5, "How often to ask again after 429, 5xx or silence.", rules.between(0, 100)
    )
    dcap_kind: str = _key(
        "dcap-sgx", "What a DCAP quote is about: dcap-sgx or dcap-tdx.",
        rules.one_of("dcap-sgx", "dcap-tdx"),
    )  # fmt: skip
    pcs_urls: str = _key(
        "http://127.0.0.1:8081",
        "Servers of DCAP collateral (PCS or PCCS) in their order, with commas between.",
        rules.web_urls,
    )
    pcs_api_key_file: str = _key(
        "", "File with Intel's API key, for PCK certificates; empty: none."
    )
    pcs_ca_file: str = _key("", "PEM of the TLS authority of those servers; empty: the system's.")
    pcs_offline: str = _key(
        "", "Folder that has the collateral in place of any server; empty: none."
    )
    pcs_update: str = _key(
        "standard", "Which edition of TCB documents: standard, or early before a recovery.",
        rules.one_of("early", "standard"),
    )  # fmt: skip
    tcb_evaluation_data_number: int = _key(
        0, "TCB evaluation number to ask for; 0: that of the edition.", rules.between(0, 2**31 - 1)
    )
    cache_max_age_s: float = _key(
        86_400.0, "How long fetched collateral is used again; 0: never.",
        rules.between(0, 2_592_000),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class RpcSection:
    """The JSON-RPC server."""

    listen: str = _key("127.0.0.1:26657", "Address of the JSON-RPC server.", rules.listen)


@dataclass(frozen=True, slots=True)
class P2pSection:
    """Connections between nodes, where CometBFT orders transactions."""

    listen: str = _key("127.0.0.1:26656", "Address for other nodes.", rules.listen)
    external_address: str = _key(
        "", "HOST:PORT at which other nodes reach this one; empty: where it listens.",
        rules.or_empty(rules.reachable),
    )  # fmt: skip
    persistent_peers: str = _key(
        "", "Nodes to stay connected with: ID@HOST:PORT, with commas between.", rules.peers
    )
    seeds: str = _key(
        "", "Nodes to ask for the addresses of others: ID@HOST:PORT, with commas between.",
        rules.peers,
    )  # fmt: skip
    private_peers: str = _key(
        "", "Ids of nodes whose addresses are told to nobody, with commas between.", rules.peer_ids
    )
    pex: bool = _key(default=True, doc="Exchange addresses of nodes with peers; seeds need it.")
    one_machine: bool = _key(
        default=False,
        doc="Let nodes share an address and have private ones: one machine's network.",
    )


@dataclass(frozen=True, slots=True)
class ApiSection:
    """The REST server."""

    listen: str = _key("127.0.0.1:1317", "Address of the REST server.", rules.listen)


@dataclass(frozen=True, slots=True)
class IasSection:
    """The simulated attestation service, or the proxy to the real one."""

    listen: str = _key("127.0.0.1:8090", "Address of ias serve and ias proxy.", rules.listen)


@dataclass(frozen=True, slots=True)
class PccsSection:
    """The simulated service of DCAP collateral."""

    listen: str = _key("127.0.0.1:8081", "Address of pccs serve.", rules.listen)


@dataclass(frozen=True, slots=True)
class NodeSection:
    """The running node."""

    moniker: str = _key("node", "Name of this node, for people.", rules.moniker)
    block_interval_s: float = _key(1.0, "Shortest time between two blocks.", rules.seconds)
    empty_blocks_interval_s: float = _key(5.0, "Longest time between two blocks.", rules.seconds)
    follow: str = _key("", "Node to follow; empty: make blocks.", rules.or_empty(rules.node_url))


@dataclass(frozen=True, slots=True)
class CometbftSection:
    """The real engine, where it orders transactions."""

    path: str = _key(
        "", "CometBFT's binary, of the 0.38, 0.39 or 0.40 line; empty: looked for on PATH."
    )
    external: bool = _key(default=False, doc="The operator runs CometBFT; the node waits for it.")
    abci_listen: str = _key(
        "", "Where an external CometBFT finds the node: unix:///PATH or tcp://HOST:PORT; "
        "empty: abci.sock in the home's data folder.",
        rules.or_empty(rules.socket_address),
    )  # fmt: skip
    log_level: str = _key(
        "error", "Which lines of its log are shown.", rules.one_of("error", "info", "debug", "none")
    )  # fmt: skip
    timeout_propose_s: float = _key(
        3.0, "How long validators wait for a proposal in the first round.", rules.seconds
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class OutputSection:
    """How results look."""

    plain: bool = _key(
        default=False, doc="Plain words, one fact a line: nothing drawn, moving or in colour."
    )


SECTIONS: Final[Mapping[str, type[Any]]] = MappingProxyType(
    {
        "chain": ChainSection,
        "account": AccountSection,
        "enclave": EnclaveSection,
        "attestation": AttestationSection,
        "rpc": RpcSection,
        "p2p": P2pSection,
        "api": ApiSection,
        "ias": IasSection,
        "pccs": PccsSection,
        "node": NodeSection,
        "cometbft": CometbftSection,
        "output": OutputSection,
    }
)
"""The classes by their section's name, in the order of the template."""
