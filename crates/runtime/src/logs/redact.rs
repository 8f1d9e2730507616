//! Keeps secrets out of log lines: the ones we know, and whatever has the shape of a common key.

use secrecy::SecretString;

use super::known::Known;

const MARK: &str = "[redacted]";

/// How keys of common services begin, and how many characters must follow to count as one.
const SHAPES: &[(&str, usize)] = &[
    ("Bearer ", 8),
    ("bearer ", 8),
    ("sk-", 12),
    ("sk_live_", 8),
    ("sk_test_", 8),
    ("xai-", 12),
    ("xoxa-", 8),
    ("xoxb-", 8),
    ("xoxe-", 8),
    ("xoxp-", 8),
    ("xoxr-", 8),
    ("xoxs-", 8),
    ("xapp-", 8),
    ("AIza", 20),
    ("ghp_", 16),
    ("gho_", 16),
    ("ghs_", 16),
    ("github_pat_", 16),
    ("AKIA", 12),
    ("syt_", 8),
];

/// Replaces secrets in text.
#[derive(Debug)]
pub struct Redactor {
    known: Known,
}

impl Redactor {
    /// Knows `secrets` besides the common shapes, for as long as this lives. A secret of several lines is known line by line,
    /// because that is how it would appear.
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a SecretString>) -> Self {
        Self {
            known: Known::new(secrets),
        }
    }

    /// Knows these, too, from now on. What it knew it keeps as far as there is room: an old secret may still be said.
    pub fn learn<'a>(&mut self, secrets: impl IntoIterator<Item = &'a SecretString>) {
        self.known.learn(secrets);
    }

    /// The text without secrets.
    #[must_use]
    pub fn clean(&self, text: &str) -> String {
        let mut text = self.known.clean(text, MARK);
        for (prefix, least) in SHAPES {
            if text.contains(prefix) {
                text = clean_shape(&text, prefix, *least);
            }
        }
        text
    }
}

fn clean_shape(text: &str, prefix: &str, least: usize) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(prefix) {
        let starts_word = rest[..at]
            .chars()
            .next_back()
            .is_none_or(|before| !before.is_ascii_alphanumeric());
        let after = &rest[at + prefix.len()..];
        let length = after
            .find(|c: char| !(c.is_ascii_alphanumeric() || "-_.~+/=".contains(c)))
            .unwrap_or(after.len());
        out.push_str(&rest[..at + prefix.len()]);
        if starts_word && length >= least {
            out.push_str(MARK);
            rest = &after[length..];
        } else {
            rest = after;
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_known_secret_never_survives(secret in "[A-Za-z0-9!$%]{6,40}", before in ".{0,40}", after in ".{0,40}") {
            let redactor = Redactor::new([&SecretString::from(secret.clone())]);
            let cleaned = redactor.clean(&format!("{before}{secret}{after}{secret}"));
            prop_assume!(!MARK.contains(&secret));
            prop_assert!(!cleaned.contains(&secret));
        }

        #[test]
        fn any_text_is_taken(text in ".*") {
            let _ = Redactor::new([]).clean(&text);
        }
    }

    #[test]
    fn what_is_learnt_later_is_cleaned_and_what_was_known_stays() {
        let secret = |text: &str| SecretString::from(text.to_owned());
        let mut redactor = Redactor::new([&secret("first-secret")]);
        for _ in 0..2 {
            redactor.learn([&secret("first-secret-and-more"), &secret("short")]);
        }
        assert_eq!(
            redactor.clean("first-secret-and-more, first-secret, short"),
            "[redacted], [redacted], short"
        );
    }

    #[test]
    fn common_keys_are_recognised_by_their_shape() {
        let redactor = Redactor::new([]);
        for (text, clean) in [
            ("key sk-ant-REDACTED used", "key sk-[redacted] used"),
            (
                "Authorization: Bearer abcdefghij",
                "Authorization: Bearer [redacted]",
            ),
            ("AIzaSyA1234567890123456789012345", "AIza[redacted]"),
            ("a task-oriented sk-x answer", "a task-oriented sk-x answer"),
        ] {
            assert_eq!(redactor.clean(text), clean);
        }
    }

    #[test]
    fn a_secret_of_several_lines_is_known_line_by_line() {
        let redactor = Redactor::new([&SecretString::from("first-line\nsecond-line".to_owned())]);
        assert_eq!(redactor.clean("got second-line"), "got [redacted]");
    }
}
