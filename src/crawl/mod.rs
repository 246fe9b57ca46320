//! url -> capture: run loop, frontier, politeness, robots, sitemap, discovery, pagers, fetch, verdict.
