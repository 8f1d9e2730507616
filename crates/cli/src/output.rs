//! Where answers go: standard output, as a table or as JSON.

use std::io::{self, IsTerminal, Write};

use fractal_api_types::Page;
use fractal_types::Timestamp;
use serde::Serialize;

use crate::table::{Cell, card, table};

/// How this run prints.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    /// JSON instead of words.
    pub json: bool,
    /// Whether colours are on.
    pub colours: bool,
    /// What relative times count from.
    pub now: Timestamp,
}

/// A thing that is a row of a table.
pub trait Row {
    /// The columns' names.
    const HEAD: &'static [&'static str];
    /// What is said when there are none.
    const NONE: &'static str;
    /// The cells.
    fn cells(&self, now: Timestamp) -> Vec<Cell>;
}

/// A thing that is shown by itself.
pub trait Card {
    /// Names and values.
    fn lines(&self, now: Timestamp) -> Vec<(&'static str, Cell)>;
}

impl Output {
    /// Colours only on a terminal, and not when somebody asked for none (`NO_COLOR`, or a terminal without any).
    pub fn new(json: bool, now: Timestamp) -> Self {
        let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
            || std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        Self {
            json,
            colours: !unwanted && io::stdout().is_terminal(),
            now,
        }
    }

    /// A list: the API's own page as JSON, or a table.
    pub fn list<T: Serialize + Row>(&self, items: Vec<T>) -> anyhow::Result<()> {
        if self.json {
            return self.value(&Page {
                items,
                next_cursor: None,
            });
        }
        if items.is_empty() {
            eprintln!("{}", T::NONE);
            return Ok(());
        }
        let rows: Vec<_> = items.iter().map(|item| item.cells(self.now)).collect();
        write_out(&table(T::HEAD, &rows, self.colours))
    }

    /// One thing.
    pub fn show<T: Serialize + Card>(&self, item: &T) -> anyhow::Result<()> {
        if self.json {
            return self.value(item);
        }
        write_out(&card(&item.lines(self.now), self.colours))
    }

    /// What a change led to: JSON, or a sentence on standard error.
    pub fn done<T: Serialize>(&self, item: &T, sentence: &str) -> anyhow::Result<()> {
        if self.json {
            return self.value(item);
        }
        eprintln!("{}", crate::text::printable(sentence));
        Ok(())
    }

    /// A change without an answer of its own.
    pub fn done_nothing(&self, sentence: &str) {
        eprintln!("{}", crate::text::printable(sentence));
    }

    /// A JSON document.
    pub fn value(&self, value: &impl Serialize) -> anyhow::Result<()> {
        write_out(&format!("{}\n", serde_json::to_string_pretty(value)?))
    }

    /// One JSON document per line, for streams.
    pub fn line(&self, value: &impl Serialize) -> anyhow::Result<()> {
        write_out(&format!("{}\n", serde_json::to_string(value)?))
    }
}

/// Writes to standard output. A reader that went away (`| head`) ends the program quietly, as other tools do.
pub fn write_out(text: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => std::process::exit(0),
        result => Ok(result?),
    }
}
