//! `sync`: the new CMS follows the old portal.

mod daemon;
mod follow;
mod kill;
mod portal;
mod safety;
mod telling;
