#!/usr/bin/env bash
# Prints the path of a CometBFT for the tests: `scripts/cometbft.sh [VERSION]`. Without a version
# it is one of the 0.38 line, the one on PATH or one that Go builds once into a cache folder
# outside of this repository; with one, such as v0.40.0, it is always built and kept there.
set -euo pipefail
version=${1:-v0.38.25}

is_of_the_line() {
  local told
  told=$("$1" version 2>/dev/null) || return 1
  [[ ${told#v} == 0.38.* ]]
}

if [ $# = 0 ] && found=$(command -v cometbft) && is_of_the_line "$found"; then
  echo "$found"
  exit
fi
cache=${XDG_CACHE_HOME:-$HOME/.cache}/enigmacli/cometbft-$version
if ! "$cache/cometbft" version >/dev/null 2>&1; then
  if ! command -v go >/dev/null; then
    echo "cometbft.sh: no CometBFT $version here, and no Go to build one with" >&2
    exit 1
  fi
  mkdir -p "$cache"
  # from the cache folder: no module of any folder above may change what is built
  if ! (cd "$cache" && GOBIN=$cache GOFLAGS=-mod=mod GOWORK=off \
    go install "github.com/cometbft/cometbft/cmd/cometbft@$version") >&2; then
    echo "cometbft.sh: no CometBFT $version here, and Go could not build it" >&2
    exit 1
  fi
fi
echo "$cache/cometbft"
