"""The untrusted side's parsers: transactions, blocks, genesis, answers of services, files."""

import json
from collections.abc import Callable, Sequence
from functools import cache, partial
from types import MappingProxyType
from typing import Any, Final

from enigmacli import config
from enigmacli.abci.framing import FrameError, FrameReader
from enigmacli.api.jsonrpc import MAX_BODY_BYTES, Dispatcher
from enigmacli.app.abci_messages import read_request
from enigmacli.app.app_state import AppState
from enigmacli.app.genesis import GenesisDocument
from enigmacli.attestation.address import ServiceUrl
from enigmacli.attestation.ias_answer import parse_chain
from enigmacli.chain.address import decode_address
from enigmacli.chain.answers import (
    AbciInfo,
    BlockAnswer,
    BroadcastAnswer,
    NodeStatus,
    QueryAnswer,
    SignedHeader,
    TxAnswer,
)
from enigmacli.chain.block_time import parse_time
from enigmacli.chain.blocks import Block, Commit
from enigmacli.chain.gas import GasPrice
from enigmacli.chain.messages import Coin, MsgSend, RaAuthenticate, SetValidator, parse_message
from enigmacli.chain.records import NodeRecord
from enigmacli.chain.rpc_json import from_json
from enigmacli.chain.tx import (
    ConfirmNode,
    TxInvalidError,
    decode_simulation,
    decode_tx,
    encode_confirm,
    is_confirm,
    parse_confirm,
)
from enigmacli.errors import ConfigError, EnigmaError, KeyringError, MalformedError
from enigmacli.keyring import derivation
from enigmacli.keyring.derivation import PrivateKey
from enigmacli.keyring.key_file import MAX_FILE_BYTES, KeyFile
from enigmacli.simulated_intel.faults import Fault
from tests.enigmacli.app.chain import ALICE, BOB, Chain, genesis
from tests.fuzz.parser import Parser
from tests.vector_files import vector

_ANSWERS: Final = {
    "abci_info": AbciInfo,
    "abci_query_not_found": QueryAnswer,
    "broadcast_tx_sync": BroadcastAnswer,
    "commit": SignedHeader,
    "status": NodeStatus,
    "tx": TxAnswer,
}
_CONFIRM: Final = ConfirmNode(b"\1" * 32, b"\2" * 32, b"\3" * 48, 0, "epid", b"\4" * 32, "OK")
_SEND: Final = MsgSend(ALICE.bech32, BOB.bech32, (Coin("uscrt", 1),))
_REGISTER: Final = RaAuthenticate(ALICE.address, b"evidence")
_VOTE: Final = SetValidator(ALICE.address, bytes(32), 3, bytes(32))


def _text(read: Callable[[str], object]) -> Callable[[bytes], object]:
    return lambda data: read(data.decode("latin-1"))


def _json(kind: type, data: bytes) -> object:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return from_json(kind, value)


def _transactions() -> Sequence[bytes]:
    chain = Chain(genesis()).start()
    return [chain.send(ALICE, BOB), chain.register(BOB), chain.vote(ALICE, BOB, 3)]


def _frames(data: bytes) -> object:
    return list(FrameReader(1 << 20).feed(data))


def _body(data: bytes) -> object:
    return Dispatcher({}, lambda _: None).answer_body(data[:MAX_BODY_BYTES])


def _block() -> bytes:
    return bytes.fromhex(vector("cometbft_block", "block_1")["proto"])


def _answer(name: str) -> Sequence[bytes]:
    return [json.dumps(vector("cometbft_rpc", name)["result"]).encode()]


def _message(message: Any) -> Parser:
    return Parser(
        partial(parse_message, message.TYPE_URL), lambda: [message.encode()], (MalformedError,)
    )


@cache
def _key_file() -> KeyFile:
    return KeyFile.seal("one", "m/44'/118'/0'/0/0", PrivateKey(b"\x11" * 32), "correct horse")


_MALFORMED: Final = (MalformedError,)
_SOCKET_BYTES: Final = 65536
"""Of one read; a frame may be of no byte at all, so more bytes are more messages."""
_HEAD_BYTES: Final = 100 * 1024
"""Of a response's head, as the HTTP library reads it."""
_ARGUMENT_BYTES: Final = 131_072
"""Linux's longest argument of a command."""

CHAIN_PARSERS: Final = MappingProxyType(
    {
        "transaction": Parser(decode_tx, _transactions, (TxInvalidError,)),
        "simulated-transaction": Parser(decode_simulation, _transactions, (TxInvalidError,)),
        "confirm": Parser(parse_confirm, lambda: [encode_confirm(_CONFIRM)], (TxInvalidError,)),
        "is-confirm": Parser(is_confirm, lambda: [encode_confirm(_CONFIRM)], ()),
        "message-send": _message(_SEND),
        "message-register": _message(_REGISTER),
        "message-validator": _message(_VOTE),
        "block": Parser(Block.parse, lambda: [_block()], _MALFORMED),
        "commit": Parser(
            Commit.parse,
            lambda: [bytes.fromhex(vector("cometbft_commit", "commit_0")["proto"])],
            _MALFORMED,
        ),
        "node-record": Parser(
            partial(NodeRecord.parse, bytes(32)), lambda: [b"\x0a\x20" + bytes(32)], _MALFORMED
        ),
        "rpc-block": Parser(
            partial(_json, BlockAnswer),
            lambda: [json.dumps(vector("cometbft_block", "block_1")["json"]).encode()],
            _MALFORMED,
        ),
        **{
            f"rpc-{name}": Parser(partial(_json, kind), partial(_answer, name), _MALFORMED)
            for name, kind in _ANSWERS.items()
        },
        "rpc-request": Parser(
            _body, lambda: [b'{"jsonrpc":"2.0","id":1,"method":"status","params":{}}'], ()
        ),
        "abci-request": Parser(read_request, lambda: [b"\x0a\x03\x0a\x01a"], (ValueError,)),
        "abci-frames": Parser(
            _frames, lambda: [b"\x05\x0a\x03\x0a\x01a" * 2], (FrameError,), most_bytes=_SOCKET_BYTES
        ),
        "genesis": Parser(GenesisDocument.parse, lambda: [genesis().encode()], (ConfigError,)),
        "app-state": Parser(
            AppState.parse,
            lambda: [json.dumps(genesis().app_state.to_value()).encode()],
            (ConfigError,),
        ),
        "configuration-file": Parser(
            lambda data: config.parse(data, "config.toml"),
            lambda: [b'[chain]\nid = "enigma-test"\n[api]\nlisten = "127.0.0.1:1317"\n'],
            (ConfigError,),
        ),
        "recovery-phrase": Parser(
            lambda data: derivation.parse_phrase(data.decode(errors="replace")),
            lambda: [derivation.generate_phrase().reveal().encode()],
            (KeyringError,),
        ),
        "key-file": Parser(
            KeyFile.parse,
            lambda: [_key_file().encode()],
            (KeyringError,),
            most_bytes=MAX_FILE_BYTES,
        ),
        "key-armour": Parser(
            _text(KeyFile.from_armour),
            lambda: [_key_file().armour().encode()],
            (KeyringError,),
            most_bytes=2 * MAX_FILE_BYTES,
        ),
        "address": Parser(_text(decode_address), lambda: [ALICE.bech32.encode()], _MALFORMED),
        "gas-price": Parser(_text(GasPrice.parse), lambda: [b"0.0025uscrt"], _MALFORMED),
        "block-time": Parser(_text(parse_time), lambda: [b"2026-11-23T01:02:03.5Z"], _MALFORMED),
        "ias-certificate-header": Parser(
            _text(parse_chain),
            lambda: [b"-----BEGIN%20CERTIFICATE-----%0AMII%2B%0A-----END%20CERTIFICATE-----%0A"],
            _MALFORMED,
            most_bytes=_HEAD_BYTES,
        ),
        "service-address": Parser(
            _text(ServiceUrl.parse),
            lambda: [b"https://example.org:8081/sgx"],
            (ConfigError,),
            most_bytes=_ARGUMENT_BYTES,
        ),
        "simulated-faults": Parser(
            _text(Fault.parse), lambda: [b"503,times=2,retry-after=1"], (EnigmaError,)
        ),
    }
)
"""By name."""
