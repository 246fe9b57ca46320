//! `sync`: the new CMS follows the old portal.

mod follow;
mod portal;
mod safety;
