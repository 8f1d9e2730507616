//! Asking the person: secrets without showing them, words, and yes or no.

use std::io::{self, BufRead, IsTerminal, Read, Write};

use anyhow::Context;
use secrecy::{ExposeSecret, SecretString};

use crate::exit::{Advice, UsageError};

/// What is read of a secret at most, in bytes; no secret of ours is nearly that long, and the server says so.
const LONGEST_SECRET: u64 = 64 << 10;

/// A secret from the terminal without echo, or the first line of standard input when that is no terminal.
pub fn secret(question: &str) -> anyhow::Result<SecretString> {
    let text = if io::stdin().is_terminal() {
        rpassword::prompt_password(format!("{question}: "))
            .context("the terminal could not be read")?
    } else {
        line()?
    };
    if text.is_empty() {
        return Err(anyhow::Error::new(UsageError(format!(
            "{question}: nothing was entered"
        ))));
    }
    Ok(text.into())
}

/// A secret that may have several lines: from the terminal without echo (one line), or all of standard input when that is no
/// terminal, without the line break that ends it.
pub fn whole_secret(question: &str) -> anyhow::Result<SecretString> {
    if io::stdin().is_terminal() {
        return secret(question);
    }
    let mut text = String::new();
    io::stdin()
        .lock()
        .take(LONGEST_SECRET)
        .read_to_string(&mut text)
        .context("standard input could not be read")?;
    let end = text.strip_suffix('\n').unwrap_or(&text);
    let end = end.strip_suffix('\r').unwrap_or(end);
    if end.is_empty() {
        return Err(anyhow::Error::new(UsageError(format!(
            "{question}: nothing was entered"
        ))));
    }
    Ok(end.to_owned().into())
}

/// A new secret: asked twice on a terminal.
pub fn new_secret(question: &str) -> anyhow::Result<SecretString> {
    let first = secret(question)?;
    if io::stdin().is_terminal() {
        let second = secret(&format!("{question}, once more"))?;
        if first.expose_secret() != second.expose_secret() {
            return Err(anyhow::Error::new(UsageError(
                "the two entries differ".to_owned(),
            )));
        }
    }
    Ok(first)
}

/// A word; only on a terminal.
pub fn word(question: &str, flag: &str) -> anyhow::Result<String> {
    if !io::stdin().is_terminal() {
        return Err(anyhow::Error::new(UsageError(format!(
            "{question} is needed; give {flag}"
        ))));
    }
    eprint!("{question}: ");
    io::stderr().flush()?;
    line()
}

/// Yes or no before something that cannot be undone; without a terminal only `--yes` says yes.
pub fn confirm(question: &str, yes: bool) -> anyhow::Result<()> {
    if yes {
        return Ok(());
    }
    if !io::stdin().is_terminal() {
        return Err(anyhow::Error::new(UsageError(format!(
            "{question} Add --yes to say so without a terminal"
        ))));
    }
    eprint!("{question} [y/N] ");
    io::stderr().flush()?;
    if matches!(line()?.trim().to_ascii_lowercase().as_str(), "y" | "yes") {
        Ok(())
    } else {
        Err(Advice::error("nothing was changed", "answer y to go on"))
    }
}

fn line() -> anyhow::Result<String> {
    let mut text = String::new();
    io::stdin()
        .lock()
        .read_line(&mut text)
        .context("standard input could not be read")?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}
