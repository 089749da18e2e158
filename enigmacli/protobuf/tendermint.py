"""Blocks, votes, keys and proofs (CometBFT v0.38, ``proto/tendermint``), and Google's basics."""

from typing import Final

SCHEMA: Final = """
package google.protobuf
message Timestamp { int64 seconds = 1; int32 nanos = 2; }
message Duration { int64 seconds = 1; int32 nanos = 2; }
message Any { string type_url = 1; bytes value = 2; }
message Empty { }
message BytesValue { bytes value = 1; }
message StringValue { string value = 1; }
message Int64Value { int64 value = 1; }

package tendermint.crypto
message PublicKey { one of sum { bytes ed25519 = 1; bytes secp256k1 = 2; } }
message Proof { int64 total = 1; int64 index = 2; bytes leaf_hash = 3; repeated bytes aunts = 4; }
message ValueOp { bytes key = 1; Proof proof = 2; }
message ProofOp { string type = 1; bytes key = 2; bytes data = 3; }
message ProofOps { repeated ProofOp ops = 1; }

package tendermint.version
message Consensus { uint64 block = 1; uint64 app = 2; }

package tendermint.types
enum BlockIDFlag {
  BLOCK_ID_FLAG_UNKNOWN = 0; BLOCK_ID_FLAG_ABSENT = 1;
  BLOCK_ID_FLAG_COMMIT = 2; BLOCK_ID_FLAG_NIL = 3;
}
enum SignedMsgType {
  SIGNED_MSG_TYPE_UNKNOWN = 0; SIGNED_MSG_TYPE_PREVOTE = 1;
  SIGNED_MSG_TYPE_PRECOMMIT = 2; SIGNED_MSG_TYPE_PROPOSAL = 32;
}
message PartSetHeader { uint32 total = 1; bytes hash = 2; }
message BlockID { bytes hash = 1; PartSetHeader part_set_header = 2; }
message Header {
  tendermint.version.Consensus version = 1; string chain_id = 2; int64 height = 3;
  google.protobuf.Timestamp time = 4; BlockID last_block_id = 5; bytes last_commit_hash = 6;
  bytes data_hash = 7; bytes validators_hash = 8; bytes next_validators_hash = 9;
  bytes consensus_hash = 10; bytes app_hash = 11; bytes last_results_hash = 12;
  bytes evidence_hash = 13; bytes proposer_address = 14;
}
message Data { repeated bytes txs = 1; }
message CommitSig {
  BlockIDFlag block_id_flag = 1; bytes validator_address = 2;
  google.protobuf.Timestamp timestamp = 3; bytes signature = 4;
}
message Commit { int64 height = 1; int32 round = 2; BlockID block_id = 3; repeated CommitSig signatures = 4; }
message Evidence { bytes duplicate_vote_evidence = 1; bytes light_client_attack_evidence = 2; }
message EvidenceList { repeated Evidence evidence = 1; }
message Block { Header header = 1; Data data = 2; EvidenceList evidence = 3; Commit last_commit = 4; }
message CanonicalPartSetHeader { uint32 total = 1; bytes hash = 2; }
message CanonicalBlockID { bytes hash = 1; CanonicalPartSetHeader part_set_header = 2; }
message CanonicalVote {
  SignedMsgType type = 1; sfixed64 height = 2; sfixed64 round = 3; CanonicalBlockID block_id = 4;
  google.protobuf.Timestamp timestamp = 5; string chain_id = 6;
}
message SimpleValidator { tendermint.crypto.PublicKey pub_key = 1; int64 voting_power = 2; }
message BlockParams { int64 max_bytes = 1; int64 max_gas = 2; }
message EvidenceParams {
  int64 max_age_num_blocks = 1; google.protobuf.Duration max_age_duration = 2; int64 max_bytes = 3;
}
message ValidatorParams { repeated string pub_key_types = 1; }
message VersionParams { uint64 app = 1; }
message ABCIParams { int64 vote_extensions_enable_height = 1; }
message ConsensusParams {
  BlockParams block = 1; EvidenceParams evidence = 2; ValidatorParams validator = 3;
  VersionParams version = 4; ABCIParams abci = 5;
}
message HashedParams { int64 block_max_bytes = 1; int64 block_max_gas = 2; }
"""
