"""The registration module's messages, the peer's and our own (protocol.md sections 7 and 9)."""

from typing import Final

SCHEMA: Final = """
package secret.registration.v1beta1
message RaAuthenticate { bytes sender = 1; bytes certificate = 2; string replace_machine_id = 3; }
message RaAuthenticateResponse { string data = 1; string events = 2; }
message MasterKey { bytes bytes = 1; }
message Key { bytes key = 1; }
message QueryEncryptedSeedRequest { bytes pub_key = 1; }
message QueryEncryptedSeedResponse { bytes encrypted_seed = 1; }

package enigma.registration.v1
message ConfirmNode {
  bytes register_tx_hash = 1; bytes node_id = 2; bytes encrypted_seed = 3; uint32 epoch = 4;
  string evidence_kind = 5; bytes measurement = 6; string tcb_status = 7;
}
message NodeRecord {
  bytes evidence_sha256 = 1; bytes encrypted_seed = 2; bytes owner = 3; int64 height = 4;
  string evidence_kind = 5; bytes measurement = 6; string tcb_status = 7; uint32 epoch = 8;
}
message ConfirmNodeResponse { }
message Node { bytes node_id = 1; NodeRecord record = 2; }
message QueryNodeRequest { bytes node_id = 1; }
message QueryNodeResponse { NodeRecord record = 1; }
message QueryNodesRequest { cosmos.base.query.v1beta1.PageRequest pagination = 1; }
message QueryNodesResponse { repeated Node nodes = 1; cosmos.base.query.v1beta1.PageResponse pagination = 2; }

package enigma.validator.v1
message SetValidator { bytes sender = 1; bytes consensus_pubkey = 2; uint64 power = 3; bytes node_id = 4; }
message SetValidatorResponse { }
message ValidatorRecord { bytes consensus_pubkey = 1; uint64 power = 2; bytes operator = 3; bytes node_id = 4; }
message VoteRecord { bytes operator = 1; bytes consensus_pubkey = 2; uint64 power = 3; bytes node_id = 4; int64 height = 5; }
"""
