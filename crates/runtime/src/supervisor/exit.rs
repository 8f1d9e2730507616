//! Puts the end of an instance into one readable sentence.

use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;

use crate::contract::Exit;

/// The gateway's exit code for failures of the configuration class (`openclaw.md` section 1).
const CONFIGURATION: i32 = 78;

/// What the supervisor knows when its child has ended.
#[derive(Debug, Default)]
pub struct Circumstances {
    /// Why the supervisor ended it, when it did.
    pub wanted: Option<Wanted>,
    /// Whether it had to be killed.
    pub killed: bool,
    /// Whether the kernel killed a process of it for memory.
    pub out_of_memory: bool,
    /// The last line on standard error, redacted.
    pub last_error: Option<String>,
}

/// Why a supervisor ended its instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// The control plane asked.
    Asked,
    /// The control plane was not heard of for too long.
    Forgotten,
    /// The supervisor itself was told to end by a signal.
    Terminated,
}

/// How many lines an error is remembered over lines that follow it.
const REMEMBERED: usize = 20;

/// The most telling of the last lines on standard error. A program that dies of an exception ends with a
/// stack and its version, which tell nobody why.
#[derive(Debug, Default)]
pub struct LastWords {
    text: Option<String>,
    is_error: bool,
    since: usize,
}

impl LastWords {
    /// Hears a line.
    pub fn hear(&mut self, line: String) {
        self.since += 1;
        let words = line.trim();
        let tells = words.chars().filter(|c| c.is_alphanumeric()).count() > 3
            && !words.starts_with("at ")
            && !words.starts_with("Node.js v");
        let is_error = words.contains("rror");
        if tells && (is_error || !self.is_error || self.since > REMEMBERED) {
            *self = Self {
                text: Some(line),
                is_error,
                since: 0,
            };
        }
    }

    /// What to tell, at a length that fits a sentence.
    #[must_use]
    pub fn tell(&self) -> Option<String> {
        let text = self.text.as_ref()?.trim();
        Some(text[..text.floor_char_boundary(300)].to_owned())
    }
}

/// Describes an end.
#[must_use]
pub fn describe(status: Option<ExitStatus>, seen: Circumstances) -> Exit {
    let code = status.and_then(|status| status.code());
    // bubblewrap and the relay report a signal the way shells do.
    let by_shell = code
        .filter(|code| (129..=192).contains(code))
        .map(|code| code - 128);
    let signal = status.and_then(|status| status.signal()).or(by_shell);
    let code = if by_shell.is_some() { None } else { code };
    let out_of_memory = seen.out_of_memory && code != Some(0);
    let said = match &seen.last_error {
        Some(line) => format!("; it last said: {line}"),
        None => String::new(),
    };
    let reason = match (seen.wanted, signal, code) {
        (Some(why), _, _) => {
            let why = match why {
                Wanted::Asked => "stopped as asked",
                Wanted::Forgotten => "stopped because no control plane was heard of for too long",
                Wanted::Terminated => "stopped because its supervisor was told to end",
            };
            if seen.killed {
                format!("{why}, killed because it did not end in time")
            } else {
                why.to_owned()
            }
        }
        _ if out_of_memory => {
            "the kernel killed it because it used more memory than its limit; raise the limit or do less at once"
                .to_owned()
        }
        (None, Some(signal), _) => format!("killed by signal {signal}{said}"),
        (None, None, Some(0)) => "it ended by itself without an error".to_owned(),
        (None, None, Some(CONFIGURATION)) => {
            format!("it refuses its configuration (exit code {CONFIGURATION}){said}")
        }
        (None, None, Some(code)) => format!("it failed with exit code {code}{said}"),
        (None, None, None) => format!("it ended in an unknown way{said}"),
    };
    Exit {
        code,
        signal,
        asked: seen.wanted == Some(Wanted::Asked),
        out_of_memory,
        reason,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_failure_is_named_with_the_last_words() {
        let seen = Circumstances {
            last_error: Some("Refusing to bind gateway".to_owned()),
            ..Circumstances::default()
        };
        let exit = describe(Some(ExitStatus::from_raw(78 << 8)), seen);
        assert_eq!(exit.code, Some(78));
        assert!(exit.reason.contains("configuration") && exit.reason.contains("Refusing to bind"));
    }

    #[test]
    fn the_error_above_a_stack_is_told() {
        let mut words = LastWords::default();
        for line in [
            "starting",
            "Error: no package",
            "    at resolve (file:1)",
            "}",
            "",
            "Node.js v26.10.0",
        ] {
            words.hear(line.to_owned());
        }
        assert_eq!(words.tell().as_deref(), Some("Error: no package"));
    }

    #[test]
    fn a_signal_reported_like_a_shell_does_is_a_signal() {
        let exit = describe(
            Some(ExitStatus::from_raw(137 << 8)),
            Circumstances::default(),
        );
        assert_eq!((exit.code, exit.signal), (None, Some(9)));
    }

    #[test]
    fn an_asked_stop_is_no_failure() {
        let seen = Circumstances {
            wanted: Some(Wanted::Asked),
            ..Circumstances::default()
        };
        let exit = describe(Some(ExitStatus::from_raw(0)), seen);
        assert!(exit.asked);
        assert_eq!(exit.reason, "stopped as asked");
    }
}
