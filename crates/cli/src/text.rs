//! Quantities and moments in words, and text made safe for a terminal.

use fractal_types::Timestamp;
pub use fractal_types::bytes_in_words as bytes;

/// Text without control characters: names and messages of others must not steer the terminal.
pub fn printable(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { '?' } else { c })
        .collect()
}

/// As [`printable`], with line breaks and tabs kept.
pub fn printable_lines(text: &str) -> String {
    text.chars()
        .filter(|c| *c != '\r')
        .map(|c| {
            if c.is_control() && !matches!(c, '\n' | '\t') {
                '?'
            } else {
                c
            }
        })
        .collect()
}

/// A moment as seen from now: `just now`, `3 min ago`, `in 6 days`.
pub fn relative(at: Timestamp, now: Timestamp) -> String {
    let (span, ahead) = if at > now {
        (at.since(now), true)
    } else {
        (now.since(at), false)
    };
    let seconds = span.as_secs();
    let amount = match seconds {
        0..=9 => return if ahead { "in a moment" } else { "just now" }.to_owned(),
        10..=89 => format!("{seconds} s"),
        90..=5_399 => format!("{} min", (seconds + 30) / 60),
        5_400..=129_599 => format!("{} h", (seconds + 1_800) / 3_600),
        _ => format!("{} days", (seconds + 43_200) / 86_400),
    };
    if ahead {
        format!("in {amount}")
    } else {
        format!("{amount} ago")
    }
}

/// A moment that may be absent.
pub fn relative_or(at: Option<Timestamp>, now: Timestamp, absent: &str) -> String {
    at.map_or_else(|| absent.to_owned(), |at| relative(at, now))
}

/// `yes` or `no`.
pub const fn yes_no(value: bool) -> &'static str {
    if value { "yes" } else { "no" }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn moments_are_told_from_now() {
        let now = Timestamp::from_micros(1_795_219_200_000_000);
        let ago = |seconds| relative(now.before(Duration::from_secs(seconds)), now);
        assert_eq!(ago(3), "just now");
        assert_eq!(ago(60), "60 s ago");
        assert_eq!(ago(180), "3 min ago");
        assert_eq!(ago(7_200), "2 h ago");
        assert_eq!(ago(3 * 86_400), "3 days ago");
        assert_eq!(
            relative(now.after(Duration::from_secs(6 * 86_400)), now),
            "in 6 days"
        );
    }

    #[test]
    fn control_characters_never_reach_the_terminal() {
        assert_eq!(printable("a\u{1b}[2Jb\nc"), "a?[2Jb?c");
        assert_eq!(printable_lines("a\r\n\u{1b}b"), "a\n?b");
    }
}
