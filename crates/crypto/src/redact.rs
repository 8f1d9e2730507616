//! Removes what looks like a secret from text that is about to be logged or shown.
//!
//! This is the last net, not the rule: the rule is that secrets are `SecretString` and never reach text.

use std::borrow::Cow;

const HIDDEN: &str = "[redacted]";

/// Beginnings of keys and tokens of the providers and tools that appear around an agent.
const PREFIXES: &[&str] = &[
    "frk_",
    "sk-",
    "sk_live_",
    "sk_test_",
    "rk_live_",
    "pk_live_",
    "xai-",
    "AIza",
    "ghp_",
    "gho_",
    "ghu_",
    "ghs_",
    "ghr_",
    "github_pat_",
    "glpat-",
    "xoxb-",
    "xoxp-",
    "xoxa-",
    "xapp-",
    "AKIA",
    "ASIA",
    "hf_",
    "gsk_",
    "npm_",
    "eyJ",
    "syt_",
    "hvs.",
];

/// Names whose value is hidden whatever it looks like (`name=value`, `"name": "value"`).
const NAMES: &[&str] = &[
    "authorization",
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "api_key",
    "apikey",
    "api-key",
    "access_token",
    "refresh_token",
    "client_secret",
    "x-api-key",
    "x-setup-token",
    "cookie",
    "set-cookie",
];

/// Shortest rest after a prefix that counts as a key, so that `sk-ip` or a bare `AIza` stay readable.
const MIN_REST: usize = 8;

/// Replaces what looks like a secret. Text without any is borrowed.
#[must_use]
pub fn redact(text: &str) -> Cow<'_, str> {
    let mut out: Option<String> = None;
    let mut copied = 0;
    let mut hide = |from: usize, to: usize| {
        let out = out.get_or_insert_with(|| String::with_capacity(text.len()));
        out.push_str(&text[copied..from]);
        out.push_str(HIDDEN);
        copied = to;
    };
    let mut words = Words { text, at: 0 };
    // The word before, while only separators that can stand between a name and its value came since.
    let mut named: Option<bool> = None;
    while let Some((from, to, gap)) = words.next_word() {
        let word = &text[from..to];
        let after_name = named.is_some_and(|bearer| {
            (bearer && gap.chars().all(|c| c == ' '))
                || (gap.contains([':', '=']) && gap.chars().all(|c| " :=\"'\\".contains(c)))
        });
        let scheme = word.eq_ignore_ascii_case("bearer") || word.eq_ignore_ascii_case("basic");
        if (after_name && !scheme) || looks_like_a_key(word) {
            hide(from, to);
            named = None;
        } else if scheme {
            named = Some(true);
        } else {
            let is_name = NAMES.iter().any(|name| ends_with_name(word, name));
            named = is_name.then_some(false);
        }
    }
    match out {
        None => Cow::Borrowed(text),
        Some(mut out) => {
            out.push_str(&text[copied..]);
            Cow::Owned(out)
        }
    }
}

fn looks_like_a_key(word: &str) -> bool {
    PREFIXES.iter().any(|prefix| {
        word.strip_prefix(prefix)
            .is_some_and(|rest| rest.len() >= MIN_REST)
    })
}

/// `OPENAI_API_KEY` and `api_key` both name an API key; `tokens` does not name a token.
fn ends_with_name(word: &str, name: &str) -> bool {
    let Some(cut) = word.len().checked_sub(name.len()) else {
        return false;
    };
    word.is_char_boundary(cut)
        && word[cut..].eq_ignore_ascii_case(name)
        && (cut == 0 || word[..cut].ends_with(['_', '-', '.']))
}

struct Words<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Words<'a> {
    /// The next run of characters that keys are made of, and what stood before it.
    fn next_word(&mut self) -> Option<(usize, usize, &'a str)> {
        let start = self.at;
        let from = start + self.text[start..].find(is_word)?;
        let to = self.text[from..]
            .find(|c| !is_word(c))
            .map_or(self.text.len(), |length| from + length);
        self.at = to;
        Some((from, to, &self.text[start..from]))
    }
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_-.+/~!$%^*".contains(c)
}

#[cfg(test)]
mod tests {
    use fractal_clock::SeededEntropy;
    use proptest::prelude::*;
    use secrecy::ExposeSecret;

    use super::*;
    use crate::{Token, TokenKind};

    #[test]
    fn keys_are_hidden_wherever_they_stand() {
        for (text, expected) in [
            ("key sk-ant-REDACTED used", "key [redacted] used"),
            (
                "Authorization: Bearer abc.def-ghi",
                "Authorization: Bearer [redacted]",
            ),
            (
                "Authorization: Basic dXNlcjpwYXNz",
                "Authorization: Basic [redacted]",
            ),
            (
                r#"{"api_key":"hunter2","model":"m"}"#,
                r#"{"api_key":"[redacted]","model":"m"}"#,
            ),
            (
                r#"{\"password\": \"hunter2\"}"#,
                r#"{\"password\": \"[redacted]\"}"#,
            ),
            (
                "OPENAI_API_KEY=hunter2 node x",
                "OPENAI_API_KEY=[redacted] node x",
            ),
            (
                "GET /cb?access_token=abc&state=1",
                "GET /cb?access_token=[redacted]&state=1",
            ),
            (
                "xoxb-1234567890-abc,AIzaSyA1234567890",
                "[redacted],[redacted]",
            ),
        ] {
            assert_eq!(redact(text), expected);
        }
    }

    #[test]
    fn ordinary_text_is_untouched_and_not_copied() {
        for text in [
            "",
            "42 tokens used",
            "the password was wrong",
            "risk-free sk-ip",
            "max_tokens: 5",
            "tokens=5",
            "ä ö ü",
        ] {
            assert!(
                matches!(redact(text), Cow::Borrowed(same) if same == text),
                "{text}"
            );
        }
    }

    #[test]
    fn every_kind_of_our_own_token_is_hidden() {
        for kind in TokenKind::ALL {
            let token = Token::generate(kind, &SeededEntropy::new(1));
            let text = format!("http://host/#{}", token.secret().expose_secret());
            assert_eq!(redact(&text), "http://host/#[redacted]");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_text_never_panics_and_redacting_twice_is_the_same(text: String) {
            let once = redact(&text).into_owned();
            prop_assert_eq!(redact(&once).into_owned(), once);
        }
    }
}
