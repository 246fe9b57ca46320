//! The story of the product from outside: the real binary against the bundled portal, one file a command.

mod architecture;
mod cli;
mod demo;
mod faults;
mod resume;
mod sources;
mod support;
