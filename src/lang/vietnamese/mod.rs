//! Vietnamese as it was written before Unicode, and the syllables that tell whether it was read right.

mod charset;
#[cfg(test)]
mod generate;
mod mojibake;
pub mod repair;
#[cfg(test)]
mod spelling;
mod syllable;
mod tables;
#[cfg(test)]
mod tests;

pub use charset::{Charset, Met, surface, surface_byte};
pub use repair::Repair;
pub use syllable::{Score, is_syllable, score};
