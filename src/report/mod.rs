//! The ledger told to people.
