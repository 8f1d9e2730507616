//! An instance's log: JSON lines, redacted before they are written, rotated by size, read and followed
//! by the control plane straight from the files, so that reading works while nothing runs.

mod known;
mod reader;
mod redact;
mod writer;

pub use reader::read;
pub use redact::Redactor;
pub use writer::LogWriter;

/// The name of the newest file; older ones carry `.1` and `.2`.
const FILE: &str = "gateway.log";

/// How many files there are at most, the newest included.
const FILES: usize = 3;

fn file_name(age: usize) -> String {
    if age == 0 {
        FILE.to_owned()
    } else {
        format!("{FILE}.{age}")
    }
}
