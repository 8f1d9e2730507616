//! One way to print a table and a card, the same everywhere.

use unicode_width::UnicodeWidthStr;

use crate::text::printable;

/// What a colour would say; where colours are off the word in the cell says it alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tone {
    /// Neither.
    #[default]
    Plain,
    /// Fine.
    Good,
    /// Look at it.
    Attention,
    /// Broken.
    Bad,
}

impl Tone {
    const fn code(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Good => Some("32"),
            Self::Attention => Some("33"),
            Self::Bad => Some("31"),
        }
    }
}

/// A text with a tone.
#[derive(Debug, Clone)]
pub struct Cell {
    text: String,
    tone: Tone,
}

impl Cell {
    /// A cell with a tone.
    pub fn toned(text: impl AsRef<str>, tone: Tone) -> Self {
        Self {
            text: printable(text.as_ref()),
            tone,
        }
    }
}

impl<T: std::fmt::Display> From<T> for Cell {
    fn from(value: T) -> Self {
        Self::toned(value.to_string(), Tone::Plain)
    }
}

/// A row of cells from anything that prints.
#[macro_export]
#[doc(hidden)]
macro_rules! cells {
    ($($value:expr),* $(,)?) => { vec![$($crate::table::Cell::from($value)),*] };
}

/// Colours a text when colours are on.
pub fn paint(text: &str, tone: Tone, colours: bool) -> String {
    match tone.code() {
        Some(code) if colours => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
        _ => text.to_owned(),
    }
}

/// The table as lines; the last column is not padded, so nothing ends in spaces.
pub fn table(head: &[&str], rows: &[Vec<Cell>], colours: bool) -> String {
    let head: Vec<Cell> = head
        .iter()
        .map(|text| Cell::from(text.to_uppercase()))
        .collect();
    let mut widths: Vec<usize> = head.iter().map(|cell| cell.text.width()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.text.width());
        }
    }
    let mut out = String::new();
    for row in std::iter::once(&head).chain(rows) {
        let filled = row
            .iter()
            .rposition(|cell| !cell.text.is_empty())
            .map_or(0, |last| last + 1);
        for (index, cell) in row.iter().take(filled).enumerate() {
            out.push_str(&paint(&cell.text, cell.tone, colours));
            if index + 1 < filled {
                let pad = widths[index] - cell.text.width() + 2;
                out.extend(std::iter::repeat_n(' ', pad));
            }
        }
        out.push('\n');
    }
    out
}

/// One thing as `name  value` lines.
pub fn card(lines: &[(&str, Cell)], colours: bool) -> String {
    let width = lines
        .iter()
        .map(|(name, _)| name.width())
        .max()
        .unwrap_or(0);
    let mut out = String::new();
    for (name, cell) in lines {
        let value = paint(&cell.text, cell.tone, colours);
        out.push_str(format!("{name:<width$}  {value}").trim_end());
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_in_every_script() {
        let rows = vec![
            cells!["Ada", "ready", ""],
            cells!["小さい", "crash_looping", "3 min ago"],
            cells!["e\u{1b}[2J", "stopped", "just now"],
        ];
        insta::assert_snapshot!(table(&["name", "state", "used"], &rows, false), @r"
        NAME    STATE          USED
        Ada     ready
        小さい  crash_looping  3 min ago
        e?[2J   stopped        just now
        ");
    }

    #[test]
    fn colours_do_not_shift_columns() {
        let rows = vec![vec![Cell::toned("ok", Tone::Good), Cell::from("x")]];
        assert_eq!(
            table(&["a", "b"], &rows, true),
            "A   B\n\u{1b}[32mok\u{1b}[0m  x\n"
        );
    }
}
