//! `sync`: the new CMS follows the old portal.

mod daemon;
mod ending;
mod follow;
mod gates;
mod house;
mod kill;
mod life;
mod lives;
mod mail;
mod portal;
mod quiet;
mod safety;
mod telling;
mod truth;
