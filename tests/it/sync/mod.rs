//! `sync`: the new CMS follows the old portal.

mod daemon;
mod ending;
mod follow;
mod house;
mod kill;
mod portal;
mod safety;
mod telling;
