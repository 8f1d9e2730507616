//! Reads and follows the log files of an instance.

use std::{
    collections::VecDeque,
    fs::File,
    io::{self, BufRead as _, BufReader, Read as _},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use fractal_clock::SharedClock;
use futures::{StreamExt as _, stream};

use super::{FILES, file_name};
use crate::contract::{Error, ErrorClass, LogLine, LogQuery, LogStream, Result};

/// How long a follower waits before it looks for new lines. A file watch would wake sooner and cost a
/// kernel object per open page.
const PAUSE: Duration = Duration::from_millis(200);

/// Reads the log in `folder`: the newest `tail` lines, then, when following, new ones as they come.
///
/// # Errors
/// When the files cannot be read. A folder without a log is an empty log.
pub async fn read(folder: &Path, query: LogQuery, clock: SharedClock) -> Result<LogStream> {
    let folder = folder.to_owned();
    let (lines, follower) = tokio::task::spawn_blocking(move || newest(folder, query.tail))
        .await
        .map_err(|error| unreadable(io::Error::other(error)))?
        .map_err(unreadable)?;
    let past = stream::iter(lines.into_iter().map(Ok));
    if !query.follow {
        return Ok(Box::pin(past));
    }
    let news = stream::unfold((follower, clock), |(mut follower, clock)| async move {
        loop {
            match follower.news() {
                Ok(lines) if lines.is_empty() => clock.sleep(PAUSE).await,
                Ok(lines) => {
                    let lines: Vec<Result<LogLine>> = lines.into_iter().map(Ok).collect();
                    return Some((stream::iter(lines), (follower, clock)));
                }
                Err(error) => {
                    clock.sleep(PAUSE).await;
                    let failed = vec![Err(unreadable(error))];
                    return Some((stream::iter(failed), (follower, clock)));
                }
            }
        }
    });
    Ok(Box::pin(past.chain(news.flatten())))
}

fn unreadable(error: io::Error) -> Error {
    Error::new(ErrorClass::Retry, "the instance's log cannot be read").with_source(error)
}

fn newest(folder: PathBuf, tail: usize) -> io::Result<(VecDeque<LogLine>, Follower)> {
    let mut kept = VecDeque::new();
    let mut follower = Follower {
        folder,
        open: None,
        half: Vec::new(),
    };
    for age in (1..FILES).rev() {
        if let Some(file) = open(&follower.folder.join(file_name(age)))? {
            for line in BufReader::new(file).split(b'\n') {
                keep(&mut kept, parse(&line?), tail);
            }
        }
    }
    for line in follower.news()? {
        keep(&mut kept, Some(line), tail);
    }
    Ok((kept, follower))
}

fn keep(kept: &mut VecDeque<LogLine>, line: Option<LogLine>, tail: usize) {
    if let Some(line) = line {
        kept.push_back(line);
    }
    if kept.len() > tail {
        kept.pop_front();
    }
}

/// A half-written last line of a machine that lost power is no line.
fn parse(line: &[u8]) -> Option<LogLine> {
    serde_json::from_slice(line).ok()
}

fn open(path: &Path) -> io::Result<Option<File>> {
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[derive(Debug)]
struct Follower {
    folder: PathBuf,
    open: Option<File>,
    half: Vec<u8>,
}

impl Follower {
    /// The lines written since the last call, also across a rotation.
    fn news(&mut self) -> io::Result<Vec<LogLine>> {
        let mut lines = Vec::new();
        let newest = self.folder.join(file_name(0));
        if self.open.is_none() {
            self.open = open(&newest)?;
        }
        let Some(file) = &mut self.open else {
            return Ok(lines);
        };
        // Asked before reading: what was put aside before the read ends is read to its end below.
        let here = std::fs::metadata(&newest).ok().map(|meta| meta.ino());
        let rotated = here.is_some() && here != Some(file.metadata()?.ino());
        let mut bytes = std::mem::take(&mut self.half);
        file.read_to_end(&mut bytes)?;
        let mut rest = bytes.as_slice();
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            lines.extend(parse(&rest[..end]));
            rest = &rest[end + 1..];
        }
        self.half = rest.to_vec();
        if rotated {
            self.open = None;
            self.half.clear();
            lines.extend(self.news()?);
        }
        Ok(lines)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use fractal_clock::{ManualClock, SystemClock};

    use super::*;
    use crate::{
        contract::LogSource,
        logs::{LogWriter, Redactor},
    };

    fn writer(folder: &Path) -> LogWriter {
        let clock = Arc::new(ManualClock::default());
        LogWriter::open(folder, Redactor::new([]), clock)
            .unwrap()
            .rotated_at(300)
    }

    #[tokio::test]
    async fn the_newest_lines_come_oldest_first() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = writer(folder.path());
        for number in 0..6 {
            log.write(LogSource::Stdout, format!("line {number}").as_bytes())
                .unwrap();
        }
        let query = LogQuery {
            tail: 4,
            follow: false,
        };
        let lines = read(folder.path(), query, Arc::new(SystemClock))
            .await
            .unwrap();
        let lines: Vec<String> = lines.map(|line| line.unwrap().text).collect().await;
        assert_eq!(lines, ["line 2", "line 3", "line 4", "line 5"]);
    }

    #[tokio::test]
    async fn a_follower_misses_nothing_across_a_rotation() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = writer(folder.path());
        let query = LogQuery {
            tail: 0,
            follow: true,
        };
        let mut lines = read(folder.path(), query, Arc::new(SystemClock))
            .await
            .unwrap();
        for number in 0..20 {
            log.write(LogSource::Stderr, format!("line {number}").as_bytes())
                .unwrap();
            let line = lines.next().await.unwrap().unwrap();
            assert_eq!(line.text, format!("line {number}"));
        }
    }
}
