//! How we speak HTTP at all: client, TLS provider, address overrides, limits. Imports nothing of ours.
