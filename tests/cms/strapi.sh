#!/usr/bin/env bash
# Strapi 5 with SQLite on loopback, without its admin panel.
# usage: strapi.sh deps APP_DIR | up APP_DIR DATA_DIR PORT | wipe DATA_DIR (all content) | down DATA_DIR | reset DATA_DIR
# env:   STRAPI_UNTIL=PID: ends and removes itself when that process does
# APP_DIR holds node_modules and the project; DATA_DIR the database, the uploads, the token.
set -euo pipefail
cmd=${1:?deps|up|wipe|down|reset}
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
alive() { [ -s "$1" ] && kill -0 "$(cat "$1")" 2>/dev/null; }
down() {
  if alive "$1/strapi.pid"; then
    kill "$(cat "$1/strapi.pid")"
    for _ in $(seq 100); do alive "$1/strapi.pid" || break; sleep .1; done
    alive "$1/strapi.pid" && kill -9 "$(cat "$1/strapi.pid")"
  fi
  rm -f "$1/strapi.pid"
}
start() {
  local D=$1
  # shellcheck disable=SC1091
  . "$D/env"
  export PORT SECRET DATABASE="$D/data.db" TOKEN_FILE="$D/token" NODE_ENV=production STRAPI_TELEMETRY_DISABLED=true
  [ -d "$D/app" ] || { mkdir "$D/app"; cp -r "$APP/config" "$APP/src" "$APP/package.json" "$D/app/"; ln -s "$APP/node_modules" "$D/app/node_modules"; mkdir -p "$D/app/public/uploads" "$D/app/database/migrations"; }
  (cd "$D/app" && exec setsid node node_modules/@strapi/strapi/bin/strapi.js start > "$D/strapi.log" 2>&1 </dev/null & echo $! > "$D/strapi.pid")
  local c=000
  for _ in $(seq 900); do
    [ -s "$D/token" ] && c=$(curl -s -o /dev/null -w '%{http_code}' -H "Authorization: Bearer $(cat "$D/token")" "http://127.0.0.1:$PORT/api/articles" || true)
    [ "$c" = 200 ] && break
    alive "$D/strapi.pid" || break
    sleep .1
  done
  [ "$c" = 200 ] || { echo "not ready: HTTP $c" >&2; tail -n 15 "$D/strapi.log" >&2; exit 1; }
}
case $cmd in
deps)
  A=$(realpath -m "${2:?APP_DIR}"); mkdir -p "$A"
  cp -r "$HERE/strapi-app/." "$A/"
  [ -d "$A/node_modules/@strapi/strapi" ] || (cd "$A" && npm install --no-audit --no-fund)
  # Newer versions of npm run no install scripts unasked; this one makes the database's native part.
  ls "$A"/node_modules/better-sqlite3/build/Release/better_sqlite3.node >/dev/null 2>&1 || (cd "$A" && npm rebuild better-sqlite3)
  exit 0 ;;
up) ;;
wipe) ;;
down) [ -d "$2" ] && down "$(realpath "$2")"; exit 0 ;;
reset) [ -d "$2" ] && down "$(realpath "$2")"; rm -rf "$2"; exit 0 ;;
*) echo "what is \`$cmd\`?" >&2; exit 2 ;;
esac
if [ "$cmd" = wipe ]; then
  # Node keeps its database open: it is started again on an empty one.
  D=$(realpath "${2:?DATA_DIR}"); APP=$(cat "$D/app-dir")
  down "$D"
  rm -rf "$D/data.db"* "$D/app/public/uploads"; mkdir "$D/app/public/uploads"; cp "$D/empty.db" "$D/data.db"
  start "$D"
  exit 0
fi
APP=$(realpath "${2:?APP_DIR}"); D=$(realpath -m "${3:?DATA_DIR}"); PORT=${4:?PORT}; mkdir -p "$D"
echo "$APP" > "$D/app-dir"
[ -f "$D/secret" ] || head -c 24 /dev/urandom | od -An -tx1 | tr -d ' \n' > "$D/secret"
printf 'PORT=%s\nSECRET=%s\n' "$PORT" "$(cat "$D/secret")" > "$D/env"
fresh=$([ -f "$D/empty.db" ] || echo yes)
alive "$D/strapi.pid" || start "$D"
if [ "$fresh" = yes ]; then down "$D"; cp "$D/data.db" "$D/empty.db"; start "$D"; fi
printf 'CMS_BASE=http://127.0.0.1:%s\nCMS_SECRET=%s\n' "$PORT" "$(cat "$D/token")" | tee "$D/credentials.env"
if [ -n "${STRAPI_UNTIL:-}" ]; then
  ME=$(realpath "${BASH_SOURCE[0]}")
  setsid bash -c 'while kill -0 "$1" 2>/dev/null; do sleep 1; done; "$2" reset "$3"' _ "$STRAPI_UNTIL" "$ME" "$D" >/dev/null 2>&1 </dev/null &
fi
