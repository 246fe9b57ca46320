//! Questions as JSON lines on standard input, answers as JSON lines on standard output, one for one and in order.

use super::error::CliError;
use super::{Exit, Outcome, Ui};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};

/// Longest question, in bytes: a robots.txt of 500 KiB written in `\u` escapes.
const MAX_LINE: u64 = 8 << 20;
/// Size of the input buffer, in bytes.
const BUFFER: usize = 1 << 16;

/// Answers every line; a line that is no question is answered with `{"error"}` and makes the exit code 1.
///
/// Answers leave as soon as no whole question is waiting, so that a caller may also ask one by one.
pub(super) fn answer(ui: &Ui, mut answer: impl FnMut(&[u8]) -> Result<Value, String>) -> Outcome {
    let mut input = BufReader::with_capacity(BUFFER, std::io::stdin().lock());
    let mut output = ui.bulk();
    let mut line = Vec::new();
    let mut bad = 0_u64;
    while let Some(whole) = next(&mut input, &mut line)? {
        if line.trim_ascii().is_empty() {
            continue;
        }
        let answered = if whole {
            answer(&line)
        } else {
            Err(format!("the line is longer than {MAX_LINE} bytes"))
        };
        let value = answered.unwrap_or_else(|error| {
            bad += 1;
            json!({ "error": error })
        });
        let mut wrote = serde_json::to_writer(&mut output, &value)
            .map_err(std::io::Error::from)
            .and_then(|()| output.write_all(b"\n"));
        if !input.buffer().contains(&b'\n') {
            wrote = wrote.and_then(|()| output.flush());
        }
        match wrote {
            // A reader that closed the pipe early is no failure.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(Exit::Ok),
            wrote => wrote?,
        }
    }
    output.flush()?;
    if bad > 0 {
        return Err(CliError::new(
            Exit::Failure,
            "inspect::question",
            format!("{bad} lines were no questions"),
        )
        .hint("the answers with `error` say why; see docs/commands.md for the fields"));
    }
    Ok(Exit::Ok)
}

/// Reads a line; `None` at the end, `Some(false)` if it was too long (the rest of it is skipped).
fn next(input: &mut impl BufRead, line: &mut Vec<u8>) -> std::io::Result<Option<bool>> {
    line.clear();
    if input.by_ref().take(MAX_LINE).read_until(b'\n', line)? == 0 {
        return Ok(None);
    }
    let full = u64::try_from(line.len()).is_ok_and(|n| n == MAX_LINE);
    if !full || line.ends_with(b"\n") {
        return Ok(Some(true));
    }
    let mut rest = Vec::new();
    loop {
        rest.clear();
        let read = input.by_ref().take(MAX_LINE).read_until(b'\n', &mut rest)?;
        if read == 0 || rest.ends_with(b"\n") {
            return Ok(Some(false));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_too_long_is_skipped() {
        let long = "x".repeat(usize::try_from(MAX_LINE).unwrap() + 5);
        let text = format!("a\n{long}\nb");
        let mut input = text.as_bytes();
        let mut line = Vec::new();
        assert_eq!(next(&mut input, &mut line).unwrap(), Some(true));
        assert_eq!(next(&mut input, &mut line).unwrap(), Some(false));
        assert_eq!(next(&mut input, &mut line).unwrap(), Some(true));
        assert_eq!(line, b"b");
        assert_eq!(next(&mut input, &mut line).unwrap(), None);
    }
}
