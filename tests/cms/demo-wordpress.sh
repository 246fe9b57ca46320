#!/usr/bin/env bash
# From nothing to the bundled portal in a running WordPress: `just demo-wordpress`, `just demo-wordpress down`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# Where the web server's user may read, whoever runs this.
data=${TMPDIR:-/tmp}/sangtrang-demo-wordpress
cms=tests/cms/wordpress.sh
if [ "${1:-up}" = down ]; then "$cms" reset "$data"; exit 0; fi
[ -f /usr/share/wordpress/wp-load.php ] || "$cms" deps
cargo build --locked --release --quiet
sangtrang=target/release/sangtrang
mapping=mappings/ctk-binhthuan.toml
target=(--target mappings/ctk-binhthuan/wordpress.toml)
"$cms" reset "$data"
rm -rf output/ctk-binhthuan
"$cms" up "$data" 8089 >/dev/null
set -a; . "$data/credentials.env"; set +a
"$sangtrang" demo
"$sangtrang" target setup "$mapping" "${target[@]}" --mu-plugins "$data/www/wp-content/mu-plugins"
"$sangtrang" target check "$mapping" "${target[@]}"
"$sangtrang" plan "$mapping" "${target[@]}" | head -n 3
"$sangtrang" apply output/ctk-binhthuan/plan.json
"$sangtrang" verify "$mapping" "${target[@]}"
"$sangtrang" redirects write "$mapping" "${target[@]}" || [ $? = 4 ]
printf '\nThe portal is at %s/ (`just demo-wordpress down` ends it)\n' "$CMS_BASE"
printf 'An old address that leads there: %s/View.aspx?ItemID=1&CatID=1\n' "$CMS_BASE"
