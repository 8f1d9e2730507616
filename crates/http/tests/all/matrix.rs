//! The walk: every operation, called as everybody. What came out is a reviewed file; the rules below it hold whatever stands there.

use std::{collections::BTreeMap, fmt::Write};

use fractal_testing::data_plane;
use fractal_types::Scope;
use http::{HeaderName, HeaderValue};

use crate::{
    cases::{Case, cases},
    document::{Operation, operations, same_as_written},
    world::{Answer, Person, Proof, Target, World, request},
};

/// Who calls. The order is that of the columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Who {
    Nobody,
    /// A member, on another member's things.
    Stranger,
    /// A member, on their own.
    Member,
    /// An administrator, on a member's things.
    Admin,
    /// An owner of the installation, on a member's things.
    Owner,
    /// An owner's token for reading, on the owner's things.
    Read,
    /// An owner's token for chatting, on the owner's things.
    Chat,
    /// A gateway's own token.
    Instance,
}

const EVERYBODY: [Who; 8] = [
    Who::Nobody,
    Who::Stranger,
    Who::Member,
    Who::Admin,
    Who::Owner,
    Who::Read,
    Who::Chat,
    Who::Instance,
];

struct Walk {
    world: World,
    read: String,
    chat: String,
    instance: String,
}

impl Walk {
    async fn begin() -> Self {
        let world = World::new().await;
        let agent = world.instance(&world.ada).await;
        let token = data_plane::instance_token(&world.house.app, agent).await;
        world.house.app.sealer.seal_all().await.unwrap();
        Self {
            read: world.token(&world.owner, Scope::Read).await.1,
            chat: world.token(&world.owner, Scope::Chat).await.1,
            instance: secrecy::ExposeSecret::expose_secret(&token).to_owned(),
            world,
        }
    }

    fn person(&self, who: Who) -> Option<&Person> {
        match who {
            Who::Stranger => Some(&self.world.bob),
            Who::Member => Some(&self.world.ada),
            Who::Admin => Some(&self.world.admin),
            Who::Owner => Some(&self.world.owner),
            Who::Nobody | Who::Read | Who::Chat | Who::Instance => None,
        }
    }

    /// Whose things are called on.
    fn whose(&self, who: Who) -> &Person {
        match who {
            Who::Read | Who::Chat => &self.world.owner,
            _ => &self.world.ada,
        }
    }

    async fn proof(&self, who: Who, case: &Case) -> Proof {
        match (who, self.person(who)) {
            (Who::Read, _) => Proof::Bearer(self.read.clone()),
            (Who::Chat, _) => Proof::Bearer(self.chat.clone()),
            (Who::Instance, _) => Proof::Bearer(self.instance.clone()),
            (_, Some(person)) if case.ends_session => {
                self.world.sign_in(&person.username).await.proof()
            }
            (_, Some(person)) => person.proof(),
            (_, None) => Proof::None,
        }
    }

    /// Calls an operation on `id`, of or as `agent`.
    async fn call(
        &self,
        operation: &Operation,
        case: &Case,
        who: Who,
        (id, agent): (String, String),
    ) -> Answer {
        let mut path = operation.path.clone();
        for name in ["{id}", "{key}", "{seq}"] {
            path = path.replace(name, &id);
        }
        path = path
            .replace("{approval_id}", "nothing")
            .replace("{question_id}", "nothing:0")
            .replace("{delivery_id}", &format!("dlv_{}", "0".repeat(26)));
        path.push_str(&case.query.replace("{agent}", &agent));
        let body = case.body.map(|body| body(&agent, self.world.number()));
        let proof = self.proof(who, case).await;
        let mut request = request(operation.method.clone(), &path, &proof, body.as_ref());
        if let Some(name) = case.secret {
            let secret = HeaderValue::from_str(&self.world.invitation().await.1).unwrap();
            request
                .headers_mut()
                .insert(HeaderName::from_static(name), secret);
        }
        // A try is counted even where it succeeds later on; the walk is not about the limit on tries.
        self.world.house.pass(1);
        self.world.send(request).await
    }
}

#[tokio::test]
async fn everybody_gets_what_is_written_down_and_nothing_private() {
    let walk = Walk::begin().await;
    let operations: BTreeMap<String, Operation> = operations()
        .into_iter()
        .map(|operation| (operation.id.clone(), operation))
        .collect();
    let mut faults = Vec::new();
    let mut rows = Vec::new();
    for case in cases() {
        let operation = &operations[case.operation];
        let mut row = BTreeMap::new();
        for who in EVERYBODY {
            if who == Who::Stranger && case.target == Target::None {
                continue;
            }
            let made = walk.world.make(case.target, walk.whose(who)).await;
            let answer = walk.call(operation, &case, who, made).await;
            let status = answer.status.as_u16();
            let mut fault = |rule: &str| {
                faults.push(format!(
                    "{} as {who:?}: {status} {}: {rule}",
                    case.operation,
                    String::from_utf8_lossy(&answer.body)
                ));
            };
            if !operation.statuses.contains(&status) {
                fault("is not documented");
            }
            if status >= 500 && status != 503 {
                fault("is our own fault");
            }
            let unauthenticated = status == 401 && answer.code() == "unauthenticated";
            match who {
                Who::Nobody if unauthenticated == operation.is_public() => {
                    fault("nobody is let in exactly where it says public");
                }
                Who::Instance if !operation.is_public() && !unauthenticated => {
                    fault("a gateway has nothing to do here");
                }
                Who::Stranger if case.target.is_personal() => {
                    let nothing = walk.world.nothing(case.target);
                    let unknown = walk.call(operation, &case, who, nothing).await;
                    if !matches!(status, 404 | 410)
                        || (unknown.status, unknown.code()) != (answer.status, answer.code())
                    {
                        fault("another's things are answered like what does not exist");
                    }
                }
                Who::Stranger if !operation.is_public() && answer.status.is_success() => {
                    fault("a member does nothing to the installation");
                }
                Who::Admin | Who::Owner
                    if is_private(operation, &case) && answer.status.is_success() =>
                {
                    fault("is private to its person");
                }
                Who::Read
                    if operation.method != http::Method::GET
                        && !QUESTIONS.contains(&case.operation)
                        && !operation.is_public()
                        && answer.status.is_success() =>
                {
                    fault("a token for reading changes nothing");
                }
                _ => {}
            }
            row.insert(who, status);
        }
        rows.push((operation, row));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    same_as_written("route-matrix.md", &table(&rows));
}

/// What is posted because it is long, and only asks.
const QUESTIONS: [&str; 3] = ["checkPolicy", "simulatePolicy", "simulateProposal"];

/// Whether nobody else gets at it, whatever their role: conversations, logs, keys, sessions.
fn is_private(operation: &Operation, case: &Case) -> bool {
    let on_somebodys = case.target.is_personal();
    case.target.is_private()
        || (on_somebodys && matches!(operation.tag.as_str(), "chat" | "openai"))
        || matches!(case.operation, "readInstanceLogs" | "listSkills")
}

fn table(rows: &[(&Operation, BTreeMap<Who, u16>)]) -> String {
    let mut text = String::from(
        "# Who gets which answer\n\n\
         Generated by `crates/http/tests/all/matrix.rs`, which calls every operation of the API document through the real router;\n\
         do not edit. After a wanted change run `UPDATE=1 cargo test -p fractal-http` and review the difference like code.\n\n\
         *other* is a member on another member's things, *member* a member on their own; *admin* and *owner* act on that member's things\n\
         or on the installation's. *read* and *chat* are an owner's tokens of one scope on the owner's own things, *gateway* is an\n\
         instance's own token. *·*: it belongs to nobody in particular. Where nothing is found, nothing is said about whether it exists.\n\n\
         | operation | | nobody | other | member | admin | owner | read | chat | gateway |\n\
         |---|---|---|---|---|---|---|---|---|---|\n",
    );
    for (operation, row) in rows {
        let _ = write!(
            text,
            "| `{}` | `{} {}` |",
            operation.id, operation.method, operation.path
        );
        for who in EVERYBODY {
            let _ = match row.get(&who) {
                Some(status) => write!(text, " {status} |"),
                None => write!(text, " · |"),
            };
        }
        text.push('\n');
    }
    text
}

#[tokio::test]
async fn lists_show_nothing_of_other_people() {
    let walk = Walk::begin().await;
    let world = &walk.world;
    let mut ids = Vec::new();
    for target in [
        Target::Instance,
        Target::Provider,
        Target::SkillCredential,
        Target::Token,
        Target::Session,
        Target::Run,
    ] {
        let (id, agent) = world.make(target, &world.ada).await;
        ids.extend([id, agent]);
    }
    for path in [
        "/api/v1/instances",
        "/api/v1/providers",
        "/api/v1/skill-credentials",
        "/api/v1/tokens",
        "/api/v1/sessions",
        "/api/v1/profile",
        "/api/v1/me",
        "/v1/models",
    ] {
        for person in [&world.admin, &world.owner, &world.bob] {
            let answer = world.get(path, &person.proof()).await;
            assert_eq!(answer.status, 200, "{path}");
            let text = String::from_utf8(answer.body).unwrap();
            for id in &ids {
                assert!(
                    !text.contains(id),
                    "{path} shows {id} to {}",
                    person.username
                );
            }
        }
        let own = world.get(path, &world.ada.proof()).await;
        assert_eq!(own.status, 200, "{path}");
    }
    let (instance, _) = world.make(Target::Instance, &world.ada).await;
    let all = world
        .get("/api/v1/instances?all=true&limit=200", &world.admin.proof())
        .await;
    assert!(String::from_utf8(all.body).unwrap().contains(&instance));
    let all = world
        .get("/api/v1/instances?all=true", &world.bob.proof())
        .await;
    assert_eq!(all.status, 403);
}

fractal_testing::on_postgresql! {
    everybody_gets_what_is_written_down_and_nothing_private
    lists_show_nothing_of_other_people
}
