//! What this process has used so far, from `/proc/self` (Linux; zeros elsewhere).

use serde::Serialize;

/// CPU time and memory of this process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Resources {
    /// User and system time, in seconds.
    pub cpu_seconds: f64,
    /// Largest resident memory, in bytes.
    pub peak_rss_bytes: u64,
}

impl Resources {
    /// The figures now.
    #[must_use]
    pub fn now() -> Self {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
        Self {
            cpu_seconds: cpu_seconds(&stat).unwrap_or_default(),
            peak_rss_bytes: peak(&status).unwrap_or_default(),
        }
    }
}

/// Fields 14 and 15 of `stat` (proc(5)), in ticks of 1/100 s (`USER_HZ` is 100 on every Linux).
fn cpu_seconds(stat: &str) -> Option<f64> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let user: f64 = fields.next()?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    Some((user + system) / 100.0)
}

/// `VmHWM` of `status`, in kB.
fn peak(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kilobytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proc_lines_are_read() {
        assert_eq!(
            cpu_seconds("1 (a b) c) S 1 2 3 4 5 6 7 8 9 10 150 50 0"),
            Some(2.0)
        );
        assert_eq!(peak("Name:\tx\nVmHWM:\t   12 kB\n"), Some(12288));
        assert!(Resources::now().peak_rss_bytes > 0);
    }
}
