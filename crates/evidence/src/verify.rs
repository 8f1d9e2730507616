//! Verifying an export without the house that made it. Memory stays small however long the log is.

use std::{borrow::Cow, collections::BTreeMap, io::BufRead};

use fractal_crypto::{VerifyKey, WitnessKey, commit};
use serde::Deserialize;
use serde_json::{Value, value::RawValue};

use crate::{
    checkpoint::Checkpoint,
    cosignature::{self, CosignatureError},
    export::{FORMAT, Header, WrittenOpening},
    hex,
    merkle::{Frontier, Hash, leaf_hash},
    unhex,
};

/// What an export that verifies holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The position of its first entry.
    pub first: u64,
    /// The position of its last entry; one less than `first` when it holds none.
    pub last: u64,
    /// Signed heads in it, all fitting.
    pub checkpoints: u64,
    /// Opened values, all fitting their commitments.
    pub openings: u64,
    /// Values that the exporter says were erased. Their commitments stand and nothing opens them, which cannot be told from a value
    /// that was left out.
    pub erased: u64,
    /// The root over everything up to `last`.
    pub root: Hash,
    /// Whether every known head that was brought could be held against it.
    pub known: Vec<Known>,
    /// What each witness that was asked for vouches for, in the order they were named.
    pub witnessed: Vec<Witnessed>,
}

/// What a witness vouches for: that nobody was shown another history of the log up to this size by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witnessed {
    /// Which witness.
    pub name: String,
    /// The largest size that it cosigned, of those in the export. Entries behind it nobody but the log's own key vouches for yet.
    pub size: u64,
    /// When it did, in seconds since 1970, by its own clock.
    pub time: u64,
}

/// What became of a head that the verifier knew before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// The log of that size is a beginning of this one.
    Confirmed(u64),
    /// It lies before the first entry; only a proof of consistency, or an export from the beginning, tells.
    BeforeTheExport(u64),
}

/// The first thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The file cannot be read.
    #[error("line {line}: it cannot be read ({why})")]
    Unreadable {
        /// The line, from 1.
        line: u64,
        /// Why.
        why: String,
    },
    /// Not an export of evidence.
    #[error("line {line}: {what}; is this a file of `fractal evidence export`?")]
    Shape {
        /// The line, from 1.
        line: u64,
        /// What was expected.
        what: &'static str,
    },
    /// Another log than the key's.
    #[error("the export is of the log {found}, and the key is of {expected}")]
    OtherLog {
        /// Whose it is.
        found: String,
        /// Whose it should be.
        expected: String,
    },
    /// The positions do not follow each other.
    #[error(
        "entry {expected} is not where it should be: line {line} holds entry {found} instead; an entry was removed, inserted or moved"
    )]
    Order {
        /// The position that should stand there.
        expected: u64,
        /// The position that does.
        found: u64,
        /// The line, from 1.
        line: u64,
    },
    /// An entry differs from the hash beside it.
    #[error(
        "entry {seq} was changed: its content does not have the hash that stands beside it (line {line})"
    )]
    Changed {
        /// Its position.
        seq: u64,
        /// The line, from 1.
        line: u64,
    },
    /// A value does not fit its commitment.
    #[error(
        "entry {seq}: the opened value of {field:?} is not the one that was committed to (line {line})"
    )]
    Opening {
        /// The entry's position.
        seq: u64,
        /// Which value.
        field: String,
        /// The line, from 1.
        line: u64,
    },
    /// A head is not signed, or stands in a wrong place.
    #[error("line {line}: the checkpoint cannot be used: {why}")]
    Checkpoint {
        /// The line, from 1.
        line: u64,
        /// Why.
        why: String,
    },
    /// Entries that are sound one by one are not those that were signed.
    #[error(
        "the entries {first} to {last} do not have the root that was signed: the first bad entry is among them"
    )]
    Root {
        /// The first entry that no earlier head covers.
        first: u64,
        /// The entry at which it shows.
        last: u64,
    },
    /// The end is under no signature.
    #[error(
        "the entries from {first} on stand under no checkpoint; the export was cut, or entries were added"
    )]
    Unsigned {
        /// The first of them.
        first: u64,
    },
    /// A cosignature is in a witness's name, and not by it.
    #[error("line {line}: {why}")]
    Cosignature {
        /// The line, from 1.
        line: u64,
        /// Why.
        why: String,
    },
    /// A witness that must have cosigned did not.
    #[error(
        "no checkpoint in the export is cosigned by {witness}, so it vouches for none of these entries; was it added to this installation, and asked since?"
    )]
    Unwitnessed {
        /// Which.
        witness: String,
    },
    /// A head that is known covers more than there is.
    #[error(
        "the log was truncated: a known checkpoint covers {known} entries, the export ends at {last}"
    )]
    Truncated {
        /// What the known head covers.
        known: u64,
        /// Where the export ends.
        last: u64,
    },
    /// A head that is known is of another history.
    #[error(
        "the log was rewritten: its first {known} entries are not those of the known checkpoint"
    )]
    Rewritten {
        /// What the known head covers.
        known: u64,
    },
}

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow, default)]
    leaf: Option<&'a RawValue>,
    #[serde(borrow, default)]
    hash: Option<Cow<'a, str>>,
    #[serde(default)]
    openings: Option<BTreeMap<String, WrittenOpening>>,
    #[serde(default)]
    erased: Vec<String>,
    #[serde(borrow, default)]
    checkpoint: Option<Cow<'a, str>>,
}

/// Verifies an export with the key of its log, and holds it against heads that are known from before. Each of these witnesses must have
/// cosigned a head in it that covers entries of it; how far, the report says.
///
/// # Errors
/// The first [`Fault`].
pub fn verify(
    mut export: impl BufRead,
    key: &VerifyKey,
    known: &[Checkpoint],
    witnesses: &[WitnessKey],
) -> Result<Report, Fault> {
    let mut text = String::new();
    let mut line = 0;
    next(&mut export, &mut text, &mut line)?;
    let header: Header = serde_json::from_str(&text).map_err(|_| Fault::Shape {
        line,
        what: "a header was expected",
    })?;
    let mut check = Check::begin(&header, key, known, witnesses, line)?;
    loop {
        text.clear();
        if !next(&mut export, &mut text, &mut line)? {
            break;
        }
        let read: Line<'_> = serde_json::from_str(&text).map_err(|_| Fault::Shape {
            line,
            what: "an entry or a checkpoint was expected",
        })?;
        match (read.leaf, read.checkpoint) {
            (Some(leaf), None) => {
                check.entry(leaf.get(), read.hash.as_deref(), read.openings, line)?;
                check.erased += read.erased.len() as u64;
            }
            (None, Some(note)) => check.head(&note, line)?,
            _ => {
                return Err(Fault::Shape {
                    line,
                    what: "an entry or a checkpoint was expected",
                });
            }
        }
    }
    check.end()
}

fn next(export: &mut impl BufRead, text: &mut String, line: &mut u64) -> Result<bool, Fault> {
    *line += 1;
    export
        .read_line(text)
        .map(|read| read > 0)
        .map_err(|error| Fault::Unreadable {
            line: *line,
            why: error.to_string(),
        })
}

struct Check<'a> {
    key: &'a VerifyKey,
    tree: Frontier,
    first: u64,
    /// Entries that a signed head covers.
    signed: u64,
    checkpoints: u64,
    openings: u64,
    erased: u64,
    /// Known heads that are ahead, the next one last.
    ahead: Vec<&'a Checkpoint>,
    known: Vec<Known>,
    witnesses: &'a [WitnessKey],
    /// What each of them vouches for so far.
    witnessed: Vec<Option<Witnessed>>,
}

impl<'a> Check<'a> {
    fn begin(
        header: &Header,
        key: &'a VerifyKey,
        known: &'a [Checkpoint],
        witnesses: &'a [WitnessKey],
        line: u64,
    ) -> Result<Self, Fault> {
        if header.format != FORMAT {
            return Err(Fault::Shape {
                line,
                what: "another version of the form; use the `fractal` of the release that wrote it",
            });
        }
        if header.origin != key.name() {
            return Err(Fault::OtherLog {
                found: header.origin.clone(),
                expected: key.name().to_owned(),
            });
        }
        let peaks: Option<Vec<Hash>> = header.frontier.iter().map(|text| unhex(text)).collect();
        let tree = header
            .first
            .checked_sub(1)
            .zip(peaks)
            .and_then(|(size, peaks)| Frontier::new(size, peaks))
            .ok_or(Fault::Shape {
                line,
                what: "the edge before the first entry is broken",
            })?;
        let mut ahead: Vec<&Checkpoint> = known.iter().collect();
        ahead.sort_by_key(|head| std::cmp::Reverse(head.size));
        let mut check = Self {
            key,
            first: header.first,
            signed: tree.size(),
            tree,
            checkpoints: 0,
            openings: 0,
            erased: 0,
            ahead,
            known: Vec::new(),
            witnesses,
            witnessed: vec![None; witnesses.len()],
        };
        while let Some(head) = check.ahead.pop_if(|head| head.size < check.tree.size()) {
            check.known.push(Known::BeforeTheExport(head.size));
        }
        check.compare_known()?;
        Ok(check)
    }

    fn compare_known(&mut self) -> Result<(), Fault> {
        let size = self.tree.size();
        while let Some(head) = self.ahead.pop_if(|head| head.size == size) {
            if head.root != self.tree.root() {
                return Err(Fault::Rewritten { known: head.size });
            }
            self.known.push(Known::Confirmed(size));
        }
        Ok(())
    }

    fn entry(
        &mut self,
        leaf: &str,
        hash: Option<&str>,
        openings: Option<BTreeMap<String, WrittenOpening>>,
        line: u64,
    ) -> Result<(), Fault> {
        let seq = self.tree.size() + 1;
        let found = position(leaf).ok_or(Fault::Shape {
            line,
            what: "an entry without its position",
        })?;
        if found != seq {
            return Err(Fault::Order {
                expected: seq,
                found,
                line,
            });
        }
        let computed = leaf_hash(leaf.as_bytes());
        if hash.and_then(unhex) != Some(computed) {
            return Err(Fault::Changed { seq, line });
        }
        if let Some(openings) = openings {
            self.open(leaf, openings, seq, line)?;
        }
        self.tree.push(computed);
        self.compare_known()
    }

    fn open(
        &mut self,
        leaf: &str,
        openings: BTreeMap<String, WrittenOpening>,
        seq: u64,
        line: u64,
    ) -> Result<(), Fault> {
        let leaf: Value = serde_json::from_str(leaf).map_err(|_| Fault::Shape {
            line,
            what: "an entry that is no JSON",
        })?;
        for (field, opening) in openings {
            let committed = unhex(&opening.salt)
                .map(|salt| hex(&commit(&salt, &opening.value)))
                .is_some_and(|computed| leaf["commitments"][&field] == computed.as_str());
            if !committed {
                return Err(Fault::Opening { seq, field, line });
            }
            self.openings += 1;
        }
        Ok(())
    }

    fn head(&mut self, note: &str, line: u64) -> Result<(), Fault> {
        let head = Checkpoint::open(note, self.key).map_err(|why| Fault::Checkpoint {
            line,
            why: why.to_string(),
        })?;
        let last = self.tree.size();
        if head.size != last {
            return Err(Fault::Checkpoint {
                line,
                why: format!(
                    "it covers {} entries and stands after entry {last}; entries or checkpoints were removed or moved",
                    head.size
                ),
            });
        }
        if head.root != self.tree.root() {
            return Err(Fault::Root {
                first: self.signed + 1,
                last,
            });
        }
        self.signed = last;
        self.checkpoints += 1;
        self.cosigned(note, last, line)
    }

    fn cosigned(&mut self, note: &str, size: u64, line: u64) -> Result<(), Fault> {
        for (key, witnessed) in self.witnesses.iter().zip(&mut self.witnessed) {
            match cosignature::of_note(note, key) {
                Ok(found) => {
                    *witnessed = Some(Witnessed {
                        name: key.name().to_owned(),
                        size,
                        time: found.time,
                    });
                }
                Err(CosignatureError::Missing(_)) => {}
                Err(why) => {
                    return Err(Fault::Cosignature {
                        line,
                        why: why.to_string(),
                    });
                }
            }
        }
        Ok(())
    }

    fn end(self) -> Result<Report, Fault> {
        let last = self.tree.size();
        if self.signed != last || self.checkpoints == 0 {
            return Err(Fault::Unsigned {
                first: self.signed + 1,
            });
        }
        if let Some(head) = self.ahead.last() {
            return Err(Fault::Truncated {
                known: head.size,
                last,
            });
        }
        let mut witnessed = Vec::with_capacity(self.witnesses.len());
        for (key, found) in self.witnesses.iter().zip(self.witnessed) {
            witnessed.push(found.ok_or_else(|| Fault::Unwitnessed {
                witness: key.name().to_owned(),
            })?);
        }
        Ok(Report {
            first: self.first,
            last,
            checkpoints: self.checkpoints,
            openings: self.openings,
            erased: self.erased,
            root: self.tree.root(),
            known: self.known,
            witnessed,
        })
    }
}

/// The position in a leaf. Canonical JSON has only `via` after it, and in a text of JSON a quote is written with a backslash,
/// so the last occurrence is the member.
fn position(leaf: &str) -> Option<u64> {
    const NAME: &str = "\"seq\":";
    let from = leaf.rfind(NAME)? + NAME.len();
    let digits = leaf[from..].bytes().take_while(u8::is_ascii_digit).count();
    leaf[from..from + digits].parse().ok()
}
