#!/usr/bin/env bash
# WordPress (Debian's package) with a MariaDB, php-fpm and nginx of its own, on loopback, installed without a browser.
# usage: wordpress.sh deps | up DATA_DIR PORT | wipe DATA_DIR (all content) | down DATA_DIR | reset DATA_DIR
# env:   WP_WORKERS=8 (PHP processes)  WP_SRC=/usr/share/wordpress (any unpacked WordPress tree)
#        WP_UNTIL=PID: ends and removes itself when that process does
# DATA_DIR must be where the web server's user may read.
set -euo pipefail
cmd=${1:?deps|up|wipe|down|reset}
if [ "$cmd" = deps ]; then
  export DEBIAN_FRONTEND=noninteractive
  root=(); [ "$(id -u)" = 0 ] || root=(sudo -n --preserve-env=DEBIAN_FRONTEND)
  install() {
    "${root[@]}" apt-get install -y -qq --no-install-recommends wordpress wordpress-theme-twentytwentythree nginx-light php-fpm php-cli php-mysql php-gd php-xml \
      php-mbstring php-curl php-zip mariadb-server-core mariadb-client-core >/dev/null
  }
  # A busy machine lets the first try fail half way.
  install || { "${root[@]}" apt-get -f install -y -qq >/dev/null; install; }
  exit 0
fi
D=$(realpath -m "${2:?data dir}")
WORKERS=${WP_WORKERS:-8}
SOCK=$D/run/mysqld.sock
alive() { [ -s "$1" ] && kill -0 "$(cat "$1" 2>/dev/null)" 2>/dev/null; }
stop_pid() { if alive "$1"; then kill "$(cat "$1")" 2>/dev/null || true; for _ in $(seq 100); do alive "$1" || break; sleep .1; done; fi; rm -f "$1"; }
down() { for p in nginx fpm mysqld; do stop_pid "$D/run/$p.pid"; done; }
case $cmd in
  down) down; exit 0;;
  reset) down; rm -rf "$D"; exit 0;;
  wipe) mariadb --no-defaults -uroot -S "$SOCK" wp -e "TRUNCATE wp_posts; TRUNCATE wp_postmeta; TRUNCATE wp_term_relationships;
      DELETE FROM wp_term_taxonomy WHERE term_id > 1; DELETE FROM wp_terms WHERE term_id > 1; DELETE FROM wp_options WHERE option_name LIKE '%\_transient\_%';
      UPDATE wp_term_taxonomy SET count = 0"
    rm -rf "$D/www/wp-content/uploads/"* "$D/www/wp-content/mu-plugins/"*; exit 0;;
  up) ;;
  *) echo "unknown $cmd" >&2; exit 2;;
esac
PORT=${3:?port}
mkdir -p "$D"/{run,log,tmp}
SELF_USER=$(id -un); [ "$(id -u)" = 0 ] && WWW=www-data || WWW=$SELF_USER
WP_SRC=${WP_SRC:-/usr/share/wordpress}
# 1. database
if [ ! -d "$D/mysql/mysql" ]; then
  mariadb-install-db --no-defaults --datadir="$D/mysql" --auth-root-authentication-method=normal --skip-test-db --user="$SELF_USER" >"$D/log/install-db.log" 2>&1
fi
if ! alive "$D/run/mysqld.pid"; then
  mariadbd --no-defaults --user="$SELF_USER" --datadir="$D/mysql" --socket="$SOCK" --skip-networking --pid-file="$D/run/mysqld.pid" \
    --innodb-buffer-pool-size=128M --innodb-flush-log-at-trx-commit="${WP_TRX:-1}" --character-set-server=utf8mb4 --collation-server=utf8mb4_unicode_ci \
    --max-allowed-packet=64M --log-error="$D/log/mysqld.log" >/dev/null 2>&1 </dev/null & disown
  for _ in $(seq 300); do mariadb-admin --no-defaults -uroot -S "$SOCK" ping >/dev/null 2>&1 && break; sleep .1; done
fi
chmod 755 "$D" "$D/run"; chmod 777 "$SOCK"
mariadb --no-defaults -uroot -S "$SOCK" -e "CREATE DATABASE IF NOT EXISTS wp CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci; CREATE USER IF NOT EXISTS wp@localhost IDENTIFIED BY 'wp'; GRANT ALL ON wp.* TO wp@localhost;"
# 2. files: a private, dereferenced copy of the package's tree (the packaged tree reads /etc/wordpress/config-HOST.php)
if [ ! -f "$D/www/wp-load.php" ]; then
  mkdir -p "$D/www"; cp -aL "$WP_SRC/." "$D/www/" 2>/dev/null || true
  rm -f "$D/www/wp-config.php"; rm -rf "$D/www/wp-content/uploads"; mkdir -p "$D/www/wp-content/"{uploads,mu-plugins}
fi
salt() { head -c 48 /dev/urandom | base64 | tr -d '\n'; }
if [ ! -f "$D/www/wp-config.php" ]; then
  { echo "<?php"
    echo "define('DB_NAME','wp');define('DB_USER','wp');define('DB_PASSWORD','wp');define('DB_HOST','localhost:$SOCK');"
    echo "define('DB_CHARSET','utf8mb4');define('DB_COLLATE','');\$table_prefix='wp_';"
    for k in AUTH_KEY SECURE_AUTH_KEY LOGGED_IN_KEY NONCE_KEY AUTH_SALT SECURE_AUTH_SALT LOGGED_IN_SALT NONCE_SALT; do echo "define('$k','$(salt)');"; done
    echo "define('WP_ENVIRONMENT_TYPE','local');   // application passwords over plain http"
    echo "define('WP_HTTP_BLOCK_EXTERNAL',true);define('AUTOMATIC_UPDATER_DISABLED',true);define('DISABLE_WP_CRON',true);"
    echo "define('FS_METHOD','direct');define('WP_DEBUG',true);define('WP_DEBUG_DISPLAY',false);define('WP_DEBUG_LOG','$D/log/php.log');"
    echo "define('WP_HOME','http://127.0.0.1:$PORT');define('WP_SITEURL','http://127.0.0.1:$PORT');"
    echo "if(!defined('ABSPATH'))define('ABSPATH',__DIR__.'/');require_once ABSPATH.'wp-settings.php';"
  } > "$D/www/wp-config.php"
else sed -i -E "s#127\.0\.0\.1:[0-9]+#127.0.0.1:$PORT#g" "$D/www/wp-config.php"; fi
# 3. headless install, idempotent; application password made once
cat > "$D/install.php" <<'PHP'
<?php
define('WP_INSTALLING', !isset($argv[2]));
$_SERVER['HTTP_HOST'] = '127.0.0.1:'.$argv[1]; $_SERVER['REQUEST_METHOD']='GET'; $_SERVER['REQUEST_URI']='/';
require __DIR__.'/www/wp-load.php'; require_once ABSPATH.'wp-admin/includes/upgrade.php';
if (!isset($argv[2])) {
  if (!is_blog_installed()) { wp_install('Cuc Thong ke', 'admin', 'admin@example.org', false, '', wp_generate_password(24), ''); }
  global $wp_rewrite; update_option('permalink_structure','/%postname%/'); update_option('timezone_string','Asia/Ho_Chi_Minh');
  update_option('default_comment_status','closed'); update_option('default_ping_status','closed');
  exit(0);
}
$u = get_user_by('login','admin');
foreach ((array) WP_Application_Passwords::get_user_application_passwords($u->ID) as $p) if ($p['name']==='pipeline') WP_Application_Passwords::delete_application_password($u->ID,$p['uuid']);
list($pw) = WP_Application_Passwords::create_new_application_password($u->ID,['name'=>'pipeline']);
echo $pw;
PHP
php "$D/install.php" "$PORT" > "$D/log/install.log" 2>&1
if [ ! -f "$D/app_password" ]; then php "$D/install.php" "$PORT" app > "$D/app_password.tmp" 2>>"$D/log/install.log"; mv "$D/app_password.tmp" "$D/app_password"; fi
[ "$(id -u)" = 0 ] && chown -R "$WWW" "$D/www/wp-content" "$D/log" "$D/tmp"
# 4. web server
for p in nginx fpm; do stop_pid "$D/run/$p.pid"; done
  cat > "$D/fpm.conf" <<C
[global]
pid=$D/run/fpm.pid
error_log=$D/log/fpm.log
daemonize=yes
[www]
listen=$D/run/fpm.sock
listen.mode=0666
$([ "$(id -u)" = 0 ] && printf 'user=%s\ngroup=%s' "$WWW" "$WWW")
pm=static
pm.max_children=$WORKERS
php_admin_value[upload_max_filesize]=${WP_UPLOAD:-32M}
php_admin_value[post_max_size]=${WP_POST:-32M}
php_admin_value[memory_limit]=256M
php_admin_value[upload_tmp_dir]=$D/tmp
php_admin_value[opcache.enable]=1
C
  "$(ls /usr/sbin/php-fpm* | head -1)" -y "$D/fpm.conf"
  cat > "$D/nginx.conf" <<C
daemon on; pid $D/run/nginx.pid; error_log $D/log/nginx-error.log; worker_processes 2; $([ "$(id -u)" = 0 ] && echo "user $WWW;")
events { worker_connections 256; }
http { include /etc/nginx/mime.types; access_log $D/log/access.log; client_max_body_size ${WP_UPLOAD:-32M}; client_body_temp_path $D/tmp/cb; fastcgi_temp_path $D/tmp/fc; proxy_temp_path $D/tmp/px; uwsgi_temp_path $D/tmp/uw; scgi_temp_path $D/tmp/sc;
 server { listen 127.0.0.1:$PORT; root $D/www; index index.php;
  location / { try_files \$uri \$uri/ /index.php?\$args; }
  location ~ \.php\$ { try_files \$uri /index.php?\$args; include /etc/nginx/fastcgi.conf; fastcgi_param HTTP_AUTHORIZATION \$http_authorization; fastcgi_pass unix:$D/run/fpm.sock; } } }
C
  nginx -c "$D/nginx.conf" 2>>"$D/log/nginx-error.log"
AUTH="admin:$(tr -d ' ' < "$D/app_password")"
for _ in $(seq 200); do code=$(curl -s -o /dev/null -w '%{http_code}' -u "$AUTH" "http://127.0.0.1:$PORT/wp-json/wp/v2/users/me" || true); [ "$code" = 200 ] && break; sleep .1; done
[ "$code" = 200 ] || { echo "not ready: HTTP $code" >&2; exit 1; }
cat > "$D/credentials.env" <<C
CMS_BASE=http://127.0.0.1:$PORT
CMS_USER=admin
CMS_SECRET=$(tr -d ' ' < "$D/app_password")
C
cat "$D/credentials.env"
if [ -n "${WP_UNTIL:-}" ]; then
  HERE=$(realpath "${BASH_SOURCE[0]}")
  setsid bash -c 'while kill -0 "$1" 2>/dev/null; do sleep 1; done; "$2" reset "$3"' _ "$WP_UNTIL" "$HERE" "$D" >/dev/null 2>&1 </dev/null &
fi
