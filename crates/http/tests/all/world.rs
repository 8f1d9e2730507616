//! A house with people in it, and requests to its router.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use axum::{Router, body::Body};
use fractal_api_types::{
    ChangeEngine, ChatRequest, CreateApiToken, CreateInstance, CreateInvitation, CreateProvider,
    CreateUser, IncidentQuery, Login, PageQuery, SetSkillCredential, UpdatePolicy,
};
use fractal_app::{
    Context, incident, instance, invitation, proposal, provider, session, skill_credential, token,
    user,
};
use fractal_http::{Performer, Server};
use fractal_proxy::chat::ChatHub;
use fractal_testing::{
    data_plane,
    house::{self, House, PASSWORD, client, name},
};
use fractal_types::{EngineId, InstanceId, OperationId, ProviderKind, Role, Scope};
use http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use secrecy::ExposeSecret;
use serde_json::Value;
use tower::ServiceExt;

/// Rules under which a member may delete a provider of the organization once an administrator has approved it.
pub const MEMBERS_MAY_ASK: &str = r#"
@id("members-ask")
permit (principal is User, action == Action::"provider.delete", resource is Provider)
when { principal has role && principal.role == "member" && !(resource has owner) };

@id("ask-an-admin")
@approval("admin:1")
forbid (principal is User, action == Action::"provider.delete", resource is Provider)
when { principal has role && principal.role == "member" && !(resource has owner) }
unless { context.approved };
"#;

/// Longer than anything here takes; only a hang reaches it.
pub const PATIENCE: Duration = Duration::from_secs(20);

pub struct World {
    pub house: House,
    pub router: Router,
    pub engine: EngineId,
    pub owner: Person,
    pub admin: Person,
    pub ada: Person,
    pub bob: Person,
    chat: Arc<ChatHub>,
    count: AtomicU32,
}

/// Somebody at a browser.
#[derive(Debug, Clone)]
pub struct Person {
    pub username: String,
    pub cx: Context,
    /// The `Cookie` header.
    pub cookie: String,
}

/// How a request proves who sends it.
#[derive(Debug, Clone)]
pub enum Proof {
    None,
    Cookie(String),
    Bearer(String),
}

/// What is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// Nothing in particular.
    None,
    Instance,
    Provider,
    SkillCredential,
    Token,
    Session,
    Run,
    Conversation,
    User,
    Invitation,
    IdentityProvider,
    /// The link to one's account at an identity provider.
    Link,
    Engine,
    /// A sealed entry of the log.
    Evidence,
    Webhook,
    Witness,
    /// A change of Ada's or Bob's that waits for an administrator.
    Proposal,
    /// One that waits for a worker.
    Operation,
    /// One that waits for a choice.
    StuckOperation,
    /// That one of Ada's or Bob's operations is stuck.
    Incident,
}

impl Target {
    /// Whether it belongs to one person.
    pub fn is_personal(self) -> bool {
        matches!(
            self,
            Self::Instance
                | Self::Provider
                | Self::SkillCredential
                | Self::Token
                | Self::Session
                | Self::Run
                | Self::Conversation
                | Self::Proposal
                | Self::Operation
                | Self::StuckOperation
                | Self::Incident
                | Self::Link
        )
    }

    /// Whether nobody but its person gets at it, whatever their role.
    pub fn is_private(self) -> bool {
        let seen_by_others = [
            Self::Instance,
            Self::Proposal,
            Self::Operation,
            Self::StuckOperation,
            Self::Incident,
        ];
        self.is_personal() && !seen_by_others.contains(&self)
    }
}

#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    /// Empty for a stream.
    pub body: Vec<u8>,
    /// The body of an event stream, unread.
    pub stream: Option<Body>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The problem's code; empty when it is none.
    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }
}

impl World {
    pub async fn new() -> Self {
        let house = house::house().await;
        let engine = data_plane::installed_engine(&house.app).await;
        data_plane::other_engine(&house.app).await;
        let signed_in = house.claim().await;
        let owner = person(&house, "root", signed_in).await;
        for (username, role) in [
            ("grace", Role::Admin),
            ("ada", Role::Member),
            ("bob", Role::Member),
        ] {
            let body = CreateUser {
                username: name(username),
                display_name: None,
                role: Some(role),
                password: PASSWORD.into(),
            };
            user::create(&house.app, &owner.cx, body).await.unwrap();
        }
        let chat = data_plane::chat_hub(&house.app);
        let router = fractal_http::router(Server {
            app: house.app.clone(),
            chat: chat.clone(),
        });
        Self {
            admin: sign_in(&house, "grace").await,
            ada: sign_in(&house, "ada").await,
            bob: sign_in(&house, "bob").await,
            house,
            router,
            engine,
            owner,
            chat,
            count: AtomicU32::new(0),
        }
    }

    /// A number not used before, for names.
    pub fn number(&self) -> u32 {
        self.count.fetch_add(1, Ordering::Relaxed)
    }

    pub async fn sign_in(&self, username: &str) -> Person {
        sign_in(&self.house, username).await
    }

    /// A new instance. A person may have few, so older ones go.
    pub async fn instance(&self, of: &Person) -> InstanceId {
        self.new_instance(of, true).await
    }

    async fn new_instance(&self, of: &Person, start: bool) -> InstanceId {
        let app = &self.house.app;
        let all = PageQuery::default();
        let known = instance::list(app, &of.cx, false, &all).await.unwrap();
        let mut ids: Vec<InstanceId> = known.items.into_iter().map(|view| view.id).collect();
        ids.sort();
        for old in ids.iter().take(ids.len().saturating_sub(3)) {
            data_plane::forget_instance(app, *old).await;
        }
        let body = CreateInstance {
            name: format!("agent {}", self.number()).parse().unwrap(),
            engine_id: None,
            start: Some(start),
        };
        instance::create(&self.house.app, &of.cx, body)
            .await
            .unwrap()
            .0
            .id
    }

    pub async fn token(&self, of: &Person, scope: Scope) -> (String, String) {
        let body = CreateApiToken {
            name: format!("token {}", self.number()).parse().unwrap(),
            scopes: Some(vec![scope]),
            expires_in_days: None,
        };
        let new = token::create(&self.house.app, &of.cx, body).await.unwrap();
        (new.token.id.to_string(), new.secret)
    }

    /// A person without anything.
    pub async fn newcomer(&self) -> String {
        let body = CreateUser {
            username: name(&format!("user{}", self.number())),
            display_name: None,
            role: None,
            password: PASSWORD.into(),
        };
        let view = user::create(&self.house.app, &self.owner.cx, body).await;
        view.unwrap().id.to_string()
    }

    /// An invitation: its id and its secret.
    pub async fn invitation(&self) -> (String, String) {
        let body = CreateInvitation::default();
        let new = invitation::create(&self.house.app, &self.owner.cx, body)
            .await
            .unwrap();
        let secret = new.secret.rsplit('#').next().unwrap().to_owned();
        (new.invitation.id.to_string(), secret)
    }

    /// A change of an agent's engine that waits for a worker.
    async fn operation(&self, of: &Person) -> OperationId {
        let agent = self.new_instance(of, false).await;
        let body = ChangeEngine {
            engine_id: data_plane::other_engine_id(),
        };
        let begun = instance::change_engine(&self.house.app, &of.cx, agent, body).await;
        begun.unwrap().id
    }

    async fn stuck_operation(&self, of: &Person) -> OperationId {
        let id = self.operation(of).await;
        data_plane::get_stuck(&self.house.app, id).await;
        id
    }

    /// That one of somebody's operations is stuck.
    async fn incident(&self, of: &Person) -> String {
        let operation = self.stuck_operation(of).await;
        incident::look(&self.house.app).await;
        let query = IncidentQuery {
            resource_id: Some(operation.to_string()),
            ..IncidentQuery::default()
        };
        let page = incident::list(&self.house.app, &self.owner.cx, &query).await;
        page.unwrap().items[0].id.to_string()
    }

    /// Makes something fresh of this kind for somebody; what stands for `{id}` and, for chat, the agent.
    pub async fn make(&self, target: Target, of: &Person) -> (String, String) {
        let app = &self.house.app;
        let id = match target {
            Target::None => String::new(),
            Target::Instance => self.instance(of).await.to_string(),
            Target::Provider => {
                let body = CreateProvider {
                    kind: ProviderKind::Demo,
                    name: format!("provider {}", self.number()).parse().unwrap(),
                    base_url: None,
                    api_key: None,
                    models: None,
                    wire: None,
                    shared: None,
                    allow_private_network: None,
                };
                let view = provider::create(app, &of.cx, body).await.unwrap();
                view.id.to_string()
            }
            Target::SkillCredential => {
                let body = SetSkillCredential {
                    skill: "trello".parse().unwrap(),
                    name: format!("MADE_{}", self.number()).parse().unwrap(),
                    value: "skill-credential-value".into(),
                };
                let view = skill_credential::set(app, &of.cx, body).await.unwrap();
                view.id.to_string()
            }
            Target::Token => self.token(of, Scope::Read).await.0,
            Target::Session => {
                let other = self.sign_in(&of.username).await;
                other.cx.session_id.unwrap().to_string()
            }
            Target::Run => {
                let instance = self.instance(of).await;
                let request = ChatRequest {
                    message: Some("hello".into()),
                    ..ChatRequest::default()
                };
                let actor = of.cx.actor.clone();
                let run = self.chat.start(actor, instance, request).unwrap();
                return (run.id().to_string(), instance.to_string());
            }
            Target::Conversation => {
                // A stopped one says so; one that starts would be waited for.
                let agent = self.new_instance(of, false).await;
                return ("main".to_owned(), agent.to_string());
            }
            Target::User => self.newcomer().await,
            Target::Invitation => self.invitation().await.0,
            Target::IdentityProvider => data_plane::identity_provider(app).await.to_string(),
            Target::Link => {
                let id = data_plane::identity_provider(app).await;
                data_plane::link(app, of.cx.user_id().unwrap(), id).await;
                id.to_string()
            }
            Target::Engine => self.engine.to_string(),
            Target::Webhook => {
                let body = fractal_api_types::CreateWebhook {
                    name: format!("hook {}", self.number()).parse().unwrap(),
                    url: "https://example.org/hook".to_owned(),
                    events: None,
                    allow_private_network: None,
                };
                let made = fractal_app::webhook::create(app, &self.owner.cx, body)
                    .await
                    .unwrap();
                made.webhook.id.to_string()
            }
            Target::Witness => {
                let body = fractal_api_types::AddWitness {
                    url: "https://witness.example.org".to_owned(),
                    key: fractal_testing::witness::key(self.number()),
                    allow_private_network: None,
                };
                let added = fractal_app::witness::add(app, &self.owner.cx, body)
                    .await
                    .unwrap();
                added.id.to_string()
            }
            Target::Proposal => return self.proposal(of).await,
            Target::Operation => self.operation(of).await.to_string(),
            Target::StuckOperation => self.stuck_operation(of).await.to_string(),
            Target::Incident => self.incident(of).await,
            Target::Evidence => {
                app.sealer.seal_all().await.unwrap();
                "1".to_owned()
            }
        };
        (id.clone(), id)
    }

    /// Ids of things that nobody has.
    pub fn nothing(&self, target: Target) -> (String, String) {
        let id = |prefix: &str| format!("{prefix}_{}", "0".repeat(26));
        let name = match target {
            Target::None => String::new(),
            Target::Instance => id("inst"),
            Target::Provider => id("prov"),
            Target::SkillCredential => id("skc"),
            Target::Token => id("tok"),
            Target::Session => id("sess"),
            Target::Run => return (id("crun"), id("inst")),
            Target::Conversation => return ("main".to_owned(), id("inst")),
            Target::User => id("user"),
            Target::Invitation => id("invt"),
            Target::IdentityProvider | Target::Link => id("idp"),
            Target::Engine => id("eng"),
            Target::Webhook => id("hook"),
            Target::Witness => id("wit"),
            Target::Proposal => id("prop"),
            Target::Operation | Target::StuckOperation => id("op"),
            Target::Incident => id("inc"),
            Target::Evidence => "999999999".to_owned(),
        };
        (name.clone(), name)
    }

    /// Lets members ask for the deletion of what is the organization's.
    pub async fn members_may_ask(&self) {
        let present = fractal_app::policy::view(&self.house.app, &self.owner.cx)
            .await
            .unwrap();
        if present.text == MEMBERS_MAY_ASK {
            return;
        }
        let body = UpdatePolicy {
            base_version: present.version,
            text: MEMBERS_MAY_ASK.to_owned(),
            tests: None,
            comment: None,
        };
        fractal_app::policy::update(&self.house.app, &self.owner.cx, body)
            .await
            .unwrap();
    }

    /// A provider of the organization's.
    pub async fn shared_provider(&self) -> String {
        let body = CreateProvider {
            kind: ProviderKind::Demo,
            name: format!("shared {}", self.number()).parse().unwrap(),
            base_url: None,
            api_key: None,
            models: None,
            wire: None,
            shared: Some(true),
            allow_private_network: None,
        };
        let view = provider::create(&self.house.app, &self.owner.cx, body).await;
        view.unwrap().id.to_string()
    }

    /// Its id and its digest. Members ask; of others it is one of Ada's.
    async fn proposal(&self, of: &Person) -> (String, String) {
        self.members_may_ask().await;
        let of = if of.cx.actor.role == Some(Role::Member) {
            of
        } else {
            &self.ada
        };
        let path = format!("/api/v1/providers/{}", self.shared_provider().await);
        let asked = self
            .send(request(Method::DELETE, &path, &of.proof(), None))
            .await;
        assert_eq!(asked.status, 202, "{}", asked.json());
        let view = asked.json();
        let text = |field: &str| view[field].as_str().unwrap().to_owned();
        (text("id"), text("digest"))
    }

    /// Does what changes left to be done.
    pub async fn work(&self) -> usize {
        let performer = Performer::new(Server {
            app: self.house.app.clone(),
            chat: self.chat.clone(),
        });
        self.work_with(Arc::new(performer)).await
    }

    /// The same with another way to carry things out.
    pub async fn work_with(&self, performer: Arc<dyn proposal::Performer>) -> usize {
        self.house.work(performer).await
    }

    /// Sends a request from this site.
    pub async fn send(&self, mut request: Request<Body>) -> Answer {
        request
            .headers_mut()
            .entry(header::HOST)
            .or_insert(http::HeaderValue::from_static("localhost"));
        let label = format!("{} {}", request.method(), request.uri());
        let answer = tokio::time::timeout(PATIENCE, self.router.clone().oneshot(request))
            .await
            .unwrap_or_else(|_| panic!("{label} hangs"))
            .unwrap();
        let (parts, body) = answer.into_parts();
        let is_stream = parts
            .headers
            .get(header::CONTENT_TYPE)
            .is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
        let (body, stream) = if is_stream {
            (Vec::new(), Some(body))
        } else {
            (body.collect().await.unwrap().to_bytes().to_vec(), None)
        };
        Answer {
            status: parts.status,
            headers: parts.headers,
            body,
            stream,
        }
    }

    pub async fn get(&self, path: &str, proof: &Proof) -> Answer {
        self.send(request(Method::GET, path, proof, None)).await
    }

    pub async fn post(&self, path: &str, proof: &Proof, body: &Value) -> Answer {
        self.send(request(Method::POST, path, proof, Some(body)))
            .await
    }
}

impl Person {
    pub fn proof(&self) -> Proof {
        Proof::Cookie(self.cookie.clone())
    }
}

/// A request as a browser or program would send it.
pub fn request(method: Method, path: &str, proof: &Proof, body: Option<&Value>) -> Request<Body> {
    let mut builder = Request::builder().method(method).uri(path);
    builder = match proof {
        Proof::None => builder,
        Proof::Cookie(cookie) => builder.header(header::COOKIE, cookie),
        Proof::Bearer(token) => builder.header(header::AUTHORIZATION, format!("Bearer {token}")),
    };
    match body {
        None => builder.body(Body::empty()),
        Some(body) => builder
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body.to_string())),
    }
    .unwrap()
}

async fn sign_in(house: &House, username: &str) -> Person {
    let login = Login {
        username: name(username),
        password: PASSWORD.into(),
    };
    let signed_in = session::sign_in(&house.app, login, &client(1))
        .await
        .unwrap();
    person(house, username, signed_in).await
}

async fn person(house: &House, username: &str, signed_in: session::SignedIn) -> Person {
    let cx = house.context(&signed_in).await;
    let cookie = format!(
        "{}={}",
        house.app.session_cookie_name(),
        signed_in.token.expose_secret()
    );
    Person {
        username: username.to_owned(),
        cx,
        cookie,
    }
}
