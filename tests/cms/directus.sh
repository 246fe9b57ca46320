#!/usr/bin/env bash
# Directus 12.x + SQLite on loopback.
# usage: directus.sh deps | there | up DATA_DIR PORT | down DATA_DIR | reset DATA_DIR
# env:   SANGTRANG_DIRECTUS=DIR: where `deps` installs Node 22 and Directus (about 920 MB), once for all runs
#        RATE_LIMITER_ENABLED RATE_LIMITER_POINTS PRESSURE_LIMITER_ENABLED MAX_PAYLOAD_SIZE: what a server started by `up` is to have
#        CMS_UNTIL=PID: ends and removes itself when that process does
set -euo pipefail
cmd=${1:?deps|there|up|wipe|down|reset}
# 12.4.1 cannot be installed: it wants a package that is not published.
VERSION=12.4.0
A=$(realpath -m "${SANGTRANG_DIRECTUS:-${XDG_CACHE_HOME:-$HOME/.cache}/sangtrang/directus-$VERSION}")
TOKEN=static-admin-token-0001
alive() { [ -s "$1" ] && kill -0 "$(cat "$1" 2>/dev/null)" 2>/dev/null; }
down() {
  local p=$1/directus.pid
  if alive "$p"; then kill "$(cat "$p")" 2>/dev/null || true; for _ in $(seq 100); do alive "$p" || break; sleep .1; done; fi
  if alive "$p"; then kill -9 "$(cat "$p")" 2>/dev/null || true; fi
  rm -f "$p"
}
case $cmd in
  there) [ -f "$A/complete" ]; exit;;
  deps)
    [ -f "$A/complete" ] && exit 0
    command -v npm >/dev/null || { echo "there is no npm" >&2; exit 1; }
    mkdir -p "$A/node22" "$A/directus"
    install() {
      (cd "$A/node22" && echo '{"private":true}' >package.json && npm install node@22 --no-audit --no-fund --loglevel=error) || return 1
      # Modules written in C++ are built for that Node, not for the one that npm runs on: it ships its own headers.
      (cd "$A/directus" && echo '{"private":true}' >package.json && PATH="$A/node22/node_modules/.bin:$PATH" \
        npm_config_nodedir="$(ls -d "$A"/node22/node_modules/node/node_modules/node-linux-* | head -1)" \
        npm install "directus@$VERSION" --no-audit --no-fund --loglevel=error) || return 1
    }
    # A busy machine or registry lets the first try fail half way.
    install || { rm -rf "$A/node22" "$A/directus"; mkdir -p "$A/node22" "$A/directus"; install; }
    PATH="$A/node22/node_modules/.bin:$PATH" node -e 'process.exit(process.version.startsWith("v22.") ? 0 : 1)'
    [ -f "$A/directus/node_modules/.bin/directus" ]
    touch "$A/complete"
    exit 0;;
esac
D=$(realpath -m "${2:?data dir}")
case $cmd in
  down) down "$D"; exit 0;;
  reset) down "$D"; rm -rf "$D"; exit 0;;
  up) ;;
  *) echo "unknown $cmd" >&2; exit 2;;
esac
PORT=${3:?port}
[ -f "$A/complete" ] || { echo "there is no Directus in $A: \`tests/cms/directus.sh deps\` installs it" >&2; exit 1; }
export PATH="$A/node22/node_modules/.bin:$PATH"
mkdir -p "$D/uploads" "$D/extensions"; cd "$D"
hex() { od -An -tx1 -N"$1" /dev/urandom | tr -d ' \n'; }
cat > .env <<C
HOST=127.0.0.1
PORT=$PORT
PUBLIC_URL=http://127.0.0.1:$PORT
KEY=$(hex 16)
SECRET=$(hex 32)
DB_CLIENT=sqlite3
DB_FILENAME=$D/data.db
STORAGE_LOCATIONS=local
STORAGE_LOCAL_ROOT=$D/uploads
EXTENSIONS_PATH=$D/extensions
ADMIN_EMAIL=admin@example.com
ADMIN_PASSWORD=admin-pass-1
ADMIN_TOKEN=$TOKEN
TELEMETRY=false
WEBSOCKETS_ENABLED=false
CACHE_ENABLED=false
RATE_LIMITER_ENABLED=${RATE_LIMITER_ENABLED:-false}
RATE_LIMITER_POINTS=${RATE_LIMITER_POINTS:-50}
RATE_LIMITER_DURATION=1
PRESSURE_LIMITER_ENABLED=${PRESSURE_LIMITER_ENABLED:-false}
MAX_PAYLOAD_SIZE=${MAX_PAYLOAD_SIZE:-1mb}
LOG_LEVEL=warn
C
if ! alive directus.pid; then
  # An empty project is made once, and copied from then on.
  [ -f data.db ] || cp "$A/empty.db" data.db 2>/dev/null || {
    node "$A/directus/node_modules/.bin/directus" bootstrap > bootstrap.log 2>&1 || { tail -5 bootstrap.log >&2; rm -f data.db; exit 1; }
    cp data.db "$A/empty.db.$$" && mv "$A/empty.db.$$" "$A/empty.db"
  }
  node "$A/directus/node_modules/.bin/directus" start > directus.log 2>&1 </dev/null & echo $! > directus.pid; disown
fi
for _ in $(seq 900); do
  code=$(curl -s -o /dev/null -w '%{http_code}' -H "Authorization: Bearer $TOKEN" "http://127.0.0.1:$PORT/users/me" || true)
  [ "$code" = 200 ] && break
  alive directus.pid || { tail -5 directus.log >&2; exit 1; }
  sleep .1
done
[ "$code" = 200 ] || { echo "not ready: HTTP $code" >&2; tail -5 directus.log >&2; exit 1; }
printf 'CMS_BASE=http://127.0.0.1:%s\nCMS_SECRET=%s\n' "$PORT" "$TOKEN" | tee credentials.env
if [ -n "${CMS_UNTIL:-}" ]; then
  HERE=$(realpath "$OLDPWD/${BASH_SOURCE[0]}" 2>/dev/null || realpath "${BASH_SOURCE[0]}")
  setsid bash -c 'while kill -0 "$1" 2>/dev/null; do sleep 1; done; "$2" reset "$3"' _ "$CMS_UNTIL" "$HERE" "$D" >/dev/null 2>&1 </dev/null &
fi
