//! What is said about policies before they are put in force.

use fractal_policy::{Checked, FindingSeverity, PolicySet, builtin_policies, check};

fn checked(text: &str) -> Checked {
    let checked = check(text).unwrap();
    // The check promises what putting in force does.
    assert_eq!(
        checked.is_sound(),
        PolicySet::with_extra(text).is_ok(),
        "{text}: {checked:?}"
    );
    checked
}

/// Line, column, policy and message of the only finding.
fn only(text: &str) -> (usize, usize, Option<String>, String) {
    let mut findings = checked(text).findings;
    assert_eq!(findings.len(), 1, "{findings:?}");
    let one = findings.remove(0);
    let help = one.help.unwrap_or_default();
    (
        one.line,
        one.column,
        one.policy,
        format!("{} {help}", one.message),
    )
}

#[test]
fn every_built_in_policy_says_what_it_does_once() {
    let all = builtin_policies().unwrap();
    assert_eq!(all.first().unwrap().id, "own");
    assert_eq!(all.last().unwrap().id, "breakglass-console");
    assert_eq!(all.iter().filter(|policy| policy.breakglass).count(), 3);
    for policy in &all {
        assert!(policy.description.ends_with('.'), "{}", policy.id);
        assert!(policy.text.contains(&format!("@id(\"{}\")", policy.id)));
        assert!(policy.text.contains(policy.effect), "{}", policy.id);
        let same = all.iter().filter(|other| other.id == policy.id);
        assert_eq!(same.count(), 1, "{}", policy.id);
    }
}

#[test]
fn a_sound_text_gives_the_names_in_it() {
    let text = "// Ours.\n@id(\"a\")\nforbid (principal, action, resource is Settings);\n\
                @id(\"b\") @approval(\"owner:1\")\nforbid (principal, action == Action::\"engine.install\", resource);\n";
    let checked = checked(text);
    assert_eq!(checked.policies, ["a", "b"]);
    assert_eq!(checked.findings, []);
    assert_eq!(self::checked("// Nothing yet.\n").policies, [""; 0]);
}

#[test]
fn a_mistake_is_told_with_its_place() {
    // The grammar.
    let (line, column, _, message) = only("@id(\"a\")\npermit (principal, action resource);");
    assert_eq!((line, column), (2, 27), "{message}");
    // The schema: an attribute, an action, a type; columns count characters, not bytes.
    let (line, column, policy, message) = only(
        "@id(\"a\")\npermit (principal is User, action, resource)\nwhen { \"ä\" == \"ö\" || principal.rolle == \"owner\" };",
    );
    assert_eq!(
        (line, column, policy.as_deref()),
        (3, 22, Some("a")),
        "{message}"
    );
    assert!(
        message.contains("rolle") && message.contains("role"),
        "{message}"
    );
    let (line, _, policy, message) =
        only("\n\n@id(\"b\")\npermit (principal, action == Action::\"instance.creat\", resource);");
    assert_eq!((line, policy.as_deref()), (4, Some("b")), "{message}");
    assert!(message.contains("instance.create"), "{message}");
    // The rules of the house.
    let ours = "@id(\"a\") forbid (principal, action, resource is Settings);";
    for (text, line, words) in [
        (
            "forbid (principal, action, resource is Settings);".to_owned(),
            1,
            "no name",
        ),
        (format!("{ours}\n{ours}"), 2, "is taken"),
        (ours.replace("\"a\"", "\"privacy\""), 1, "is taken"),
        (format!("\n@approval(\"nobody:0\") {ours}"), 2, "owner:1"),
        (
            format!("{ours}\n@id(\"t\") permit (principal == ?principal, action, resource);"),
            2,
            "template",
        ),
    ] {
        let found = only(&text);
        assert_eq!(found.0, line, "{text}: {found:?}");
        assert!(found.3.contains(words), "{text}: {found:?}");
    }
}

#[test]
fn everything_wrong_is_told_at_once_and_a_doubt_is_no_error() {
    let two = checked(
        "@id(\"a\") permit (principal is Usr, action, resource);\n@id(\"b\") permit (principal, action, resource is Thing);",
    );
    assert_eq!(two.policies, ["a", "b"]);
    let lines: Vec<_> = two.findings.iter().map(|finding| finding.line).collect();
    assert!(lines.contains(&1) && lines.contains(&2), "{two:?}");
    let never = checked("@id(\"a\") permit (principal, action, resource) when { false };");
    assert!(never.is_sound());
    assert_eq!(never.findings[0].severity, FindingSeverity::Warning);
}
