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

# all tests
[group('work')]
test *ARGS:
    cargo test --locked {{ARGS}}

# formatting, lints, dependencies
[group('gate')]
lint:
    cargo fmt --check
    cargo clippy --locked --all-targets -- -D warnings
    if command -v cargo-deny >/dev/null; then cargo deny check bans licenses sources; else echo "cargo-deny is not installed: skipped"; fi

# crawl, archive and extract the bundled portal; ratios to a bare loop and a bare parse
[group('measure')]
bench *ARGS:
    cargo bench --locked --bench pipeline -- {{ARGS}}

# API documentation
[group('work')]
docs:
    RUSTDOCFLAGS="-D warnings -A rustdoc::private_intra_doc_links" cargo doc --locked --no-deps

# what CI runs
[group('gate')]
ci:
    .ci/run
