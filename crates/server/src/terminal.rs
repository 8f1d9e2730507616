//! Standard error of this process: log lines, and at most one line that moves.
//!
//! A log line that comes while a moving line stands there takes its place; the moving one is drawn again below it.

use std::{
    io::{self, IsTerminal, Write},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Back to the first column, and the line emptied.
const CLEAR: &[u8] = b"\r\x1b[2K";

/// Whether a moving line stands on the terminal.
static MOVING: Mutex<bool> = Mutex::new(false);

fn lock() -> MutexGuard<'static, bool> {
    MOVING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether lines can move here.
pub(crate) fn can_move() -> bool {
    io::stderr().is_terminal()
}

/// Draws the moving line. A terminal that is gone is no reason to stop what it tells of.
pub(crate) fn draw(line: &str) {
    let mut moving = lock();
    let mut err = io::stderr().lock();
    let _ = err
        .write_all(CLEAR)
        .and_then(|()| err.write_all(line.as_bytes()))
        .and_then(|()| err.flush());
    *moving = true;
}

/// Takes the moving line away, if one stands there. Before anything else is printed.
pub(crate) fn clear() {
    clear_for(&mut lock());
}

fn clear_for(moving: &mut bool) {
    if std::mem::take(moving) {
        let mut err = io::stderr().lock();
        let _ = err.write_all(CLEAR).and_then(|()| err.flush());
    }
}

/// Prints a line that stays.
pub(crate) fn say(line: &str) {
    clear_for(&mut lock());
    let _ = writeln!(io::stderr(), "{line}");
}

/// Where the log writes: one call is one line.
pub(crate) struct Log;

impl Write for Log {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        clear_for(&mut lock());
        io::stderr().write(line)
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}
