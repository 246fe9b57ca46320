//! The corridor: the only file that walks through more than one wing.
