#!/usr/bin/env bash
# Wagtail 8 (v3 API, reading and writing) with SQLite on loopback, served by gunicorn.
# usage: wagtail.sh deps APP_DIR | up APP_DIR DATA_DIR PORT | wipe APP_DIR DATA_DIR (all content) | down DATA_DIR | reset DATA_DIR
# env:   WAGTAIL_PYTHON=python3  WAGTAIL_WORKERS=2
#        WAGTAIL_UNTIL=PID: ends and removes itself when that process does
# APP_DIR holds a venv and the project; DATA_DIR the database, the uploads, the token.
set -euo pipefail
cmd=${1:?deps|up|wipe|down|reset}
WAGTAIL_VERSION=8.0.1 GUNICORN_VERSION=27.0.1
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
alive() { [ -s "$1" ] && kill -0 "$(cat "$1")" 2>/dev/null; }
down() {
  if alive "$1/wagtail.pid"; then
    kill "$(cat "$1/wagtail.pid")"
    for _ in $(seq 100); do alive "$1/wagtail.pid" || break; sleep .1; done
  fi
  rm -f "$1/wagtail.pid"
}
case $cmd in
deps)
  A=$(realpath -m "${2:?APP_DIR}"); mkdir -p "$A"; PY=${WAGTAIL_PYTHON:-python3}
  [ -f "$A/ready" ] && exit 0
  [ -x "$A/venv/bin/gunicorn" ] || {
    "$PY" -m venv "$A/venv"
    "$A/venv/bin/pip" install -q --disable-pip-version-check "wagtail==$WAGTAIL_VERSION" "gunicorn==$GUNICORN_VERSION"
  }
  rm -rf "$A/proj"; mkdir "$A/proj"
  (cd "$A" && venv/bin/wagtail start cms proj >/dev/null)
  cp "$HERE/wagtail-app/models.py" "$A/proj/home/models.py"
  "$PY" "$HERE/wagtail-app/patch.py" "$A/proj"
  # An article is shown as a plain page: what readers see can be looked at.
  mkdir -p "$A/proj/home/templates/home"
  printf '<!doctype html><title>{{ page.title }}</title><h1>{{ page.title }}</h1>{{ page.body_html|safe }}\n' \
    > "$A/proj/home/templates/home/article_page.html"
  (cd "$A/proj" && CMS_DB="$A/none.db" ../venv/bin/python manage.py makemigrations home >/dev/null)
  rm -f "$A/none.db"; touch "$A/ready"
  exit 0 ;;
down) [ -d "$2" ] && down "$(realpath "$2")"; exit 0 ;;
reset) [ -d "$2" ] && down "$(realpath "$2")"; rm -rf "$2"; exit 0 ;;
up | wipe) ;;
*) echo "what is \`$cmd\`?" >&2; exit 2 ;;
esac
A=$(realpath "${2:?APP_DIR}"); D=$(realpath -m "${3:?DATA_DIR}"); mkdir -p "$D/media"
export CMS_DB="$D/db.sqlite3" CMS_MEDIA="$D/media" DJANGO_SETTINGS_MODULE=cms.settings.dev
python() { (cd "$A/proj" && "$A/venv/bin/python" "$@"); }
if [ "$cmd" = wipe ]; then
  # The database as it was before the first delivery. gunicorn's connections end with their requests.
  python - "$CMS_DB" "$D/empty.sqlite3" <<'PY'
import sqlite3, sys
to, frm = sqlite3.connect(sys.argv[1], timeout=20), sqlite3.connect(sys.argv[2])
frm.backup(to)
to.execute("PRAGMA wal_checkpoint(TRUNCATE)")
PY
  rm -rf "$D/media"; mkdir "$D/media"
  exit 0
fi
PORT=${4:?PORT}; export CMS_URL="http://127.0.0.1:$PORT"
if [ ! -s "$D/token" ]; then
  python manage.py migrate > "$D/migrate.log" 2>&1
  python manage.py shell -v 0 -c "
from django.contrib.auth import get_user_model
from wagtail.models import APIToken, Page, Site
U = get_user_model()
u = U.objects.filter(username='admin').first() or U.objects.create_superuser('admin', 'admin@example.org', 'admin-pass-1')
t = APIToken.generate_token()
APIToken.objects.create(user=u, name='sangtrang', key_hash=APIToken.hash_token(t), prefix=t[:12])
Site.objects.update(hostname='127.0.0.1', port=$PORT)
open('$D/home_id', 'w').write(str(Page.objects.filter(depth=2).first().pk))
open('$D/token', 'w').write(t)" > "$D/init.log" 2>&1
  cp "$CMS_DB" "$D/empty.sqlite3"
fi
if ! alive "$D/wagtail.pid"; then
  # Nothing of it may hold our output open: who started us waits for its end.
  setsid "$A/venv/bin/gunicorn" cms.wsgi:application --chdir "$A/proj" -b "127.0.0.1:$PORT" -w "${WAGTAIL_WORKERS:-2}" \
    --timeout 120 --pid "$D/wagtail.pid" > "$D/wagtail.log" 2>&1 </dev/null &
fi
c=000
for _ in $(seq 600); do
  c=$(curl -s -o /dev/null -w '%{http_code}' -H "Authorization: Bearer $(cat "$D/token")" "$CMS_URL/api/v3/whoami/" || true)
  [ "$c" = 200 ] && break
  sleep .1
done
[ "$c" = 200 ] || { echo "not ready: HTTP $c" >&2; tail -n 15 "$D/init.log" "$D/wagtail.log" >&2; exit 1; }
printf 'CMS_BASE=%s\nCMS_SECRET=%s\nCMS_PARENT_ID=%s\n' "$CMS_URL" "$(cat "$D/token")" "$(cat "$D/home_id")" | tee "$D/credentials.env"
if [ -n "${WAGTAIL_UNTIL:-}" ]; then
  ME=$(realpath "${BASH_SOURCE[0]}")
  setsid bash -c 'while kill -0 "$1" 2>/dev/null; do sleep 1; done; "$2" reset "$3"' _ "$WAGTAIL_UNTIL" "$ME" "$D" >/dev/null 2>&1 </dev/null &
fi
