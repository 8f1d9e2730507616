//! Writes log lines and rotates their file.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use fractal_clock::SharedClock;
use secrecy::SecretString;

use super::{FILES, Redactor, file_name};
use crate::contract::{LogLine, LogSource};

/// The size at which a file is put aside, in bytes.
const LARGEST: u64 = 5 << 20;

/// The longest line kept, in bytes. The rest of a longer one is dropped rather than put on a line of its
/// own, because a secret cut in two would no longer be recognised.
const LONGEST_LINE: usize = 32 << 10;

/// Writes redacted lines into the newest file of a folder.
#[derive(Debug)]
pub struct LogWriter {
    folder: PathBuf,
    file: File,
    size: u64,
    largest: u64,
    redactor: Redactor,
    clock: SharedClock,
}

impl LogWriter {
    /// Opens the log in `folder`.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub fn open(folder: &Path, redactor: Redactor, clock: SharedClock) -> io::Result<Self> {
        let file = append_to(&folder.join(file_name(0)))?;
        let size = file.metadata()?.len();
        Ok(Self {
            folder: folder.to_owned(),
            file,
            size,
            largest: LARGEST,
            redactor,
            clock,
        })
    }

    /// Rotates at another size, for tests.
    #[must_use]
    pub const fn rotated_at(mut self, bytes: u64) -> Self {
        self.largest = bytes;
        self
    }

    /// Keeps these, too, out of what is written from now on.
    pub fn redact(&mut self, secrets: &[SecretString]) {
        self.redactor.learn(secrets);
    }

    /// Writes one line; returns it as it was written.
    ///
    /// # Errors
    /// When the disk is full or gone. Callers go on: a gateway must not stop because of its log.
    pub fn write(&mut self, source: LogSource, line: &[u8]) -> io::Result<String> {
        let mut text = self.redactor.clean(&String::from_utf8_lossy(line));
        if text.len() > LONGEST_LINE {
            text.truncate(text.floor_char_boundary(LONGEST_LINE));
            text.push_str(" [cut]");
        }
        let line = LogLine {
            at: self.clock.now(),
            source,
            text,
        };
        let mut bytes = serde_json::to_vec(&line)?;
        bytes.push(b'\n');
        if self.size > 0 && self.size + bytes.len() as u64 > self.largest {
            self.rotate()?;
        }
        self.file.write_all(&bytes)?;
        self.size += bytes.len() as u64;
        Ok(line.text)
    }

    fn rotate(&mut self) -> io::Result<()> {
        for age in (0..FILES - 1).rev() {
            let older = self.folder.join(file_name(age + 1));
            match fs::rename(self.folder.join(file_name(age)), older) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        self.file = append_to(&self.folder.join(file_name(0)))?;
        self.size = 0;
        Ok(())
    }
}

fn append_to(path: &Path) -> io::Result<File> {
    File::options()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use fractal_clock::ManualClock;

    use super::*;

    #[test]
    fn the_log_is_rotated_and_never_grows_beyond_three_files() {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::default());
        let mut log = LogWriter::open(folder.path(), Redactor::new([]), clock)
            .unwrap()
            .rotated_at(500);
        for number in 0..100 {
            log.write(LogSource::Stdout, format!("line {number}").as_bytes())
                .unwrap();
        }
        let files: Vec<_> = fs::read_dir(folder.path()).unwrap().collect();
        assert_eq!(files.len(), FILES);
        for file in files {
            assert!(file.unwrap().metadata().unwrap().len() <= 500);
        }
    }
}
