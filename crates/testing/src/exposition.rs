//! Reads metrics in the text exposition format (version 0.0.4) and refuses what a scraper might: it is written after the grammar of the
//! format, not after what we print.

use std::collections::{BTreeMap, BTreeSet};

/// One metric with all its series.
#[derive(Debug, Clone, PartialEq)]
pub struct Family {
    /// `counter`, `gauge` or `histogram`.
    pub kind: String,
    /// What it is, in words.
    pub help: String,
    /// Every series: labels and value. Those of a histogram keep their suffix as the label `__suffix__`.
    pub samples: Vec<Sample>,
}

/// One line.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Labels by name.
    pub labels: BTreeMap<String, String>,
    /// The value.
    pub value: f64,
}

/// Metrics by name.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Exposition(pub BTreeMap<String, Family>);

impl Exposition {
    /// Reads a whole page.
    ///
    /// # Errors
    ///
    /// The first line that breaks a rule, and which rule.
    pub fn parse(text: &str) -> Result<Self, String> {
        if !text.is_empty() && !text.ends_with('\n') {
            return Err("the last line has no end".into());
        }
        let mut read = Reader::default();
        for line in text.lines().filter(|line| !line.is_empty()) {
            read.line(line).map_err(|why| format!("{why}: {line:?}"))?;
        }
        let page = Self(read.families);
        for (name, family) in &page.0 {
            family.check(name).map_err(|why| format!("{name}: {why}"))?;
        }
        Ok(page)
    }

    /// The value of the only series with these labels, and perhaps others; 0 when there is none.
    #[must_use]
    pub fn value(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        self.0.get(name).map_or(0.0, |family| {
            let fits = |sample: &&Sample| {
                labels
                    .iter()
                    .all(|(key, value)| sample.labels.get(*key).is_some_and(|has| has == value))
            };
            family
                .samples
                .iter()
                .filter(fits)
                .map(|one| one.value)
                .sum()
        })
    }
}

#[derive(Default)]
struct Reader {
    families: BTreeMap<String, Family>,
    helps: BTreeMap<String, String>,
    open: Option<String>,
    seen: BTreeSet<String>,
}

impl Reader {
    fn line(&mut self, line: &str) -> Result<(), String> {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').ok_or("HELP without words")?;
            if self.helps.insert(name.into(), help.into()).is_some() {
                return Err("a second HELP".into());
            }
            return Ok(());
        }
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').ok_or("TYPE without a kind")?;
            if !["counter", "gauge", "histogram"].contains(&kind) {
                return Err(format!("\"{kind}\" is no kind we use"));
            }
            if !is_name(name, true) {
                return Err("no name of a metric".into());
            }
            let family = Family {
                kind: kind.into(),
                help: self.helps.get(name).cloned().unwrap_or_default(),
                samples: Vec::new(),
            };
            self.open = Some(name.into());
            return match self.families.insert(name.into(), family) {
                None => Ok(()),
                Some(_) => Err("a second TYPE, or series that do not stand together".into()),
            };
        }
        if line.starts_with('#') {
            return Ok(());
        }
        self.sample(line)
    }

    fn sample(&mut self, line: &str) -> Result<(), String> {
        let end = line
            .find(['{', ' '])
            .ok_or("neither labels nor a value follow the name")?;
        let (full, rest) = line.split_at(end);
        let (mut labels, rest) = if let Some(inside) = rest.strip_prefix('{') {
            labels(inside)?
        } else {
            (BTreeMap::new(), rest)
        };
        let mut parts = rest.split_ascii_whitespace();
        let value = number(parts.next().ok_or("no value")?)?;
        if let Some(at) = parts.next() {
            at.parse::<i64>().map_err(|_| "no timestamp")?;
        }
        if parts.next().is_some() {
            return Err("something stands behind the value".into());
        }
        let series = line.rsplit_once(' ').map_or(line, |(series, _)| series);
        if !self.seen.insert(series.to_owned()) {
            return Err("the same series twice".into());
        }
        let name = self.open.as_ref().ok_or("a sample before any TYPE")?;
        let family = self.families.get_mut(name).ok_or("no family")?;
        let suffix = full
            .strip_prefix(name.as_str())
            .ok_or("a sample that does not belong to the TYPE above it")?;
        let known: &[&str] = if family.kind == "histogram" {
            &["_bucket", "_sum", "_count"]
        } else {
            &[""]
        };
        if !known.contains(&suffix) {
            return Err(format!("\"{suffix}\" does not end a {}", family.kind));
        }
        if !suffix.is_empty() {
            labels.insert("__suffix__".into(), suffix.trim_start_matches('_').into());
        }
        family.samples.push(Sample { labels, value });
        Ok(())
    }
}

impl Family {
    fn check(&self, name: &str) -> Result<(), String> {
        if self.help.is_empty() {
            return Err("it says nothing about itself".into());
        }
        if self.kind == "counter" {
            if !name.ends_with("_total") {
                return Err("a counter ends in _total".into());
            }
            if self.samples.iter().any(|sample| sample.value < 0.0) {
                return Err("a counter below zero".into());
            }
        }
        if self.kind != "histogram" {
            return Ok(());
        }
        let mut series: BTreeMap<Vec<(String, String)>, Vec<&Sample>> = BTreeMap::new();
        for sample in &self.samples {
            let own = sample
                .labels
                .iter()
                .filter(|(key, _)| !["le", "__suffix__"].contains(&key.as_str()))
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect();
            series.entry(own).or_default().push(sample);
        }
        series.values().try_for_each(|samples| histogram(samples))
    }
}

/// Buckets grow, the last is infinite and holds as many as are counted.
fn histogram(samples: &[&Sample]) -> Result<(), String> {
    let with = |suffix: &'static str| {
        samples
            .iter()
            .filter(move |sample| sample.labels["__suffix__"] == suffix)
    };
    let (Some(count), Some(_)) = (with("count").next(), with("sum").next()) else {
        return Err("a histogram without count or sum".into());
    };
    let mut before = (f64::NEG_INFINITY, 0.0);
    for bucket in with("bucket") {
        let bound = number(bucket.labels.get("le").ok_or("a bucket without le")?)?;
        if bound <= before.0 || bucket.value < before.1 {
            return Err(format!("bucket {bound} is out of order"));
        }
        before = (bound, bucket.value);
    }
    if before.0 != f64::INFINITY || before.1 != count.value {
        return Err("the last bucket is not the count".into());
    }
    Ok(())
}

/// Labels up to the closing brace, and what follows it.
fn labels(mut rest: &str) -> Result<(BTreeMap<String, String>, &str), String> {
    let mut found = BTreeMap::new();
    loop {
        if let Some(after) = rest.strip_prefix('}') {
            return Ok((found, after));
        }
        let (name, after) = rest.split_once("=\"").ok_or("a label without a value")?;
        if !is_name(name, false) {
            return Err(format!("\"{name}\" is no name of a label"));
        }
        let mut value = String::new();
        let mut chars = after.char_indices();
        let end = loop {
            match chars.next().ok_or("a label that does not end")? {
                (at, '"') => break at,
                (_, '\\') => value.push(match chars.next() {
                    Some((_, 'n')) => '\n',
                    Some((_, c @ ('\\' | '"'))) => c,
                    _ => return Err("an unknown escape".into()),
                }),
                (_, c) => value.push(c),
            }
        };
        if found.insert(name.to_owned(), value).is_some() {
            return Err(format!("the label {name} twice"));
        }
        rest = &after[end + 1..];
        rest = rest.strip_prefix(',').unwrap_or(rest);
    }
}

fn is_name(name: &str, colons: bool) -> bool {
    let letter = |c: char| c.is_ascii_alphabetic() || c == '_' || colons && c == ':';
    name.starts_with(letter) && name.chars().all(|c| letter(c) || c.is_ascii_digit())
}

fn number(text: &str) -> Result<f64, String> {
    match text {
        "+Inf" => Ok(f64::INFINITY),
        "-Inf" => Ok(f64::NEG_INFINITY),
        "NaN" => Ok(f64::NAN),
        _ => text.parse().map_err(|_| format!("\"{text}\" is no number")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "# HELP a_total Things.\n# TYPE a_total counter\na_total{x=\"1\\\"2\",y=\"\"} 3\na_total{x=\"2\"} 4\n\n\
        # HELP b_seconds Time.\n# TYPE b_seconds histogram\nb_seconds_bucket{le=\"0.1\"} 1\nb_seconds_bucket{le=\"+Inf\"} 2\n\
        b_seconds_sum 1.5\nb_seconds_count 2\n";

    #[test]
    fn a_sound_page_is_read() {
        let page = Exposition::parse(GOOD).unwrap();
        assert_eq!(page.value("a_total", &[]), 7.0);
        assert_eq!(page.value("a_total", &[("x", "1\"2")]), 3.0);
        assert_eq!(page.value("b_seconds", &[("__suffix__", "count")]), 2.0);
        assert_eq!(page.value("c", &[]), 0.0);
    }

    #[test]
    fn broken_pages_are_refused() {
        for (from, to) in [
            ("a_total{x=\"2\"} 4", "a_total{x=\"2\"} four"),
            ("a_total{x=\"2\"} 4", "a_total{x=\"1\\\"2\",y=\"\"} 4"),
            ("a_total{x=\"2\"} 4", "a_total{x=\"2\" 4"),
            ("a_total{x=\"2\"} 4", "a_total{2=\"2\"} 4"),
            ("a_total{x=\"2\"} 4", "b_total{x=\"2\"} 4"),
            ("a_total{x=\"2\"} 4", "a_total{x=\"2\"} -4"),
            ("# HELP a_total Things.\n", ""),
            ("# TYPE a_total counter\n", ""),
            ("counter", "summary"),
            ("le=\"0.1\"} 1", "le=\"0.1\"} 3"),
            ("le=\"+Inf\"} 2", "le=\"5\"} 2"),
            ("b_seconds_sum 1.5\n", ""),
            ("b_seconds_count 2\n", "b_seconds_count 2"),
            ("b_seconds_count 2", "b_seconds_count 9"),
        ] {
            let text = GOOD.replacen(from, to, 1);
            assert_ne!(text, GOOD);
            assert!(Exposition::parse(&text).is_err(), "{text}");
        }
    }
}
