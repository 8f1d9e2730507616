//! `docs/reference/cli.md` and `docs/reference/problems.md` say what the program says.
//! `FRACTAL_REGENERATE=1 cargo test -p fractal-cli --test reference` writes them again.

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
};

use clap::{Command, CommandFactory};
use fractal_api_types::ProblemCode;

fn compare(name: &str, wanted: &str) {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../docs/reference")
        .join(name);
    if std::env::var_os("FRACTAL_REGENERATE").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, wanted).unwrap();
    }
    let present = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        present == wanted,
        "docs/reference/{name} is out of date; run `FRACTAL_REGENERATE=1 cargo test -p fractal-cli --test reference`"
    );
}

/// The part of a page of `docs/operations` between `<!-- made: NAME -->` and `<!-- end -->`; the rest is written by hand.
fn compare_part(page: &str, part: &str, wanted: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../docs/operations")
        .join(page);
    let text = std::fs::read_to_string(&path).unwrap();
    let begin = format!("<!-- made: {part} -->\n");
    let (before, rest) = text
        .split_once(&begin)
        .unwrap_or_else(|| panic!("{page} has no {begin}"));
    let (present, after) = rest
        .split_once("<!-- end -->")
        .unwrap_or_else(|| panic!("{part} of {page} does not end"));
    if std::env::var_os("FRACTAL_REGENERATE").is_some() {
        std::fs::write(&path, format!("{before}{begin}{wanted}<!-- end -->{after}")).unwrap();
        return;
    }
    assert!(
        present == wanted,
        "docs/operations/{page} is out of date; run `FRACTAL_REGENERATE=1 cargo test -p fractal-cli --test reference`"
    );
}

#[test]
fn the_metrics_page_lists_every_metric() {
    let mut out = String::from("| Metric | Kind | Labels | What it is |\n|---|---|---|---|\n");
    for metric in fractal_server::metrics::METRICS {
        let labels: Vec<String> = metric
            .labels
            .iter()
            .map(|label| format!("`{label}`"))
            .collect();
        let _ = writeln!(
            out,
            "| `{}` | {} | {} | {} |",
            metric.name,
            metric.kind.as_str(),
            labels.join(", "),
            metric.help
        );
    }
    compare_part("metrics.md", "metrics", &out);
}

/// Files of our crates without tests, with their text up to the file's own tests.
fn sources() -> Vec<(PathBuf, String)> {
    let mut open = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("..")];
    let mut found = Vec::new();
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            let name = entry.file_name().into_string().unwrap();
            if path.is_dir() {
                if !["tests", "testing", "benches", "examples"].contains(&name.as_str()) {
                    open.push(path);
                }
            } else if name.ends_with(".rs") && name != "tests.rs" {
                let text = std::fs::read_to_string(&path).unwrap();
                let program = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
                found.push((path, program.to_owned()));
            }
        }
    }
    found
}

/// A metric that is measured somewhere and stands in no table has no words, no bounds and no alert.
#[test]
fn every_metric_that_is_measured_is_in_the_table() {
    let mut unknown = Vec::new();
    for (path, text) in sources() {
        for part in text.split("metrics::").skip(1) {
            let Some((kind, rest)) = part.split_once("!(") else {
                continue;
            };
            if !["counter", "gauge", "histogram"].contains(&kind) {
                continue;
            }
            let Some(name) = rest.trim_start().strip_prefix('"') else {
                continue;
            };
            let name = name.split('"').next().unwrap_or_default();
            let known = fractal_server::metrics::METRICS
                .iter()
                .any(|metric| metric.name == name && metric.kind.as_str() == kind);
            if !known {
                unknown.push(format!("{kind} {name} in {}", path.display()));
            }
        }
    }
    assert!(unknown.is_empty(), "{unknown:#?}");
}

#[test]
fn the_configuration_page_lists_every_key_flag_and_variable() {
    let mut command = fractal_cli::args::Arguments::command();
    command.build();
    let serve = command.find_subcommand("serve").unwrap();
    let mut flags: Vec<String> = serve
        .get_arguments()
        // Where the file is, and what holds for one start only, is no key of the file.
        .filter(|arg| {
            let id = arg.get_id().as_str();
            !arg.is_global_set() && !["help", "config", "migrate_without_backup"].contains(&id)
        })
        .filter_map(|arg| Some(format!("--{}", arg.get_long()?)))
        .collect();
    let mut out = String::from(
        "| Key | Variable | Flag of `serve` | Default | What it is |\n|---|---|---|---|---|\n",
    );
    for key in fractal_config::KEYS {
        if let Some(flag) = key.flag {
            let place = flags.iter().position(|known| known == flag);
            flags.remove(place.unwrap_or_else(|| panic!("serve has no {flag}")));
        }
        let flag = key.flag.map(|flag| format!("`{flag}`")).unwrap_or_default();
        let _ = writeln!(
            out,
            "| `{}` | `{}` | {flag} | {} | {} |",
            key.name, key.variable, key.default, key.meaning
        );
    }
    assert!(
        flags.is_empty(),
        "flags of serve that set no key: {flags:?}"
    );
    compare_part("configuration.md", "keys", &out);
    let mut out = String::from("| Variable | What it does |\n|---|---|\n");
    for (variable, meaning) in fractal_config::OTHER_VARIABLES {
        let _ = writeln!(out, "| `{variable}` | {meaning} |");
    }
    compare_part("configuration.md", "variables", &out);
}

/// A variable that somebody reads and no page tells of is a secret setting.
#[test]
fn every_variable_the_program_reads_is_documented() {
    let mut unknown = Vec::new();
    for (path, text) in sources() {
        for word in text.split('"') {
            let is_variable = word.len() > "FRACTAL_".len()
                && word.starts_with("FRACTAL_")
                && word
                    .chars()
                    .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
            let known = fractal_config::KEYS.iter().any(|key| key.variable == word)
                || fractal_config::OTHER_VARIABLES
                    .iter()
                    .any(|(other, _)| *other == word);
            // Those of our own suites start with FRACTAL_TEST_.
            if is_variable && !known && !word.starts_with("FRACTAL_TEST_") {
                unknown.push(format!("{word} in {}", path.display()));
            }
        }
    }
    assert!(unknown.is_empty(), "{unknown:#?}");
}

fn describe(command: &mut Command, path: &str, out: &mut String) {
    if command.is_hide_set() {
        return;
    }
    let help = command
        .clone()
        .bin_name(path)
        .term_width(100)
        .render_help()
        .to_string();
    let level = "#".repeat(path.split(' ').count().min(3) + 1);
    let _ = write!(out, "\n{level} `{path}`\n\n```text\n");
    for line in help.trim_end().lines() {
        // Values of the environment of whoever runs the test do not belong here.
        let _ = writeln!(out, "{}", line.trim_end());
    }
    out.push_str("```\n");
    for sub in command.get_subcommands_mut() {
        let path = format!("{path} {}", sub.get_name());
        describe(sub, &path, out);
    }
}

#[test]
fn the_command_line_page_is_up_to_date() {
    let mut command =
        fractal_cli::args::Arguments::command().mut_arg("url", |arg| arg.hide_env_values(true));
    command.build();
    let mut out = String::from(
        "# Command line\n\nMade from the program itself; see the test that keeps it so in `crates/cli/tests/reference.rs`.\n\n\
         Exit codes: 0 done, 1 failed, 2 wrong usage, 3 refused by policy, 4 waiting for approval. Data goes to standard\n\
         output, everything else to standard error. `--json` prints what the HTTP interface answered. Colours follow\n\
         `NO_COLOR`.\n",
    );
    describe(&mut command, "fractal", &mut out);
    compare("cli.md", &out);
}

/// When a code is given and what usually helps. The answer itself may carry a better remedy. A new code does not
/// compile here until somebody has said this.
const fn explain(code: ProblemCode) -> (&'static str, &'static str) {
    use ProblemCode as C;
    match code {
        C::MalformedBody => (
            "The body is not JSON, or not UTF-8.",
            "Send valid JSON in UTF-8.",
        ),
        C::InvalidFields => (
            "A field breaks its rule, is missing, or is unknown; `errors` names each.",
            "Correct the fields named in `errors`.",
        ),
        C::InvalidParameter => (
            "A path or query parameter breaks its rule.",
            "Correct the parameter named in `errors`; ids are copied whole.",
        ),
        C::BodyTooLarge => (
            "The body is larger than the route takes.",
            "Send less; attachments may hold 20 MiB each.",
        ),
        C::UpgradeRequired => (
            "The route speaks WebSocket, and the request was no handshake; a proxy in between may have taken it off.",
            "Let the proxy pass `Upgrade` and `Connection` on; the streams can also be read one by one over HTTP.",
        ),
        C::UnsupportedMediaType => (
            "The body is not declared as JSON.",
            "Send `Content-Type: application/json`.",
        ),
        C::Unauthenticated => (
            "Nobody is signed in, or the token is unknown, expired or revoked.",
            "Sign in, run `fractal login`, or use a valid token.",
        ),
        C::WrongCredentials => (
            "Username or password do not match; which of the two is not told.",
            "Try again; an administrator can reset the password.",
        ),
        C::SetupTokenRefused => (
            "The setup token is missing, wrong or used.",
            "Take it from the terminal of the server or the file `setup-token` in its data folder.",
        ),
        C::InvitationRefused => (
            "The invitation is unknown, used, revoked or expired.",
            "Ask for a new one.",
        ),
        C::SignInFailed => (
            "The identity provider said no, or its answer could not be trusted.",
            "Try again; an administrator can test the provider under Settings / Sign-in.",
        ),
        C::Forbidden => (
            "The access rules say no. Command line: exit code 3.",
            "Ask somebody with the needed role.",
        ),
        C::CrossSite => (
            "A page of another site sent a request that changes something.",
            "Use the Portal's own address; behind a proxy set the public URL.",
        ),
        C::WrongInstance => (
            "An instance's token came over another instance's socket.",
            "Nothing; this is recorded as an attempt to cross a boundary.",
        ),
        C::NotFound => (
            "There is no such thing, or it is somebody else's; which of the two is not told.",
            "Check the id.",
        ),
        C::MethodNotAllowed => (
            "The path exists, but not with this method.",
            "See the API document.",
        ),
        C::AlreadyExists => ("The name is taken.", "Choose another name."),
        C::Conflict => (
            "It changed meanwhile, or its state does not allow this.",
            "Look at its present state and try again.",
        ),
        C::SetupDone => ("Setup is complete; its routes are closed.", "Sign in."),
        C::InstanceStopped => (
            "A person stopped the agent, so a message does not wake it.",
            "Start it.",
        ),
        C::RunGone => (
            "The turn is over and its events are forgotten.",
            "Read the history.",
        ),
        C::ApprovalNeeded => (
            "Somebody has to approve the change first. Command line: exit code 4.",
            "Wait, or ask an approver.",
        ),
        C::WrongHost => (
            "The host name is not one of the installation's.",
            "Use its own address, or add the name under Settings / Installation.",
        ),
        C::TooManyAttempts => (
            "Too many tries from this address or for this account; `Retry-After` says how long.",
            "Wait.",
        ),
        C::ProviderFailed => (
            "The model provider refused the key, the quota or the model, or did not answer.",
            "Follow the answer's remedy; test the provider under Settings / Providers.",
        ),
        C::InstanceFailed => (
            "The instance did not become ready; the detail says why.",
            "Look at the instance's state and log.",
        ),
        C::Unavailable => (
            "A part that is needed cannot be reached right now.",
            "Try again; look at `/readyz` and the server's log.",
        ),
        C::Internal => (
            "A fault of ours.",
            "Report it with the request id; the same id stands in the server's log.",
        ),
    }
}

#[test]
fn the_problem_page_is_up_to_date() {
    let mut out = String::from(
        "# Problem codes\n\nErrors are `application/problem+json` with a stable `code`. A code never changes its meaning. Made from the\n\
         program itself; see the test that keeps it so in `crates/cli/tests/reference.rs`.\n",
    );
    for code in ProblemCode::ALL {
        let (when, remedy) = explain(*code);
        let _ = write!(
            out,
            "\n## {}\n\n{} (HTTP status {}).\n\n- When: {when}\n- Remedy: {remedy}\n",
            code.as_str(),
            code.title(),
            code.status()
        );
    }
    compare("problems.md", &out);
}
