//! Carries what the sandbox says into the log.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use secrecy::SecretString;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, BufReader},
    task::JoinHandle,
};

use super::exit::LastWords;
use crate::{contract::LogSource, logs::LogWriter};

/// How much of a line is read at most; the log cuts earlier.
const LONGEST_LINE: u64 = 1 << 20;

/// The log and the most telling of the last lines, shared by both outputs.
#[derive(Debug, Clone)]
pub struct Log(Arc<Mutex<(LogWriter, LastWords)>>);

impl Log {
    /// Writes through `writer`.
    pub fn new(writer: LogWriter) -> Self {
        Self(Arc::new(Mutex::new((writer, LastWords::default()))))
    }

    /// Writes one line.
    pub fn write(&self, source: LogSource, line: &[u8]) {
        let mut log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A full disk must not stop the gateway, and there is nowhere left to say so.
        if let Ok(text) = log.0.write(source, line)
            && source == LogSource::Stderr
        {
            log.1.hear(text);
        }
    }

    /// Keeps these, too, out of what is written from now on.
    pub fn redact(&self, secrets: &[SecretString]) {
        let mut log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        log.0.redact(secrets);
    }

    /// What standard error said last that tells why.
    pub fn last_error(&self) -> Option<String> {
        let log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        log.1.tell()
    }
}

/// Copies one output into the log, line by line.
pub fn pump(
    from: Option<impl AsyncRead + Unpin + Send + 'static>,
    source: LogSource,
    log: &Log,
) -> JoinHandle<()> {
    let log = log.clone();
    tokio::spawn(async move {
        let Some(from) = from else { return };
        let mut from = BufReader::new(from);
        let mut line = Vec::new();
        let mut continued = false;
        loop {
            line.clear();
            let mut bounded = (&mut from).take(LONGEST_LINE);
            let read = bounded.read_until(b'\n', &mut line).await;
            if !matches!(read, Ok(1..)) {
                return;
            }
            let whole = line.ends_with(b"\n");
            if !continued {
                let end = line.trim_ascii_end().len();
                log.write(source, &line[..end]);
            }
            // The rest of an endless line is dropped.
            continued = !whole;
        }
    })
}

/// Waits until what was said last is in the log. A left-over process may hold the pipe; it is not waited for.
pub async fn settle(pumps: [JoinHandle<()>; 2]) {
    for pump in pumps {
        let abort = pump.abort_handle();
        if tokio::time::timeout(Duration::from_secs(1), pump)
            .await
            .is_err()
        {
            abort.abort();
        }
    }
}
