#!/bin/sh
# The main job for real, on this machine alone: a receiver, a hook, a deployment, how it went.
# It leaves nothing behind: the registry lives in a temporary directory.
set -eu
cd "$(dirname "$0")/.."

say() { printf '\n$ %s\n' "$*"; }
step() { say "$@"; "$@"; }

step cargo build --locked
PATH="${CARGO_TARGET_DIR:-$PWD/target}/debug:$PATH"

scratch=$(mktemp -d)
receiver=
cleanup() {
    [ -z "$receiver" ] || kill "$receiver" 2>/dev/null || true
    rm -rf "$scratch"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
export HOOKS_FILE="$scratch/hooks.json"
# The loopback needs no proxy.
export NO_PROXY=127.0.0.1 no_proxy=127.0.0.1

# A receiver on a free port, which ends after one delivery. Its first line names the address.
say hooks listen --port 0 --count 1 '&'
hooks listen --port 0 --count 1 >"$scratch/received" 2>"$scratch/address" &
receiver=$!
until grep -q '^listening on ' "$scratch/address"; do
    kill -0 "$receiver" 2>/dev/null || { cat "$scratch/address" >&2; exit 1; }
    sleep 0.1
done
cat "$scratch/address"
url=$(sed -n 's/^listening on //p' "$scratch/address")

step hooks add --url "$url/cb" --event PostDeployment

say 'hooks publish PostDeployment < examples/deploy.json'
hooks publish PostDeployment <examples/deploy.json

say '# what the receiver printed'
wait "$receiver"
receiver=
cat "$scratch/received"

step hooks list
