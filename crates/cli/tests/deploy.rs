//! Files of `deploy/` and pages of `docs/operations` keep what they say.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[test]
fn systemd_takes_the_unit_and_it_keeps_agents_over_a_restart() {
    let unit = fs::read_to_string(root().join("deploy/fractal.service")).unwrap();
    let says = |line: &str| unit.lines().any(|one| one == line);
    assert!(says("KillMode=process"), "supervisors must outlive it");
    assert!(says("KillSignal=SIGTERM"), "which keeps agents");
    assert!(says("ExecStart=/usr/local/bin/fractal serve"));
    for forbidden in [
        "NoNewPrivileges=yes",
        "PrivateUsers=yes",
        "RestrictNamespaces=yes",
    ] {
        assert!(!says(forbidden), "{forbidden} keeps agents from starting");
    }
    if Command::new("systemd-analyze")
        .arg("--version")
        .output()
        .is_err()
    {
        return fractal_testing::skipped("there is no systemd-analyze on this machine");
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fractal.service");
    let here = unit.replace("/usr/local/bin/fractal", env!("CARGO_BIN_EXE_fractal"));
    fs::write(&path, here).unwrap();
    let verdict = Command::new("systemd-analyze")
        .arg("verify")
        .arg(&path)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&verdict.stderr);
    assert!(verdict.status.success() && said.is_empty(), "{said}");
}

/// Addresses in Markdown links, without those of other hosts.
fn links(text: &str) -> Vec<&str> {
    text.split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next())
        .filter(|link| !link.contains("://") && !link.starts_with('#'))
        .map(|link| link.split('#').next().unwrap_or(link))
        .collect()
}

#[test]
fn every_page_for_operators_is_listed_and_no_link_leads_nowhere() {
    let folder = root().join("docs/operations");
    let index = fs::read_to_string(folder.join("README.md")).unwrap();
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    assert!(links(&readme).contains(&"docs/operations/README.md"));
    for entry in fs::read_dir(&folder).unwrap().flatten() {
        let name = entry.file_name().into_string().unwrap();
        assert!(
            name == "README.md" || links(&index).contains(&name.as_str()),
            "{name} is not in the list"
        );
        let text = fs::read_to_string(entry.path()).unwrap();
        for link in links(&text) {
            assert!(folder.join(link).exists(), "{name} links {link}");
        }
        // Tests that a page names as its witness.
        for path in text.split('`').filter(|word| word.starts_with("crates/")) {
            let file = path.split("::").next().unwrap_or(path);
            assert!(root().join(file).exists(), "{name} names {path}");
        }
    }
}

#[test]
fn pages_name_only_commands_and_flags_that_there_are() {
    let reference = fs::read_to_string(root().join("docs/reference/cli.md")).unwrap();
    let mut unknown = Vec::new();
    for entry in fs::read_dir(root().join("docs/operations"))
        .unwrap()
        .flatten()
    {
        let text = fs::read_to_string(entry.path()).unwrap();
        for command in text.split("fractal ").skip(1) {
            // Up to the end of the code, or of the line.
            let command = command
                .split(['`', '\n', '#', '|'])
                .next()
                .unwrap_or_default();
            for flag in command
                .split_whitespace()
                .filter(|word| word.starts_with("--"))
            {
                let flag = flag.trim_end_matches([',', '.', ';', ')']);
                if !reference.contains(flag) {
                    unknown.push(format!("{flag} in {:?}", entry.file_name()));
                }
            }
        }
    }
    assert!(unknown.is_empty(), "{unknown:?}");
}
