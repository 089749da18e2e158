#!/usr/bin/env bash
# A smoke test for a CI job: a network on this machine, a newcomer that joins it, and what must
# be refused. Everything is simulated, so any machine will do. Ends with 0 if all is well, else
# with the exit code of the step that failed; takes about half a minute.
#
#   WORK   folder for the network and the logs; a new one by default
#   RPC    where the newcomer answers, 127.0.0.1:36657 by default
set -euo pipefail

WORK=${WORK:-$(mktemp -d)}
mkdir -p "$WORK"
RPC=${RPC:-127.0.0.1:36657}
NETWORK=$WORK/network
NODE=$WORK/newcomer

# member NAME [NAME…]: a member of the JSON document on standard input
member() {
  python3 -c 'import functools, json, sys
print(functools.reduce(lambda value, name: value[name], sys.argv[1:], json.load(sys.stdin)))' "$@"
}

# expect CODE COMMAND…: the exit code tells the cause, so a test can ask for one
expect() {
  local wanted=$1 seen=0
  shift
  "$@" >"$WORK/refused.json" 2>"$WORK/refused.err" || seen=$?
  if [ "$seen" != "$wanted" ]; then
    echo "expected exit code $wanted, seen $seen: $*" >&2
    cat "$WORK/refused.err" >&2
    exit 1
  fi
}

NODE_PID=
end() {
  if [ -n "$NODE_PID" ]; then kill "$NODE_PID" 2>/dev/null || true; fi
  enigmacli localnet down --dir "$NETWORK" >"$WORK/down.log" 2>&1 || true
}
trap end EXIT

echo "1. a network of one node"
enigmacli localnet up -n 1 --dir "$NETWORK" >"$WORK/up.log" 2>&1

echo "2. a newcomer joins: checks, coins, evidence, registration, seed"
enigmacli join --localnet "$NETWORK" --home "$NODE" -y -o json >"$WORK/join.json"

echo "3. and syncs"
enigmacli start --home "$NODE" -o json --rpc-listen "$RPC" >"$WORK/node.log" 2>&1 &
NODE_PID=$!
enigmacli wait --for synced --timeout 60 --home "$NODE" --node "http://$RPC"

echo "4. the chain knows it, which a verified header proves"
node_id=$(enigmacli seed status --home "$NODE" -o json | member node_id)
enigmacli query register node "$node_id" --home "$NODE" -o json >"$WORK/record.json"
[ "$(member node_id <"$WORK/record.json")" = "$node_id" ]
[ "$(member verified height <"$WORK/record.json")" -gt 0 ]

echo "5. evidence: accepted by this network's policy (0), not by the production policy (5)"
evidence=$NODE/attestation_cert.der
enigmacli attest verify "$evidence" --policy "$NODE/config/genesis.json" >"$WORK/verdict.txt"
expect 5 enigmacli attest verify "$evidence" -o json
[ "$(member verdict <"$WORK/refused.json")" = reject ]

echo "6. a node that nobody admitted (7), a home that is not there (3), a wrong word (2)"
expect 7 enigmacli query register seed "$(printf '0%.0s' {1..64})" --home "$NODE" -o json
[ "$(member error code <"$WORK/refused.err")" = not-registered ]
expect 3 enigmacli enclave keygen --home "$WORK/nowhere"
expect 2 enigmacli frobnicate

echo "all is well: node $node_id"
