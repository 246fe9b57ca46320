//! `sync`: the new CMS follows the old portal.

mod follow;
mod life;
mod portal;
mod safety;
mod truth;
