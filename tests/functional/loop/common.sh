# Sourced by the tests of the whole loop: a store, a model root and a server of their own, all in one temp folder.
set -euo pipefail
cd "$REBOUND_SOURCE"
bin=$REBOUND_BIN
work=$(mktemp -d)
models=$work/models
server=
cleanup() {
  local code=$?
  trap - EXIT
  [ -z "$server" ] || kill -9 "$server" 2>/dev/null || true
  tools/postgres destroy "$work/postgres" >/dev/null 2>&1 || true
  if [ "$code" != 0 ]; then
    for log in "$work"/*.log; do [ ! -f "$log" ] || { echo "--- $log"; tail -n 20 "$log"; }; done
  fi
  rm -rf "$work"
  exit "$code"
}
trap cleanup EXIT

fail() { echo "FAILED: $*"; exit 1; }

start_store() { # texts
  uri=$(tools/postgres start "$work/postgres" 2>>"$work/postgres.log")
  "$bin/rebound-labels" migrate --store "$uri" >>"$work/labels.log" 2>&1
  "$bin/rebound-labels" seed --store "$uri" --expand "$1" >>"$work/labels.log" 2>&1
}

train() { # options; small and quick, promoted whatever it measures; always trains on
  "$bin/rebound-train" --store "$uri" --models "$models" --epochs 1 --promote always "$@" >>"$work/train.log" 2>&1
}

start_server() { # options
  "$bin/rebound-serve" --listen 127.0.0.1:0 --models "$models" "$@" >"$work/serve.out" 2>>"$work/serve.log" &
  server=$!
  local i
  for i in $(seq 300); do
    address=$(sed -n 's/^listening on //p' "$work/serve.out" 2>/dev/null || true)
    [ -z "$address" ] || break
    kill -0 "$server" 2>/dev/null || fail "the server did not start"
    sleep 0.05
  done
  [ -n "$address" ] || fail "the server did not say where it listens"
}

await() { # seconds, what, command...
  local until=$((SECONDS + $1)) what=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$until" ] || fail "waited in vain: $what"
    sleep 0.05
  done
}

served_version() { # task
  curl -fsS "http://$address/v3/models" | tr -d ' \n' | grep -o "\"task\":\"$1\"[^}]*" | grep -o '"version":[0-9]*' | grep -o '[0-9]*'
}
serves() { [ "$(served_version "$1")" = "$2" ]; }
ready() { curl -fsS "http://$address/readyz"; }
