//! What benches read of the machine.

/// User and system seconds of this process, or of its children that have ended (`/proc/self/stat`, ticks of 1/100 s).
pub fn cpu(of_children: bool) -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("/proc");
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .expect("fields")
        .split_whitespace()
        .collect();
    let field = |at: usize| fields[at].parse::<f64>().expect("ticks");
    let first = if of_children { 13 } else { 11 };
    (field(first) + field(first + 1)) / 100.0
}
