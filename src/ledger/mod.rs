//! The memory: urls, captures, documents, runs. The only SQL.
