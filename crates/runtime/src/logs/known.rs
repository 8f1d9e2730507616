//! The secrets a log must not show, and how they are found in it.
//!
//! Their owner decides how many there are and how they look, but they are looked for outside of the sandbox. So their number and size
//! are bounded, and the time a line takes depends on its length only.

use std::{collections::HashSet, fmt, ops::Range};

use aho_corasick::{
    Anchored,
    automaton::{Automaton, StateID},
    nfa::contiguous::NFA,
};
use secrecy::{ExposeSecret, SecretString};

/// Shorter ones are not looked for: they would tear ordinary words apart.
const SHORTEST: usize = 6;

/// How many lines of one secret are known. A key in PEM has about fifty.
const MOST_OF_ONE: usize = 64;

/// How many lines are known in all.
const MOST: usize = 2000;

/// How many bytes they may have in all; finding them takes a multiple of it in memory. Twice what one person may store.
const MOST_BYTES: usize = 512 << 10;

/// How many of those known from the start are never forgotten.
const MOST_KEPT: usize = MOST / 2;

/// Known secrets.
pub(super) struct Known {
    /// Known from the start; never forgotten.
    kept: Vec<SecretString>,
    /// All others, the newest first.
    learnt: Vec<SecretString>,
    /// Finds them. `None` when it could not be built; the bounds above are far below its own.
    finder: Option<NFA>,
}

impl fmt::Debug for Known {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} known", self.kept.len() + self.learnt.len())
    }
}

impl Known {
    /// Knows these. The longest line of each, which is all of a token, is never forgotten.
    pub(super) fn new<'a>(secrets: impl IntoIterator<Item = &'a SecretString>) -> Self {
        let ranks = ranks(secrets);
        let mut room = Room::new(MOST_KEPT, MOST_BYTES / 2);
        let first = ranks.first().into_iter().flatten();
        let kept = first
            .filter(|line| room.takes(line))
            .map(|line| owned(line));
        let mut known = Self {
            kept: kept.collect(),
            learnt: Vec::new(),
            finder: None,
        };
        known.take(&ranks);
        known
    }

    /// Knows these, too. Where there is no room for all, the oldest are forgotten.
    pub(super) fn learn<'a>(&mut self, secrets: impl IntoIterator<Item = &'a SecretString>) {
        self.take(&ranks(secrets));
    }

    fn take(&mut self, ranks: &[Vec<&str>]) {
        let mut room = Room::new(MOST, MOST_BYTES);
        for secret in &self.kept {
            room.takes(secret.expose_secret());
        }
        let new = ranks.iter().flatten().copied();
        let old = self.learnt.iter().map(ExposeSecret::expose_secret);
        let learnt: Vec<&str> = new.chain(old).filter(|line| room.takes(line)).collect();
        let known = self.learnt.iter().map(ExposeSecret::expose_secret);
        // The same is said over and over; the finder takes its time to build.
        if self.finder.is_some() && known.eq(learnt.iter().copied()) {
            return;
        }
        self.learnt = learnt.into_iter().map(owned).collect();
        let all = self.kept.iter().chain(&self.learnt);
        self.finder = NFA::new(all.map(ExposeSecret::expose_secret)).ok();
    }

    /// The text with `mark` in place of secrets.
    pub(super) fn clean(&self, text: &str, mark: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut at = 0;
        let Some(places) = self.places(text) else {
            // Rather nothing than a secret.
            return mark.to_owned();
        };
        for place in places {
            out.push_str(&text[at..place.start]);
            out.push_str(mark);
            at = place.end;
        }
        out.push_str(&text[at..]);
        out
    }

    /// Where secrets stand, in order. Those that overlap are one place, so that of neither a rest is left.
    fn places(&self, text: &str) -> Option<Vec<Range<usize>>> {
        let finder = self.finder.as_ref()?;
        let mut places: Vec<Range<usize>> = Vec::new();
        let mut state = finder.start_state(Anchored::No).ok()?;
        for (at, byte) in text.bytes().enumerate() {
            state = finder.next_state(Anchored::No, state, byte);
            let Some(length) = longest(finder, state) else {
                continue;
            };
            let mut place = at + 1 - length..at + 1;
            while let Some(last) = places.pop_if(|last| last.end > place.start) {
                place.start = place.start.min(last.start);
            }
            places.push(place);
        }
        Some(places)
    }
}

/// The length of the longest secret that ends here. A state names its own first and then those that are the end of it, which are
/// shorter and lie inside.
fn longest(finder: &NFA, state: StateID) -> Option<usize> {
    (finder.is_special(state) && finder.is_match(state))
        .then(|| finder.pattern_len(finder.match_pattern(state, 0)))
}

/// The lines of secrets: first the longest one of each, then the second of each, and so on; so a secret of many lines takes no room
/// from another one.
fn ranks<'a>(secrets: impl IntoIterator<Item = &'a SecretString>) -> Vec<Vec<&'a str>> {
    let mut ranks: Vec<Vec<&str>> = Vec::new();
    for secret in secrets {
        let mut seen = HashSet::new();
        let mut lines: Vec<&str> = secret
            .expose_secret()
            .lines()
            .map(str::trim)
            .filter(|line| line.len() >= SHORTEST && seen.insert(*line))
            .collect();
        lines.sort_by_key(|line| std::cmp::Reverse(line.len()));
        for (rank, line) in lines.into_iter().take(MOST_OF_ONE).enumerate() {
            if ranks.len() <= rank {
                ranks.push(Vec::new());
            }
            ranks[rank].push(line);
        }
    }
    ranks
}

fn owned(line: &str) -> SecretString {
    SecretString::from(line.to_owned())
}

/// What may still be known.
struct Room<'a> {
    seen: HashSet<&'a str>,
    lines: usize,
    bytes: usize,
}

impl<'a> Room<'a> {
    fn new(lines: usize, bytes: usize) -> Self {
        Self {
            seen: HashSet::new(),
            lines,
            bytes,
        }
    }

    /// Whether there is room for one more, which then is taken; there is none for what is known already.
    fn takes(&mut self, line: &'a str) -> bool {
        if self.lines == 0 || self.bytes < line.len() || !self.seen.insert(line) {
            return false;
        }
        self.lines -= 1;
        self.bytes -= line.len();
        true
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MARK: &str = "[redacted]";

    fn secrets(all: impl IntoIterator<Item = String>) -> Vec<SecretString> {
        all.into_iter().map(SecretString::from).collect()
    }

    fn knows(known: &Known, text: &str) -> bool {
        known.clean(text, MARK) == MARK
    }

    proptest! {
        #[test]
        fn every_character_of_every_secret_is_covered(all in prop::collection::vec("[ab]{6,9}", 0..8), text in "[ab]{0,60}") {
            let known = Known::new(&secrets(all.clone()));
            let mut covered = vec![false; text.len()];
            for secret in &all {
                for at in 0..text.len() {
                    if text[at..].starts_with(secret.as_str()) {
                        covered[at..at + secret.len()].fill(true);
                    }
                }
            }
            let mut found = vec![false; text.len()];
            for place in known.places(&text).unwrap() {
                found[place].fill(true);
            }
            prop_assert_eq!(found, covered);
        }
    }

    #[test]
    fn a_hundred_values_of_short_lines_are_known_in_part_and_each_fairly() {
        let value = |n: usize| (0..1170).map(|line| format!("{n:02}{line:04}\n")).collect();
        let mut known = Known::new([&SecretString::from("the-token-of-the-start")]);
        known.learn(&secrets((0..100).map(value)));
        assert_eq!(known.kept.len() + known.learnt.len(), MOST);
        for n in 0..100 {
            assert!(knows(&known, &format!("{n:02}0000")), "{n}");
        }
        assert!(knows(&known, "the-token-of-the-start"));
    }

    #[test]
    fn of_one_value_the_longest_lines_are_known() {
        let lines = (0..1000).map(|n| format!("{}{n:04}\n", "x".repeat(n % 500)));
        let known = Known::new(&secrets([lines.collect()]));
        assert_eq!(known.kept.len() + known.learnt.len(), MOST_OF_ONE);
        assert!(knows(&known, &format!("{}0499", "x".repeat(499))));
    }

    #[test]
    fn the_oldest_are_forgotten_and_those_of_the_start_never() {
        let mut known = Known::new(&secrets(["first-token".into(), "second-token".into()]));
        for n in 0..2 * MOST {
            if n % 500 == 0 {
                // Said again, it is new again.
                known.learn(&secrets(["still-stored".into()]));
            }
            if n % 100 == 0 {
                known.learn(&secrets((n..n + 100).map(|n| format!("value-{n:05}"))));
            }
        }
        for text in ["first-token", "second-token", "still-stored", "value-03999"] {
            assert!(knows(&known, text), "{text}");
        }
        assert!(!knows(&known, "value-00000"));
        assert_eq!(known.kept.len() + known.learnt.len(), MOST);
    }

    #[test]
    fn long_values_are_bounded_by_their_bytes() {
        let mut known = Known::new([]);
        for n in 0..4 {
            known.learn(&secrets(
                (0..32).map(|m| format!("{n}-{m}-{}", "x".repeat(8000))),
            ));
        }
        let all = known.learnt.iter().map(|one| one.expose_secret().len());
        assert!(all.sum::<usize>() <= MOST_BYTES);
        for m in 0..32 {
            assert!(knows(&known, &format!("3-{m}-{}", "x".repeat(8000))), "{m}");
        }
    }
}
