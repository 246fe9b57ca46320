#!/bin/sh
# Installs axe-core, which judges the accessibility of the review's pages, where its test looks for it.
set -eu
cd "$(dirname "$0")/../.."
npm install --prefix target/axe --no-save --no-audit --no-fund --loglevel=error axe-core@4.11.0
echo "target/axe/node_modules/axe-core/axe.min.js"
