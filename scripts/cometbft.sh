#!/usr/bin/env bash
# Prints the path of a CometBFT of the 0.38 line for the tests: the one on PATH, or one that
# Go builds once into a cache folder outside of this repository.
set -euo pipefail
version=v0.38.25

is_of_the_line() {
  local told
  told=$("$1" version 2>/dev/null) || return 1
  [[ ${told#v} == 0.38.* ]]
}

if found=$(command -v cometbft) && is_of_the_line "$found"; then
  echo "$found"
  exit
fi
cache=${XDG_CACHE_HOME:-$HOME/.cache}/enigmacli/cometbft-$version
if ! is_of_the_line "$cache/cometbft"; then
  if ! command -v go >/dev/null; then
    echo "cometbft.sh: no CometBFT of the 0.38 line on PATH, and no Go to build one with" >&2
    exit 1
  fi
  mkdir -p "$cache"
  # from the cache folder: no module of any folder above may change what is built
  if ! (cd "$cache" && GOBIN=$cache GOFLAGS=-mod=mod GOWORK=off \
    go install "github.com/cometbft/cometbft/cmd/cometbft@$version") >&2; then
    echo "cometbft.sh: no CometBFT of the 0.38 line on PATH, and Go could not build $version" >&2
    exit 1
  fi
fi
echo "$cache/cometbft"
