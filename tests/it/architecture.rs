//! ARCHITECTURE.md is a promise: this test reads its tables and holds the code against them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Rows of the table whose header line begins with `header`: first cell's backticked words, second cell's.
fn table(text: &str, header: &str) -> Vec<(Vec<String>, Vec<String>)> {
    let words =
        |cell: &str| -> Vec<String> { cell.split('`').skip(1).step_by(2).map(str::to_owned).collect() };
    let rows: Vec<_> = text
        .lines()
        .skip_while(|l| !l.starts_with(header))
        .skip(2)
        .take_while(|l| l.starts_with('|'))
        .map(|l| {
            let cells: Vec<&str> = l.trim_matches('|').split('|').collect();
            (
                words(cells[0]),
                cells.get(1).map(|c| words(c)).unwrap_or_default(),
            )
        })
        .collect();
    assert!(!rows.is_empty(), "ARCHITECTURE.md has no table `{header}`");
    rows
}

/// Every Rust file below `src`, with the room that it belongs to and its path inside `src`.
fn sources() -> Vec<(String, String, String)> {
    let mut files = Vec::new();
    let mut folders = vec![PathBuf::from(ROOT).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let inside = path
                    .strip_prefix(Path::new(ROOT).join("src"))
                    .unwrap()
                    .to_string_lossy()
                    .into_owned();
                let room = inside
                    .split('/')
                    .next()
                    .unwrap()
                    .trim_end_matches(".rs")
                    .to_owned();
                if room != "lib" && room != "main" {
                    files.push((room, inside, std::fs::read_to_string(&path).unwrap()));
                }
            }
        }
    }
    files.sort();
    // `#[cfg(test)] mod name;` makes a whole file test code, which may use what it likes.
    let tests: BTreeSet<String> = files
        .iter()
        .flat_map(|(_, file, text)| {
            let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
            let lines: Vec<&str> = text.lines().map(str::trim).collect();
            lines
                .windows(2)
                .filter(|pair| pair[0] == "#[cfg(test)]")
                .filter_map(|pair| pair[1].strip_prefix("mod ")?.strip_suffix(';'))
                .map(|name| format!("{folder}/{name}.rs"))
                .collect::<Vec<_>>()
        })
        .collect();
    files.retain(|(_, file, _)| !tests.contains(file));
    files
}

/// Lines of code with their numbers: comments and everything from the first `#[cfg(test)]` on are left out.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .take_while(|(_, l)| l.trim() != "#[cfg(test)]")
        .filter(|(_, l)| !l.trim_start().starts_with("//"))
        .map(|(n, l)| (n + 1, l))
}

fn architecture() -> String {
    std::fs::read_to_string(Path::new(ROOT).join("ARCHITECTURE.md")).unwrap()
}

/// Rooms that a line names after `crate::`, in single paths and in `use crate::{a, b::c}`.
fn rooms_named(line: &str, rooms: &BTreeSet<String>) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in line.match_indices("crate::") {
        let rest = &line[at + "crate::".len()..];
        let names: Vec<&str> = match rest.strip_prefix('{') {
            Some(group) => group.split('}').next().unwrap_or(group).split(',').collect(),
            None => vec![rest],
        };
        for name in names {
            let name: String = name
                .trim()
                .chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect();
            if rooms.contains(&name) {
                found.push(name);
            }
        }
    }
    found
}

#[test]
fn rooms_import_only_what_the_table_allows() {
    let allowed: BTreeMap<String, Vec<String>> = table(&architecture(), "| room | may import |")
        .into_iter()
        .map(|(r, m)| (r[0].clone(), m))
        .collect();
    let rooms: BTreeSet<String> = allowed.keys().cloned().collect();
    let mut wrong = Vec::new();
    for (room, file, text) in sources() {
        let Some(may) = allowed.get(&room) else {
            wrong.push(format!("src/{file}: room {room} is not in ARCHITECTURE.md"));
            continue;
        };
        for (line, code) in code(&text) {
            if code.contains("super::super::super") {
                wrong.push(format!(
                    "src/{file}:{line}: name the room instead of climbing by super::super::super"
                ));
            }
            for named in rooms_named(code, &rooms) {
                if named != room && !may.contains(&named) {
                    wrong.push(format!("src/{file}:{line}: {room} must not use crate::{named}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn outside_crates_have_one_home() {
    let homes = table(&architecture(), "| crate or path | only in |");
    let mut wrong = Vec::new();
    for (room, file, text) in sources() {
        for (line, code) in code(&text) {
            for (names, rooms) in &homes {
                let name = &names[0];
                let used = code.match_indices(&format!("{name}::")).any(|(at, _)| {
                    !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':')
                });
                if used && !rooms.contains(&room) {
                    wrong.push(format!("src/{file}:{line}: {room} must not use {name}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn pure_code_touches_no_clock_no_file_and_no_reactor() {
    let pure: Vec<String> = table(&architecture(), "| pure | |")
        .into_iter()
        .flat_map(|(p, _)| p)
        .collect();
    let banned = [
        "tokio",
        "std::fs",
        "fs_err",
        "SystemTime::now",
        "Instant::now",
        "Timestamp::now",
        "Zoned::now",
        "std::net::Tcp",
    ];
    let mut wrong = Vec::new();
    let mut seen = BTreeSet::new();
    for (room, file, text) in sources() {
        let Some(place) = pure
            .iter()
            .find(|p| **p == room || **p == file || file.starts_with(&format!("{p}/")))
        else {
            continue;
        };
        seen.insert(place.clone());
        for (line, code) in code(&text) {
            for name in banned {
                if code.contains(name) {
                    wrong.push(format!("src/{file}:{line}: pure code must not use {name}"));
                }
            }
        }
    }
    for place in pure {
        if !seen.contains(&place) {
            wrong.push(format!(
                "ARCHITECTURE.md names `{place}` as pure, but src/ has no such place"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn only_the_desk_prints_and_exits() {
    let banned = [
        "println!",
        "eprintln!",
        "print!(",
        "eprint!(",
        "process::exit",
        "dbg!(",
    ];
    let mut wrong = Vec::new();
    for (room, file, text) in sources() {
        for (line, code) in code(&text) {
            for name in banned {
                if room != "cli" && code.contains(name) {
                    wrong.push(format!("src/{file}:{line}: only cli may use {name}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_room_has_its_line() {
    let described: BTreeSet<String> = table(&architecture(), "| room | what it is |")
        .into_iter()
        .map(|(r, _)| r[0].clone())
        .collect();
    let rooms: BTreeSet<String> = sources().into_iter().map(|(room, ..)| room).collect();
    assert_eq!(described, rooms);
}
