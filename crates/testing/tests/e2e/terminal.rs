//! What people do in a browser is done from a terminal as well: the program against a real server, without a token in its environment.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
};

use fractal_testing::serve::{PASSWORD, Peers};
use serde_json::Value;
use tokio::{io::AsyncWriteExt as _, process::Command};

use crate::people::Story;

/// The exit code of what policy refuses.
const REFUSED: i32 = 3;

/// The exit code of what waits for approval.
const WAITING: i32 = 4;

/// Somebody's terminal: a home folder in which `login` keeps a token.
struct Terminal {
    program: PathBuf,
    home: PathBuf,
    url: String,
}

struct Said {
    code: Option<i32>,
    out: String,
    all: String,
}

impl Terminal {
    async fn run(&self, words: &str, input: &str) -> Said {
        let mut child = Command::new(&self.program)
            .args(words.split(' '))
            .env_clear()
            .env("HOME", &self.home)
            .env("FRACTAL_URL", &self.url)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // A command that asks for nothing may be over before it reads.
        let _ = stdin.write_all(input.as_bytes()).await;
        drop(stdin);
        let output = child.wait_with_output().await.unwrap();
        let out = String::from_utf8(output.stdout).unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        Said {
            code: output.status.code(),
            all: format!("{out}{errors}"),
            out,
        }
    }

    /// Runs a command that must do as asked; what it printed.
    async fn does(&self, words: &str) -> String {
        self.given(words, "").await
    }

    /// The same with this on its standard input.
    async fn given(&self, words: &str, input: &str) -> String {
        let said = self.run(words, input).await;
        assert_eq!(said.code, Some(0), "fractal {words}: {}", said.all);
        said.out
    }

    /// Its answer as JSON.
    async fn json(&self, words: &str) -> Value {
        let said = self.does(&format!("{words} --json")).await;
        serde_json::from_str(&said).unwrap_or_else(|error| panic!("{words}: {error}: {said}"))
    }
}

pub async fn everything_is_done_from_a_terminal(story: &Story, peers: &Peers) {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| Terminal {
        program: peers.program.clone(),
        home: folder.path().join(name),
        url: story.server.url(),
    };
    let (ada, bob) = (at("ada"), at("bob"));

    let stranger = ada.run("instances list", "").await;
    assert_eq!(stranger.code, Some(1), "{}", stranger.all);
    assert!(stranger.all.contains("fractal login"), "{}", stranger.all);
    ada.given("login --username ada", &format!("{PASSWORD}\n"))
        .await;
    bob.given("login --username bob", &format!("{PASSWORD}\n"))
        .await;

    what_is_there_is_shown(&ada, story).await;
    agents_are_talked_to(&ada, story).await;
    people_and_tokens_come_and_go(&ada, &bob).await;
    providers_come_and_go(&ada, story).await;
    rules_are_tried_and_put_in_force(&ada, &bob, folder.path()).await;
    a_risky_change_waits_for_an_approval(&ada, &bob, folder.path()).await;
    the_log_is_verified(&ada, folder.path()).await;

    ada.does("logout").await;
    assert_eq!(ada.run("instances list", "").await.code, Some(1));
    bob.does("logout").await;
}

async fn what_is_there_is_shown(ada: &Terminal, story: &Story) {
    let status = ada.does("status").await;
    assert!(
        status.contains("ada") && status.contains("Helper"),
        "{status}"
    );
    for (words, expected) in [
        ("profile show", "marzipan"),
        ("settings show", "30"),
        ("providers list", "Fake"),
        ("sessions list", ""),
        ("skills stored", ""),
        ("identity-providers list", ""),
        ("webhooks list", ""),
        ("evidence witnesses list", ""),
        ("usage", "fake-1"),
    ] {
        let said = ada.does(words).await;
        assert!(said.contains(expected), "fractal {words}: {said}");
    }
    let agents = ada.json("instances list").await;
    let listed = agents.to_string();
    assert!(listed.contains(&story.ada.instance), "{listed}");
}

async fn agents_are_talked_to(ada: &Terminal, story: &Story) {
    let id = &story.ada.instance;
    let said = ada
        .does(&format!("chat --agent {id} --session terminal Greetings!"))
        .await;
    assert!(said.contains("Hello from the fake provider"), "{said}");
    let piped = ada
        .given(
            &format!("chat --agent {id} --session terminal"),
            "From a pipe.",
        )
        .await;
    assert!(piped.contains("Hello from the fake provider"), "{piped}");
    assert_eq!(story.ada.calls_about("From a pipe.").len(), 1);
    let timeline = ada.does(&format!("instances timeline {id}")).await;
    assert!(timeline.contains("ready"), "{timeline}");
    ada.does(&format!("instances logs {id} --tail 5")).await;

    let spare = ada.json("instances create Spare --no-start").await;
    assert_eq!(spare["wanted"], "stopped");
    let listed = ada.does("instances list").await;
    assert!(listed.contains("Spare"), "{listed}");
    ada.does("instances delete Spare --yes").await;
    let unknown = ada.run("instances show Nobody", "").await;
    assert_eq!(unknown.code, Some(1));
    assert!(unknown.all.contains("Nobody"), "{}", unknown.all);
}

async fn people_and_tokens_come_and_go(ada: &Terminal, bob: &Terminal) {
    let refused = bob
        .run("users create mallory", "a long enough password\n")
        .await;
    assert_eq!(refused.code, Some(REFUSED), "{}", refused.all);
    let tried = ada.given("users create carol --dry-run", "a long enough password\n");
    let tried = tried.await;
    assert!(
        tried.contains("user.create") && tried.contains("would be done"),
        "{tried}"
    );
    let tried = bob
        .run("users create carol --dry-run", "a long enough password\n")
        .await;
    assert_eq!(tried.code, Some(REFUSED), "{}", tried.all);
    let people = ada.does("users list").await;
    assert!(!people.contains("carol"), "{people}");
    ada.given("users create carol", "a long enough password\n")
        .await;
    let people = ada.does("users list").await;
    assert!(people.contains("carol"), "{people}");
    ada.does("users set-role carol admin").await;
    ada.does("users delete carol --yes").await;
    let people = ada.does("users list").await;
    assert!(!people.contains("carol"), "{people}");

    let made = ada
        .json("tokens create machine --scope read --expires-in-days 1")
        .await;
    let secret = made["secret"].as_str().expect("it is shown once");
    let listed = ada.does("tokens list").await;
    assert!(
        listed.contains("machine") && !listed.contains(secret),
        "{listed}"
    );
    let id = made["token"]["id"].as_str().unwrap();
    ada.does(&format!("tokens revoke {id}")).await;
}

async fn providers_come_and_go(ada: &Terminal, story: &Story) {
    let add = format!(
        "providers add openai_compatible --name Second --base-url {} --allow-private-network",
        story.ada.fake.base_url()
    );
    let said = ada.run(&add, &format!("{}\n", story.ada.key)).await;
    assert_eq!(said.code, Some(0), "{}", said.all);
    assert!(!said.all.contains(story.ada.key), "a key is never printed");
    let tested = ada.does("providers test Second").await;
    assert!(!tested.contains(story.ada.key), "{tested}");
    ada.does("providers remove Second").await;
    let listed = ada.does("providers list").await;
    assert!(!listed.contains("Second"), "{listed}");
}

async fn rules_are_tried_and_put_in_force(ada: &Terminal, bob: &Terminal, folder: &Path) {
    let (rules, tests) = (folder.join("rules.cedar"), folder.join("tests.json"));
    let text = r#"@id("no-tokens") forbid (principal, action == Action::"token.create", resource)
when { principal has role && principal.role == "member" };
"#;
    std::fs::write(&rules, text).unwrap();
    let test = r#"[{"name": "owners make tokens", "expect": "allow", "request":
        {"actor": {"role": "owner"}, "action": "token.create", "resource": {"kind": "api_token"}}}]"#;
    std::fs::write(&tests, test).unwrap();
    let (rules, tests) = (rules.display(), tests.display());

    let refused = bob.run(&format!("policy put {rules}"), "").await;
    assert_eq!(refused.code, Some(REFUSED), "{}", refused.all);
    let checked = ada
        .does(&format!("policy check {rules} --tests {tests}"))
        .await;
    assert!(checked.contains("ok   owners make tokens"), "{checked}");
    let tried = ada.does(&format!("policy simulate {rules}")).await;
    // Bob made tokens before: by his first sign-in and by `fractal login`.
    assert!(
        tried.contains("token.create") && tried.contains("bob"),
        "{tried}"
    );
    assert!(tried.contains("would now be refused"), "{tried}");
    ada.does(&format!(
        "policy put {rules} --tests {tests} --comment trial"
    ))
    .await;
    assert_eq!(ada.does("policy get").await, text);
    let versions = ada.does("policy versions").await;
    assert!(
        versions.contains("trial") && versions.contains("ada"),
        "{versions}"
    );
    let asked = ada.run("policy ask token.create --user bob", "").await;
    assert_eq!(asked.code, Some(REFUSED), "{}", asked.all);
    assert!(asked.out.contains("no-tokens"), "{}", asked.out);
    let refused = bob.run("tokens create mine", "").await;
    assert_eq!(refused.code, Some(REFUSED), "{}", refused.all);
    std::fs::write(folder.join("none.cedar"), "").unwrap();
    let none = folder.join("none.cedar");
    ada.does(&format!("policy put {}", none.display())).await;
    ada.does("policy ask token.create --user bob").await;
}

async fn a_risky_change_waits_for_an_approval(ada: &Terminal, bob: &Terminal, folder: &Path) {
    let rules = folder.join("ask.cedar");
    let text = r#"@id("members-ask")
permit (principal is User, action == Action::"provider.delete", resource is Provider)
when { principal has role && principal.role == "member" && !(resource has owner) };

@id("ask-an-owner")
@approval("owner:1")
forbid (principal is User, action == Action::"provider.delete", resource is Provider)
when { principal has role && principal.role == "member" && !(resource has owner) }
unless { context.approved };
"#;
    std::fs::write(&rules, text).unwrap();
    ada.does(&format!("policy put {}", rules.display())).await;
    for name in ["Doomed", "Kept"] {
        ada.does(&format!("providers add demo --name {name} --shared"))
            .await;
    }
    let tried = bob.run("--dry-run providers remove Doomed", "").await;
    assert_eq!(tried.code, Some(WAITING), "{}", tried.all);
    let asked = bob.run("providers remove Doomed --json", "").await;
    assert_eq!(asked.code, Some(WAITING), "{}", asked.all);
    let view: Value = serde_json::from_str(&asked.out).unwrap();
    let id = view["id"].as_str().unwrap();
    let said = bob.run("providers remove Doomed", "").await;
    assert!(said.all.contains(id), "the same again: {}", said.all);
    assert!(said.all.contains("1 x owner"), "{}", said.all);

    let own = bob.run(&format!("proposals approve {id} --yes"), "").await;
    assert_eq!(own.code, Some(REFUSED), "{}", own.all);
    let waiting = ada.does("proposals list --awaiting-me").await;
    assert!(
        waiting.contains(id) && waiting.contains("Doomed"),
        "{waiting}"
    );
    let shown = ada.does(&format!("proposals show {id}")).await;
    assert!(
        shown.contains("ask-an-owner") && shown.contains("bob"),
        "{shown}"
    );
    let again = ada.does(&format!("proposals simulate {id}")).await;
    assert!(again.contains("as when it was asked for"), "{again}");
    let done = ada
        .run(&format!("proposals approve {id} --yes --comment fine"), "")
        .await;
    assert_eq!(done.code, Some(0), "{}", done.all);
    assert!(done.all.contains("carried out"), "{}", done.all);
    let left = ada.does("providers list").await;
    assert!(!left.contains("Doomed") && left.contains("Kept"), "{left}");

    let other = bob.run("providers remove Kept --json", "").await;
    let view: Value = serde_json::from_str(&other.out).unwrap();
    let id = view["id"].as_str().unwrap();
    ada.does(&format!("proposals reject {id} --comment needed"))
        .await;
    let seen = bob.does(&format!("proposals show {id}")).await;
    assert!(
        seen.contains("rejected") && seen.contains("needed"),
        "{seen}"
    );
    let late = bob.run(&format!("proposals withdraw {id}"), "").await;
    assert_eq!(late.code, Some(1), "{}", late.all);
    ada.does("providers remove Kept").await;
    let none = folder.join("none.cedar");
    ada.does(&format!("policy put {}", none.display())).await;
}

async fn the_log_is_verified(ada: &Terminal, folder: &Path) {
    let (key, export) = (folder.join("log.key"), folder.join("log.jsonl"));
    std::fs::write(&key, ada.does("evidence key").await).unwrap();
    ada.does(&format!("evidence export --output {}", export.display()))
        .await;
    let verify = format!(
        "evidence verify --key {} {}",
        key.display(),
        export.display()
    );
    ada.does(&verify).await;
    let text = std::fs::read_to_string(&export).unwrap();
    let forged = text.replacen("instance.create", "instance.delete", 1);
    assert_ne!(text, forged);
    std::fs::write(&export, forged).unwrap();
    let said = ada.run(&verify, "").await;
    assert_eq!(said.code, Some(1), "{}", said.all);
}
