//! How much memory the browser uses: a page that grows without end must not take the machine with it.

/// Most that the processes of one browser may hold together, in bytes. A page of this field needs a third of it.
pub const MAX_RESIDENT: u64 = 2 << 30;
/// Size of a page of memory where the system counts in pages, in bytes; larger ones only make us more patient.
const PAGE: u64 = 4096;

/// Resident memory of a process group, in bytes (memory that several share is counted for each). 0 where there is no
/// `/proc`.
#[must_use]
pub fn resident(group: u32) -> u64 {
    let Ok(processes) = fs_err::read_dir("/proc") else {
        return 0;
    };
    let mut pages = 0u64;
    for process in processes.flatten() {
        if !process
            .file_name()
            .to_str()
            .is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()))
        {
            continue;
        }
        // It may have ended meanwhile.
        let Ok(stat) = fs_err::read_to_string(process.path().join("stat")) else {
            continue;
        };
        pages += of_group(&stat, group).unwrap_or(0);
    }
    pages * PAGE
}

/// The resident pages (field 24 of proc_pid_stat(5)) of a process if its group (field 5) is `group`.
fn of_group(stat: &str, group: u32) -> Option<u64> {
    // The name in field 2 may hold anything, also blanks and brackets.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_ascii_whitespace().collect();
    (fields.get(2)?.parse() == Ok(group)).then(|| fields.get(21)?.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_counts_for_its_own_group() {
        let stat =
            "7 (a) b) S 1 42 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 99 1000 321 18446744073709551615 1 1";
        assert_eq!(of_group(stat, 42), Some(321));
        assert_eq!(of_group(stat, 7), None);
        assert_eq!(of_group("", 7), None);
    }
}
