"""Transactions, accounts and coins (Cosmos SDK v0.50, ``proto/cosmos``)."""

from typing import Final

SCHEMA: Final = """
package cosmos.base.v1beta1
message Coin { string denom = 1; string amount = 2; }

package cosmos.base.query.v1beta1
message PageRequest { bytes key = 1; uint64 offset = 2; uint64 limit = 3; bool count_total = 4; bool reverse = 5; }
message PageResponse { bytes next_key = 1; uint64 total = 2; }

package cosmos.base.abci.v1beta1
message GasInfo { uint64 gas_wanted = 1; uint64 gas_used = 2; }
message MsgData { string msg_type = 1; bytes data = 2; }
message TxMsgData { repeated MsgData data = 1; repeated google.protobuf.Any msg_responses = 2; }
message Result {
  bytes data = 1; string log = 2; repeated tendermint.abci.Event events = 3;
  repeated google.protobuf.Any msg_responses = 4;
}

package cosmos.store.internal.kv.v1beta1
message Pair { bytes key = 1; bytes value = 2; }
message Pairs { repeated Pair pairs = 1; }

package cosmos.crypto.secp256k1
message PubKey { bytes key = 1; }

package cosmos.crypto.ed25519
message PubKey { bytes key = 1; }

package cosmos.tx.v1beta1
message TxRaw { bytes body_bytes = 1; bytes auth_info_bytes = 2; repeated bytes signatures = 3; }
message TxBody {
  repeated google.protobuf.Any messages = 1; string memo = 2; uint64 timeout_height = 3;
  repeated google.protobuf.Any extension_options = 1023;
  repeated google.protobuf.Any non_critical_extension_options = 2047;
}
message ModeInfoSingle { int32 mode = 1; }
message ModeInfo { one of sum { ModeInfoSingle single = 1; bytes multi = 2; } }
message SignerInfo { google.protobuf.Any public_key = 1; ModeInfo mode_info = 2; uint64 sequence = 3; }
message Fee { repeated cosmos.base.v1beta1.Coin amount = 1; uint64 gas_limit = 2; string payer = 3; string granter = 4; }
message Tip { repeated cosmos.base.v1beta1.Coin amount = 1; string tipper = 2; }
message AuthInfo { repeated SignerInfo signer_infos = 1; Fee fee = 2; Tip tip = 3; }
message Tx { TxBody body = 1; AuthInfo auth_info = 2; repeated bytes signatures = 3; }
message SignDoc { bytes body_bytes = 1; bytes auth_info_bytes = 2; string chain_id = 3; uint64 account_number = 4; }
message SimulateRequest { Tx tx = 1; bytes tx_bytes = 2; }
message SimulateResponse { cosmos.base.abci.v1beta1.GasInfo gas_info = 1; cosmos.base.abci.v1beta1.Result result = 2; }

package cosmos.bank.v1beta1
message MsgSend { string from_address = 1; string to_address = 2; repeated cosmos.base.v1beta1.Coin amount = 3; }
message MsgSendResponse { }
message QueryBalanceRequest { string address = 1; string denom = 2; }
message QueryBalanceResponse { cosmos.base.v1beta1.Coin balance = 1; }
message QueryAllBalancesRequest { string address = 1; cosmos.base.query.v1beta1.PageRequest pagination = 2; }
message QueryAllBalancesResponse { repeated cosmos.base.v1beta1.Coin balances = 1; cosmos.base.query.v1beta1.PageResponse pagination = 2; }

package cosmos.auth.v1beta1
message BaseAccount { string address = 1; google.protobuf.Any pub_key = 2; uint64 account_number = 3; uint64 sequence = 4; }
message QueryAccountRequest { string address = 1; }
message QueryAccountResponse { google.protobuf.Any account = 1; }
"""
