//! `sync`: the new CMS follows the old portal.

mod follow;
mod life;
mod lives;
mod portal;
mod safety;
mod truth;
