#!/usr/bin/env bash
# The first node of a simulated network, as operators of the peer write it: under the peer's
# names for everything. Run it again after anything, a kill -9 included: it goes on where it was.
#
#   INTEL_URL   simulated attestation service (`enigmad ias serve`), at http://127.0.0.1:8090
#   CHAIN_ID    enigma-testnet
#   RPC_LADDR   tcp://127.0.0.1:26657
#   P2P_LADDR   tcp://127.0.0.1:26656, for ENGINE=cometbft
#   ENGINE      embedded, or cometbft for nodes that connect by P2P
set -euo pipefail

export ENIGMA_HOME=${ENIGMA_HOME:-$HOME/.enigmad}
export ENIGMA_ATTESTATION_IAS_URL=${INTEL_URL:-http://127.0.0.1:8090}
CHAIN_ID=${CHAIN_ID:-enigma-testnet}
RPC_LADDR=${RPC_LADDR:-tcp://127.0.0.1:26657}
P2P_LADDR=${P2P_LADDR:-tcp://127.0.0.1:26656}
ENGINE=${ENGINE:-embedded}

enigmad config chain-id "$CHAIN_ID"
enigmad config keyring-backend test

# config.toml is what init writes last
if [ ! -e "$ENIGMA_HOME/config.toml" ]; then
  enigmad init "${MONIKER:-bootstrap}" --chain-id "$CHAIN_ID" --simulated
fi

enigmad keys show -a a 2>/dev/null || enigmad keys add a
enigmad add-genesis-account "$(enigmad keys show -a a)" 1000000000000uscrt

enigmad init-bootstrap
enigmad validate-genesis

exec enigmad start --bootstrap --engine "$ENGINE" --rpc.laddr "$RPC_LADDR" --p2p.laddr "$P2P_LADDR"
