#!/usr/bin/env bash
# The tests: `scripts/test.sh [unit|e2e]`, both by default.
# Unit tests run in an empty network namespace where the system allows one (CI demands it:
# ENIGMA_NETNS_REQUIRED=1), end-to-end tests use loopback only.
set -euo pipefail
cd "$(dirname "$0")/.."
what=${1:-all}
pytest=.venv/bin/pytest

isolated() {
  if unshare --net true 2>/dev/null; then
    unshare --net "$@"
  elif unshare --user --map-current-user --net true 2>/dev/null; then
    unshare --user --map-current-user --net "$@"
  elif [ "${ENIGMA_NETNS_REQUIRED:-0}" = 1 ]; then
    echo "test: no empty network namespace can be made here, and it is required" >&2
    exit 1
  else
    echo "test: no empty network namespace can be made here; unit tests run without one" >&2
    "$@"
  fi
}

if [ "$what" = all ] || [ "$what" = unit ]; then
  isolated "$pytest" -q -m "not e2e" -n auto ${PYTEST_UNIT_ARGS:-}
fi
if [ "$what" = all ] || [ "$what" = e2e ]; then
  # in the order of the files: tests of one file share processes that are slow to start
  "$pytest" -q -m e2e --randomly-dont-reorganize ${PYTEST_E2E_ARGS:-}
fi
