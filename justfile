# `just` alone lists what there is to do.
set shell := ["bash", "-euo", "pipefail", "-c"]

[private]
default:
    @just --list

# install what a fresh machine lacks for benches and lints (Rust and a C compiler are enough for run and test)
[group('work')]
bootstrap:
    cargo fetch --locked
    command -v cargo-deny >/dev/null || cargo install --locked cargo-deny
    command -v warcio >/dev/null || pip install --quiet warcio

# the main job against the bundled portal
[group('work')]
run *ARGS:
    cargo run --locked --release -- demo {{ARGS}}

# the bundled portal in a WordPress that this starts (`demo-wordpress down` ends it)
[group('work')]
demo-wordpress *ARGS:
    tests/cms/demo-wordpress.sh {{ARGS}}

# all tests
[group('work')]
test *ARGS:
    cargo test --locked {{ARGS}}

# the reliability drills at length (docs/reliability.md); SANGTRANG_TRIALS and SANGTRANG_SEED as you like
[group('measure')]
drills *ARGS:
    SANGTRANG_TRIALS="${SANGTRANG_TRIALS:-200}" cargo test --locked --release --test drills -- --nocapture {{ARGS}}

# formatting, lints, dependencies
[group('gate')]
lint:
    cargo fmt --check
    cargo clippy --locked --all-targets -- -D warnings
    if command -v cargo-deny >/dev/null; then cargo deny check bans licenses sources; else echo "cargo-deny is not installed: skipped"; fi

# delivery into every CMS that can be installed here, Strapi too
[group('gate')]
test-cms *ARGS:
    tests/cms/wordpress.sh deps
    tests/cms/directus.sh deps
    tests/cms/wagtail.sh deps target/cms/wagtail
    tests/cms/strapi.sh deps target/cms/strapi
    SANGTRANG_CMS=all cargo test --locked --test it -- deliver directus wordpress http_json export retire reached redirects shown --nocapture {{ARGS}}

# crawl, archive and extract the bundled portal (`bench [ARTICLES…]`), a load site beside peers (`bench crawl [PAGES]`), a queue of a million (`bench queue [URLS]`), read legacy encodings (`bench decode`), deliver into WordPress and Directus (`bench deliver [ARTICLES [ROUNDS]]`), measure our memory with a large portal (`bench deliver memory [DOCUMENTS]`), score extraction without a mapping (`bench extract`; `SANGTRANG_EXTRACTION` names the sets; `bench extract skins|growth|deep`), a sync without news beside the first one (`bench sync [ARTICLES]`), the memory of its daemon (`bench sync daemon [SYNCS]`), compare two folders of documents (`bench diff [DOCUMENTS]`), or hold visible text against Chromium's (`bench fidelity [PAGES]`)
[group('measure')]
bench *ARGS:
    case "{{ARGS}}" in crawl*) set -- {{ARGS}}; cargo bench --locked --bench crawl -- "${@:2}" ;; queue*) set -- {{ARGS}}; cargo bench --locked --bench queue -- "${@:2}" ;; decode*) cargo bench --locked --bench decode ;; deliver*) set -- {{ARGS}}; cargo bench --locked --bench deliver -- "${@:2}" ;; extract*) set -- {{ARGS}}; cargo bench --locked --bench extract -- "${@:2}" ;; sync*) set -- {{ARGS}}; cargo bench --locked --bench sync -- "${@:2}" ;; diff*) set -- {{ARGS}}; cargo bench --locked --bench diff -- "${@:2}" ;; fidelity*) set -- {{ARGS}}; cargo bench --locked --profile dev --bench fidelity -- "${@:2}" ;; *) cargo bench --locked --bench pipeline -- {{ARGS}} ;; esac

# API documentation
[group('work')]
docs:
    RUSTDOCFLAGS="-D warnings -A rustdoc::private_intra_doc_links" cargo doc --locked --no-deps

# what CI runs
[group('gate')]
ci:
    .ci/run

# bytes to text, and pages to content, under random input; needs a nightly compiler and cargo-fuzz
[group('measure')]
fuzz SECONDS="600":
    mkdir -p fuzz/corpus/decode
    cargo +nightly fuzz run decode fuzz/corpus/decode fuzz/seeds/decode -- -max_total_time={{SECONDS}} -max_len=4096 -timeout=10 -rss_limit_mb=1024
    mkdir -p fuzz/corpus/content
    cargo +nightly fuzz run content fuzz/corpus/content fuzz/seeds/content -- -max_total_time={{SECONDS}} -max_len=8192 -timeout=10 -rss_limit_mb=1024
