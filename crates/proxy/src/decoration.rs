//! What a gateway wraps around a person's words, and how to take it off again.
//!
//! Measured with engine 2026.9.6; the shapes stand in the documentation of `fractal_openclaw`.

const CONTEXT_BEGIN: &str = "<<<BEGIN_OPENCLAW_INTERNAL_CONTEXT>>>";
const CONTEXT_END: &str = "<<<END_OPENCLAW_INTERNAL_CONTEXT>>>";

/// The person's words in a user message, `None` when the message holds none of theirs.
#[must_use]
pub fn undecorated(text: &str) -> Option<String> {
    let mut rest = without_context(text);
    // The first turn of a session ends with a line of facts; `name=` comes before `agent=` when there is one.
    if let Some(at) = rest.rfind("\n\nRuntime: ")
        && rest[at..].contains("agent=")
        && rest[at..].contains(" | session=")
    {
        rest.truncate(at);
    }
    let words = without_time(rest.trim_start());
    let lines: Vec<&str> = words
        .lines()
        .filter(|line| !line.starts_with("[media attached") || !line.ends_with(']'))
        .collect();
    let words = lines.join("\n");
    let words = words
        .split("\n<file name=")
        .next()
        .unwrap_or_default()
        .trim();
    (!words.is_empty()).then(|| words.to_owned())
}

fn without_context(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(CONTEXT_BEGIN) {
        out.push_str(before);
        // An unclosed block runs to the end of the message.
        rest = after.split_once(CONTEXT_END).map_or("", |(_, after)| after);
    }
    out.push_str(rest);
    out
}

/// Takes off `[Sat 2026-11-21 10:27 UTC] `. The shape is checked, so that a person's own bracket stays.
fn without_time(text: &str) -> &str {
    let Some((stamp, rest)) = text.strip_prefix('[').and_then(|text| text.split_once(']')) else {
        return text;
    };
    let mut words = stamp.split(' ');
    let looks_like_time = words.next().is_some_and(|day| day.len() == 3)
        && words
            .next()
            .is_some_and(|date| date.len() == 10 && date.split('-').count() == 3)
        && words.next().is_some_and(|time| time.contains(':'));
    if looks_like_time {
        rest.trim_start()
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_turn_of_a_session_loses_time_and_runtime_line() {
        let text = "[Sat 2026-11-21 10:32 UTC] What is my name, friend?\n\nRuntime: agent=main | session=agent:main:main";
        assert_eq!(undecorated(text).unwrap(), "What is my name, friend?");
        let named = text.replace("agent=main", "name=Ada | agent=main");
        assert_eq!(undecorated(&named).unwrap(), "What is my name, friend?");
    }

    #[test]
    fn a_message_of_context_only_holds_no_words() {
        let text = format!("{CONTEXT_BEGIN}\nActive exec sessions: none\n{CONTEXT_END}");
        assert_eq!(undecorated(&text), None);
        assert_eq!(undecorated(CONTEXT_BEGIN), None);
    }

    #[test]
    fn attachments_leave_only_the_words() {
        let text = "[Sat 2026-11-21 10:32 UTC] [media attached: 2 files]\n[media attached 1/2: /ws/a.txt (text/plain)]\nsee attached\n[media attached: media://inbound/note.txt]\n\n<file name=\"note.txt\" mime=\"text/plain\">\nx\n</file>";
        assert_eq!(undecorated(text).unwrap(), "see attached");
    }

    #[test]
    fn a_bracket_of_the_person_stays() {
        assert_eq!(undecorated("[draft] hello").unwrap(), "[draft] hello");
    }

    proptest::proptest! {
        #[test]
        fn no_text_breaks_it(text in "\\PC{0,80}") {
            let _ = undecorated(&text);
            let _ = undecorated(&format!("[{text}] {CONTEXT_BEGIN}{text}"));
        }
    }
}
