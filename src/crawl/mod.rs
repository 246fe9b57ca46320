//! url -> capture: run loop, frontier, politeness, robots, sitemap, discovery, pagers, fetch, verdict.

pub mod frontier;
pub mod politeness;
pub mod robots;
