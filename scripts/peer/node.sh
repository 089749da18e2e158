#!/usr/bin/env bash
# A node that joins, as operators of the peer write it: under the peer's names for everything.
# Run it again after anything, a kill -9 included: it goes on where it was.
#
#   BOOTSTRAP_RPC     a node of the network, at http://127.0.0.1:26657
#   GENESIS_HASH      SHA-256 of the genesis document, where that node is another machine
#   INTEL_URL         attestation service, at http://127.0.0.1:8090
#   CHAIN_ID          enigma-testnet
#   RPC_LADDR         tcp://127.0.0.1:36657
#   P2P_LADDR         tcp://127.0.0.1:36656
#   PERSISTENT_PEERS  ID@HOST:PORT of a node to connect with by P2P, on CometBFT; without it
#                     the node follows BOOTSTRAP_RPC
set -euo pipefail

export ENIGMA_HOME=${ENIGMA_HOME:-$HOME/.enigmad}
export ENIGMA_ATTESTATION_IAS_URL=${INTEL_URL:-http://127.0.0.1:8090}
BOOTSTRAP_RPC=${BOOTSTRAP_RPC:-http://127.0.0.1:26657}
CHAIN_ID=${CHAIN_ID:-enigma-testnet}
RPC_LADDR=${RPC_LADDR:-tcp://127.0.0.1:36657}
P2P_LADDR=${P2P_LADDR:-tcp://127.0.0.1:36656}

enigmad config node "$BOOTSTRAP_RPC"
enigmad config chain-id "$CHAIN_ID"
enigmad config keyring-backend test

# config.toml is what init writes last; the policy in genesis is bound into the enclave's key,
# so the document comes before the key
until [ -e "$ENIGMA_HOME/config.toml" ] ||
  enigmad init "${MONIKER:-node}" --chain-id "$CHAIN_ID" --genesis "$BOOTSTRAP_RPC" \
    ${GENESIS_HASH:+--genesis-hash "$GENESIS_HASH"}; do
  [ $? = 4 ] || exit 1 # 4: the node does not answer, so it may later
  sleep 1
done

enigmad keys show -a a 2>/dev/null || enigmad keys add a
ADDRESS=$(enigmad keys show -a a)
until BALANCE=$(enigmad q balance "$ADDRESS" 2>/dev/null) && [ "$BALANCE" != 0uscrt ]; do
  echo "waiting for coins: $ADDRESS has none"
  sleep 1
done

enigmad init-enclave

PUBLIC_KEY=$(enigmad parse attestation_cert.der | cut -c 3-)
echo "public key: $PUBLIC_KEY"

enigmad tx register auth attestation_cert.der -y --from a

SEED=$(enigmad q register seed "$PUBLIC_KEY" | cut -c 3-)
enigmad q register secret-network-params
enigmad configure-secret node-master-key.txt "$SEED"

enigmad validate-genesis

if [ -n "${PERSISTENT_PEERS:-}" ]; then
  set -- --engine cometbft --p2p.persistent_peers "$PERSISTENT_PEERS"
else
  set -- --follow "$BOOTSTRAP_RPC"
fi
exec enigmad start "$@" --rpc.laddr "$RPC_LADDR" --p2p.laddr "$P2P_LADDR"
