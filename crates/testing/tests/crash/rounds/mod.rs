//! The kinds of changes that are interrupted, and what must hold afterwards.

mod cells;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    sync::mpsc,
    thread,
    time::Duration,
};

use serde_json::{Value, json};

use crate::{
    ledger::{Ledger, look},
    machine::{Caller, Machine, Reply, eventually},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Start,
    Chat,
    Stop,
    Delete,
    Rotate,
    Settings,
    People,
    Proposal,
    Reboot,
}

/// Rules under which what is shared waits for an approval, which here its own asker may give.
const SHARED_WAITS: &str = r#"
@id("shared-waits")
@approval("owner:1")
forbid (principal is User, action == Action::"provider.create", resource is Provider)
when { !(resource has owner) } unless { context.approved };

@id("owners-approve-their-own")
permit (principal is User, action == Action::"proposal.approve", resource)
when { principal has role && principal.role == "owner" && resource.owner == principal };
"#;

/// An installation that is killed again and again.
pub struct Installation {
    machine: Machine,
    ledger: Ledger,
    random: u64,
    seed: u64,
    kinds: &'static [Kind],
    /// The instance that most rounds are about.
    agent: String,
    /// Every instance that must be there.
    instances: BTreeSet<String>,
    /// Idle minutes that may be in force: the last acknowledged ones and those asked for since.
    idle_minutes: Vec<u64>,
    /// What lies in the data folder of an installation at rest.
    at_rest: BTreeSet<String>,
    /// Where everything that was acknowledged to have been made is found: a list and an id in it.
    made: BTreeSet<(&'static str, String)>,
}

impl Installation {
    pub fn new(
        peers: &(PathBuf, PathBuf),
        real: bool,
        database: Option<String>,
        seed: u64,
    ) -> Self {
        println!("CRASH_SEED={seed}");
        let machine = Machine::claimed(peers, real, database);
        let provider = machine.call(
            "POST",
            "/api/onboarding/provider",
            Some(&json!({"type": "demo", "name": "Demo"})),
        );
        let agent = machine.call(
            "POST",
            "/api/onboarding/agent",
            Some(&json!({"name": "Ada", "model": "demo", "provider_id": provider["id"]})),
        );
        machine.call("POST", "/api/onboarding/complete", Some(&json!({})));
        let rules = json!({"base_version": 0, "text": SHARED_WAITS});
        machine.call("PUT", "/api/v1/policy", Some(&rules));
        let agent = agent["instance_id"].as_str().unwrap().to_owned();
        let mut installation = Self {
            at_rest: BTreeSet::new(),
            ledger: Ledger::default(),
            random: seed,
            seed,
            kinds: if real {
                &[
                    Kind::Start,
                    Kind::Rotate,
                    Kind::Chat,
                    Kind::Stop,
                    Kind::Reboot,
                ]
            } else {
                &[
                    Kind::Start,
                    Kind::Chat,
                    Kind::Stop,
                    Kind::Delete,
                    Kind::Rotate,
                    Kind::Settings,
                    Kind::People,
                    Kind::Proposal,
                    Kind::Reboot,
                ]
            },
            made: BTreeSet::new(),
            instances: BTreeSet::from([agent.clone()]),
            idle_minutes: vec![
                machine.call("GET", "/api/v1/settings", None)["idle_timeout_minutes"]
                    .as_u64()
                    .unwrap(),
            ],
            agent,
            machine,
        };
        // The end of the first steps is a change of settings; before it a person came, with a token, and a provider.
        for action in [
            "policy.update",
            "settings.update",
            "user.create",
            "token.create",
            "provider.create",
            "profile.update",
        ] {
            installation.ledger.note(action, "", true);
        }
        installation.seen(&installation.agent, "ready");
        installation.at_rest = installation.data_names();
        installation
    }

    /// Begins a change, kills the server meanwhile, starts it again and looks at everything.
    pub fn round(&mut self, round: u64) {
        let kind = self.kinds[usize::try_from(round).unwrap() % self.kinds.len()];
        println!("round {round}: {kind:?}, CRASH_SEED={}", self.seed);
        match kind {
            Kind::Start => self.start_or_stop("start", "stop", 1_500),
            Kind::Stop => self.start_or_stop("stop", "start", 400),
            Kind::Chat => self.chat(),
            Kind::Delete => self.delete(),
            Kind::Rotate if (round / self.kinds.len() as u64).is_multiple_of(2) => self.rotate(),
            Kind::Rotate => self.rotate_offline(),
            Kind::Settings => self.settings(),
            Kind::People => self.people(),
            Kind::Proposal => self.proposal(),
            Kind::Reboot => self.reboot(),
        }
        self.everything_holds();
    }

    /// Some cells of the table of steps and faults, as the seed draws them; all of them when that many are asked for.
    pub fn some_cells(&mut self, count: usize) -> Vec<cells::Cell> {
        let mut all = cells::all();
        assert!(all.len() > 30, "the table of steps has {} cells", all.len());
        if count < all.len() {
            all.retain(|cell| !cell.is_long());
        }
        for place in (1..all.len()).rev() {
            let other = usize::try_from(self.below(place as u64 + 1)).unwrap();
            all.swap(place, other);
        }
        all.truncate(count);
        all
    }

    fn start_or_stop(&mut self, verb: &'static str, opposite: &str, window_ms: u64) {
        let agent = self.agent.clone();
        self.act(&agent, opposite);
        let path = format!("/api/v1/instances/{agent}/{verb}");
        let reply = self.interrupt(window_ms, move |caller| {
            caller.call("POST", &path, Some(&json!({})))
        });
        let done = acknowledged(reply.as_ref());
        let action = if verb == "start" {
            "instance.start"
        } else {
            "instance.stop"
        };
        self.ledger.note(action, &agent, done);
        self.restart();
        let wanted = self.instance(&agent).unwrap()["wanted"].clone();
        let wish = if verb == "start" {
            "running"
        } else {
            "stopped"
        };
        assert!(!done || wanted == wish, "{verb} was acknowledged: {wanted}");
    }

    fn chat(&mut self) {
        let agent = self.agent.clone();
        self.act(&agent, "start");
        let turn = json!({"agent_id": agent, "message": "hello"});
        let before = self.calls();
        self.talk(&turn);
        let written = eventually("the call of a turn is written down", || {
            Some(self.calls()).filter(|calls| *calls > before)
        });
        let boot = self.instance(&agent).unwrap()["started_at"].clone();
        self.interrupt(500, move |caller| {
            caller.call("POST", "/api/v1/chat/stream", Some(&turn))
        });
        self.restart();
        self.seen(&agent, "ready");
        assert!(
            self.calls() >= written,
            "calls that were written down are lost"
        );
        assert_eq!(
            self.instance(&agent).unwrap()["started_at"],
            boot,
            "the gateway was started again instead of being adopted"
        );
        self.talk(&json!({"agent_id": agent, "message": "hello again"}));
    }

    fn delete(&mut self) {
        let name = format!("victim {}", self.next());
        let body = json!({"name": name, "start": true});
        let made = self.machine.call("POST", "/api/v1/instances", Some(&body));
        let victim = made["id"].as_str().unwrap().to_owned();
        self.ledger.note("instance.create", &victim, true);
        if self.below(2) == 0 {
            self.seen(&victim, "ready");
        }
        let path = format!("/api/v1/instances/{victim}");
        let reply = self.interrupt(800, move |caller| caller.call("DELETE", &path, None));
        let done = acknowledged(reply.as_ref());
        self.ledger.note("instance.delete", &victim, done);
        self.restart();
        let begun = self
            .instance(&victim)
            .is_none_or(|row| row["operation_id"].is_string() || row["wanted"] == "deleted");
        if !done && !begun {
            // It never arrived; then it must work now.
            let path = format!("/api/v1/instances/{victim}");
            self.machine.call("DELETE", &path, None);
            self.ledger.note("instance.delete", &victim, true);
        }
        eventually("a deleted instance goes", || {
            self.instance(&victim).is_none().then_some(())
        });
    }

    fn rotate(&mut self) {
        let reply = self.interrupt(60, |caller| {
            caller.call("POST", "/api/v1/keys/rotate", Some(&json!({})))
        });
        self.ledger
            .note("key.rotate", "", acknowledged(reply.as_ref()));
        self.restart();
        // The command finds the folder in use and asks the server.
        let command = self.machine.spawn(&["keys", "rotate"]);
        let output = command.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "keys rotate: {said}");
        self.ledger.note("key.rotate", "", true);
        self.keys_open();
    }

    fn rotate_offline(&mut self) {
        self.machine.end();
        let mut command = self.machine.spawn(&["keys", "rotate"]);
        let moment = self.below(400);
        // Not a wait for something: the moment of the kill is what the seed chooses.
        thread::sleep(Duration::from_millis(moment));
        let _ = command.kill();
        let done = command.wait().unwrap().success();
        self.ledger.note("key.rotate", "", done);
        self.compare();
        self.machine.start();
        self.keys_open();
    }

    /// Tokens of the instance are sealed: only with the right key does it start.
    fn keys_open(&mut self) {
        let agent = self.agent.clone();
        self.act(&agent, "stop");
        self.act(&agent, "start");
    }

    fn settings(&mut self) {
        for _ in 0..3 {
            let minutes = self.below(10_000) + 1;
            let body = json!({"idle_timeout_minutes": minutes});
            self.machine.call("PATCH", "/api/v1/settings", Some(&body));
            self.ledger.note("settings.update", "", true);
            self.idle_minutes = vec![minutes];
        }
        let minutes = self.below(10_000) + 1;
        let reply = self.interrupt(20, move |caller| {
            let body = json!({"idle_timeout_minutes": minutes});
            caller.call("PATCH", "/api/v1/settings", Some(&body))
        });
        let done = acknowledged(reply.as_ref());
        self.ledger.note("settings.update", "", done);
        if done {
            self.idle_minutes.clear();
        }
        self.idle_minutes.push(minutes);
        self.restart();
    }

    /// People, their providers' keys and their tokens are made, one after another, until the kill.
    fn people(&mut self) {
        let name = format!("p{}", self.next());
        let agent = self.agent.clone();
        let (say, said) = mpsc::channel();
        self.interrupt(400, move |caller| {
            let password = "a long enough password";
            let changes = [
                (
                    "user.create",
                    "/api/v1/users",
                    json!({"username": name, "password": password}),
                ),
                (
                    "provider.create",
                    "/api/v1/providers",
                    json!({"type": "demo", "name": name}),
                ),
                ("token.create", "/api/v1/tokens", json!({"name": name})),
                (
                    "profile.update",
                    "/api/v1/profile",
                    json!({"persona": format!("I am {name} of {agent}.")}),
                ),
            ];
            for (action, list, body) in changes {
                let method = if action == "profile.update" {
                    "PATCH"
                } else {
                    "POST"
                };
                let reply = caller.call(method, list, Some(&body));
                say.send((action, list, reply.as_ref().ok().map(Reply::json)))
                    .unwrap();
                acknowledged(Some(&reply?));
            }
            caller.call("GET", "/api/v1/me", None)
        });
        for (action, list, answer) in said {
            self.ledger.note(action, "", answer.is_some());
            if let Some(id) = answer.as_ref().and_then(|view| view["id"].as_str())
                && action != "profile.update"
            {
                self.made.insert((list, id.to_owned()));
            }
        }
        self.restart();
    }

    /// A change is approved, and the server dies while it is carried out: it happens, and once.
    fn proposal(&mut self) {
        let name = format!("shared{}", self.next());
        let body = json!({"type": "demo", "name": name, "shared": true});
        let asked = self.machine.call("POST", "/api/v1/providers", Some(&body));
        assert_eq!(asked["state"], "open", "{asked}");
        let id = asked["id"].as_str().unwrap().to_owned();
        let (path, digest) = (
            format!("/api/v1/proposals/{id}"),
            json!({"digest": asked["digest"]}),
        );
        let approve = format!("{path}/approve");
        let (address, seen) = (approve.clone(), digest.clone());
        let reply = self.interrupt(120, move |caller| {
            caller.call("POST", &address, Some(&seen))
        });
        self.ledger.note("proposal.create", &id, true);
        let done = acknowledged(reply.as_ref());
        self.ledger.note("proposal.approve", &id, done);
        self.ledger.note("provider.create", "", false);
        let before = self.ledger.sure("provider.create");
        self.restart();
        if self.machine.call("GET", &path, None)["state"] == "open" {
            assert!(!done, "an approval was acknowledged and is lost");
            self.machine.call("POST", &approve, Some(&digest));
            self.ledger.note("proposal.approve", &id, true);
        }
        eventually("the proposal is carried out", || {
            let state = &self.machine.call("GET", &path, None)["state"];
            (state == "done").then_some(())
        });
        if self.ledger.sure("provider.create") == before {
            self.ledger.note("provider.create", "", true);
        }
        self.ledger.note("proposal.settle", &id, true);
        let list = "/api/v1/providers";
        let rows = self.machine.call("GET", &format!("{list}?limit=200"), None);
        let made: Vec<_> = (rows["items"].as_array().unwrap().iter())
            .filter(|row| row["name"] == name.as_str())
            .filter_map(|row| row["id"].as_str())
            .collect();
        assert_eq!(made.len(), 1, "{name} was made {} times", made.len());
        self.made.insert((list, made[0].to_owned()));
    }

    /// The power fails during a turn: everything of the machine is gone at once, and comes back by itself.
    fn reboot(&mut self) {
        let agent = self.agent.clone();
        self.act(&agent, "start");
        let turn = json!({"agent_id": agent, "message": "hello"});
        self.talk(&turn);
        let boot = self.instance(&agent).unwrap()["started_at"].clone();
        self.interrupt(500, move |caller| {
            caller.call("POST", "/api/v1/chat/stream", Some(&turn))
        });
        self.machine.lose_power();
        self.restart();
        self.seen(&agent, "ready");
        assert_ne!(
            self.instance(&agent).unwrap()["started_at"],
            boot,
            "nothing was left to adopt"
        );
        self.talk(&json!({"agent_id": agent, "message": "hello again"}));
    }

    /// Kills the server at a random moment after `ask` was begun, and returns the answer if there was one.
    fn interrupt(
        &mut self,
        window_ms: u64,
        ask: impl FnOnce(Caller) -> std::io::Result<Reply> + Send + 'static,
    ) -> Option<Reply> {
        let caller = self.machine.caller();
        let moment = Duration::from_micros(self.below(window_ms * 1_000));
        let asking = thread::spawn(move || ask(caller).ok());
        // Not a wait for something: the moment of the kill is what the seed chooses.
        thread::sleep(moment);
        self.machine.kill();
        asking.join().unwrap()
    }

    fn restart(&mut self) {
        self.compare();
        self.machine.start();
    }

    /// The log against the ledger, while nothing runs that could add to it.
    fn compare(&mut self) {
        self.ledger.compare(&look(&self.machine.database()));
    }

    fn everything_holds(&mut self) {
        let settings = self.machine.call("GET", "/api/v1/settings", None);
        let minutes = settings["idle_timeout_minutes"].as_u64().unwrap();
        assert!(
            self.idle_minutes.contains(&minutes),
            "idle minutes are {minutes}, not one of {:?}",
            self.idle_minutes
        );
        self.idle_minutes = vec![minutes];
        let mut running = BTreeSet::new();
        for id in self.instances.clone() {
            let row = self.instance(&id).expect("no instance is lost");
            if row["wanted"] == "running" {
                self.seen(&id, "ready");
                running.insert(id);
            } else {
                self.seen(&id, "stopped");
            }
        }
        eventually("each supervisor belongs to a running instance", || {
            (self.machine.supervised() == running).then_some(())
        });
        eventually("nothing is left behind in the data folder", || {
            (self.data_names() == self.at_rest).then_some(())
        });
        assert_eq!(
            names(&self.machine.data().join("instances")),
            self.instances
        );
        self.key_files_fit();
        self.nothing_made_is_lost();
    }

    fn nothing_made_is_lost(&self) {
        for (list, id) in &self.made {
            let rows = self.machine.call("GET", &format!("{list}?limit=200"), None);
            let rows = rows["items"].as_array().unwrap();
            assert!(
                rows.iter().any(|row| row["id"] == id.as_str()),
                "{id} of {list} was acknowledged and is lost"
            );
        }
    }

    /// One key file in force, the earlier ones beside it, all owners' keys under the one in force.
    fn key_files_fit(&self) {
        let found = look(&self.machine.database());
        let generation: u32 = found.key_check.split('.').nth(1).unwrap().parse().unwrap();
        assert!(
            found.wrapped_by.iter().all(|by| *by == generation),
            "owners' keys are wrapped by {:?}, in force is {generation}",
            found.wrapped_by
        );
        let found = names(&self.machine.config().join("keys"));
        let name = found.first().expect("a key file").clone();
        let mut expected = BTreeSet::from([name.clone()]);
        expected.extend((1..generation).map(|kept| format!("{name}.{kept}")));
        assert_eq!(found, expected);
    }

    /// Deletes everything; then nothing may be left.
    pub fn leave_nothing(mut self) {
        for id in std::mem::take(&mut self.instances) {
            let path = format!("/api/v1/instances/{id}");
            self.machine.call("DELETE", &path, None);
            eventually("a deleted instance goes", || {
                self.instance(&id).is_none().then_some(())
            });
        }
        assert!(self.machine.supervised().is_empty());
        assert!(names(&self.machine.data().join("instances")).is_empty());
        self.machine.end();
        self.machine.nothing_is_left();
    }

    /// Starts or stops an instance that is at rest, and waits for it. Nothing when it is there already.
    fn act(&mut self, id: &str, verb: &str) {
        let (wanted, seen, action) = if verb == "start" {
            ("running", "ready", "instance.start")
        } else {
            ("stopped", "stopped", "instance.stop")
        };
        if self.instance(id).unwrap()["wanted"] != wanted {
            let path = format!("/api/v1/instances/{id}/{verb}");
            self.machine.call("POST", &path, Some(&json!({})));
            self.ledger.note(action, id, true);
        }
        self.seen(id, seen);
    }

    /// A whole turn.
    fn talk(&self, turn: &Value) {
        let reply = self
            .machine
            .caller()
            .call("POST", "/api/v1/chat/stream", Some(turn))
            .unwrap();
        assert!(
            reply.status == 200 && reply.body.contains("event: final"),
            "{} {}",
            reply.status,
            reply.body
        );
    }

    fn calls(&self) -> u64 {
        self.machine.call("GET", "/api/v1/usage", None)["calls"]
            .as_u64()
            .unwrap()
    }

    fn instance(&self, id: &str) -> Option<Value> {
        let path = format!("/api/v1/instances/{id}");
        let reply = self.machine.caller().call("GET", &path, None).unwrap();
        (reply.status != 404).then(|| {
            assert_eq!(reply.status, 200, "{}", reply.body);
            reply.json()
        })
    }

    fn seen(&self, id: &str, seen: &str) {
        eventually(&format!("{id} is {seen}"), || {
            let row = self.instance(id)?;
            (row["seen"] == seen).then_some(())
        });
    }

    /// What lies in the data folder, without the database's own files and the instances.
    fn data_names(&self) -> BTreeSet<String> {
        names(&self.machine.data())
            .into_iter()
            .filter(|name| !name.starts_with("fractal.db-"))
            .collect()
    }

    /// The next number of the seed's sequence (splitmix64).
    fn next(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }
}

fn acknowledged(reply: Option<&Reply>) -> bool {
    reply.is_some_and(|reply| {
        assert!(
            (200..300).contains(&reply.status),
            "{} {}",
            reply.status,
            reply.body
        );
        true
    })
}

fn names(folder: &Path) -> BTreeSet<String> {
    fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect()
}
