//! `sync`: the new CMS follows the old portal.

mod daemon;
mod follow;
mod kill;
mod life;
mod lives;
mod portal;
mod quiet;
mod safety;
mod truth;
