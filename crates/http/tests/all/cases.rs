//! One case per operation: what it is called on and with which body. A new operation needs a line here.

use serde_json::{Value, json};

use crate::world::Target;
use fractal_testing::house::PASSWORD;

/// How one operation is called.
pub struct Case {
    pub operation: &'static str,
    pub target: Target,
    /// Besides the path; `{agent}` stands for the agent.
    pub query: &'static str,
    /// A body that is right, of `{id}`'s agent and a fresh number.
    pub body: Option<fn(&str, u32) -> Value>,
    /// A header with a secret, for operations that take one.
    pub secret: Option<&'static str>,
    /// Whether it ends the session that calls it.
    pub ends_session: bool,
}

const fn case(operation: &'static str, target: Target) -> Case {
    Case {
        operation,
        target,
        query: "",
        body: None,
        secret: None,
        ends_session: false,
    }
}

impl Case {
    const fn body(self, body: fn(&str, u32) -> Value) -> Self {
        Self {
            body: Some(body),
            ..self
        }
    }

    const fn query(self, query: &'static str) -> Self {
        Self { query, ..self }
    }

    const fn secret(self, secret: &'static str) -> Self {
        Self {
            secret: Some(secret),
            ..self
        }
    }

    const fn ends_session(self) -> Self {
        Self {
            ends_session: true,
            ..self
        }
    }
}

fn message(agent: &str, _: u32) -> Value {
    json!({ "agent_id": agent, "message": "hello" })
}

fn demo(_: &str, number: u32) -> Value {
    json!({ "type": "demo", "name": format!("demo {number}") })
}

fn issuer(_: &str, number: u32) -> Value {
    json!({ "name": format!("idp {number}"), "issuer": "https://id.example.org", "client_id": "fractal" })
}

const AGENT: &str = "?agent_id={agent}";

pub fn cases() -> Vec<Case> {
    use Target::*;

    vec![
        case("getLiveness", None),
        case("getReadiness", None),
        case("getHealth", None),
        case("getOnboardingStatus", None),
        case("claimBreakglass", None)
            .body(|_, _| json!({ "username": "second", "password": PASSWORD })),
        case("onboardOidc", None).body(|_, _| json!({ "skip": true })),
        case("onboardProvider", None).body(demo),
        case("onboardAgent", None)
            .body(|_, number| json!({ "name": format!("first {number}"), "model": "test-model" })),
        case("completeOnboarding", None),
        case("listSignInMethods", None),
        case("login", None).body(|_, _| json!({ "username": "ada", "password": PASSWORD })),
        case("logout", None).ends_session(),
        case("startOidc", IdentityProvider),
        case("finishOidc", None),
        case("getMe", None),
        case("updateMe", None).body(|_, _| json!({ "locale": "de" })),
        case("unlinkIdentityProvider", Link),
        case("listSessions", None),
        case("revokeSession", Session),
        case("listTokens", None),
        case("createToken", None).body(|_, number| json!({ "name": format!("t {number}") })),
        case("rotateToken", Token).body(|_, _| json!({})),
        case("revokeToken", Token),
        case("listUsers", None),
        case("createUser", None)
            .body(|_, n| json!({ "username": format!("made{n}"), "password": PASSWORD })),
        case("getUser", User),
        case("updateUser", User).body(|_, _| json!({ "display_name": "Somebody" })),
        case("deleteUser", User),
        case("eraseUser", User),
        case("resetPassword", User).body(|_, _| json!({ "password": PASSWORD })),
        case("listInvitations", None),
        case("createInvitation", None).body(|_, _| json!({})),
        case("revokeInvitation", Invitation),
        case("acceptInvitation", None)
            .body(|_, n| json!({ "username": format!("guest{n}"), "password": PASSWORD }))
            .secret("x-invitation-token"),
        case("listIdentityProviders", None),
        case("createIdentityProvider", None).body(issuer),
        case("getIdentityProvider", IdentityProvider),
        case("updateIdentityProvider", IdentityProvider)
            .body(|_, n| json!({ "name": format!("renamed {n}") })),
        case("deleteIdentityProvider", IdentityProvider),
        case("testIdentityProvider", IdentityProvider),
        case("listWebhooks", None),
        case("createWebhook", None)
            .body(|_, n| json!({ "name": format!("made {n}"), "url": "https://example.org/hook" })),
        case("getWebhook", Webhook),
        case("updateWebhook", Webhook).body(|_, _| json!({ "enabled": false })),
        case("deleteWebhook", Webhook),
        case("rotateWebhookSecret", Webhook),
        case("testWebhook", Webhook),
        case("listWebhookDeliveries", Webhook),
        case("replayWebhookDelivery", Webhook),
        case("listWitnesses", None),
        case("addWitness", None).body(|_, n| {
            json!({ "url": "https://witness.example.org", "key": fractal_testing::witness::key(n) })
        }),
        case("removeWitness", Witness),
        case("listEvidence", None),
        case("getEvidenceCheckpoint", None),
        case("proveEvidenceConsistency", None).query("?from=1"),
        case("exportEvidence", None),
        case("getEvidence", Evidence),
        case("proveEvidence", Evidence),
        case("followEvents", None),
        case("openLive", None),
        case("getSettings", None),
        case("updateSettings", None).body(|_, _| json!({ "idle_timeout_minutes": 30 })),
        case("getKeyStatus", None),
        case("rotateKey", None),
        case("getPolicy", None),
        case("updatePolicy", None).body(|_, _| json!({ "base_version": 0, "text": "" })),
        case("listPolicyVersions", None),
        case("getPolicyVersion", None),
        case("checkPolicy", None).body(|_, _| json!({ "text": "" })),
        case("simulatePolicy", None).body(|_, _| json!({ "text": "" })),
        case("resetPolicy", None),
        case("listProposals", None),
        case("getProposal", Proposal),
        case("simulateProposal", Proposal),
        case("approveProposal", Proposal).body(|digest, _| json!({ "digest": digest })),
        case("rejectProposal", Proposal).body(|_, _| json!({ "comment": "not now" })),
        case("withdrawProposal", Proposal),
        case("collectProposal", Proposal),
        case("listOperations", None),
        case("getOperation", Operation),
        case("cancelOperation", Operation),
        case("retryOperation", StuckOperation),
        case("skipOperation", StuckOperation),
        case("undoOperation", StuckOperation),
        case("listIncidents", None),
        case("getIncident", Incident),
        case("acknowledgeIncident", Incident).body(|_, _| json!({ "note": "on it" })),
        case("listChecks", None),
        case("runChecks", None),
        case("listProviders", None),
        case("createProvider", None).body(demo),
        case("getProvider", Provider),
        case("updateProvider", Provider)
            .body(|_, n| json!({ "name": format!("renamed {n}") })),
        case("deleteProvider", Provider),
        case("testProvider", Provider),
        case("getProfile", None),
        case("updateProfile", None).body(|_, _| json!({ "persona": "kind" })),
        case("listSkills", Instance),
        case("listSkillCredentials", None),
        case("setSkillCredential", None).body(
            |_, n| json!({ "skill": "trello", "name": format!("TOKEN_{n}"), "value": "a value" }),
        ),
        case("deleteSkillCredential", SkillCredential),
        case("listEngines", None),
        case("installEngine", Engine),
        case("listAssets", None),
        case("listInstances", None),
        case("createInstance", None).body(|_, n| json!({ "name": format!("made {n}") })),
        case("getInstance", Instance),
        case("updateInstance", Instance).body(|_, n| json!({ "name": format!("renamed {n}") })),
        case("deleteInstance", Instance),
        case("startInstance", Instance),
        case("stopInstance", Instance),
        case("restartInstance", Instance),
        case("changeInstanceEngine", Instance)
            .body(|_, _| json!({ "engine_id": fractal_testing::data_plane::other_engine_id() })),
        case("setInstanceLimits", Instance).body(|_, _| json!({ "disk_bytes": 10_737_418_240_u64 })),
        case("readInstanceLogs", Instance),
        case("getInstanceTimeline", Instance),
        case("followInstance", Instance),
        case("streamChat", Instance).body(message),
        case("streamChatCompatible", Instance).body(message),
        case("resumeRun", Run),
        case("abortRun", Run),
        case("resolveApproval", Run).body(|_, _| json!({ "decision": "deny" })),
        case("answerQuestion", Run).body(|_, _| json!({ "answer": "yes" })),
        case("listChatSessions", Instance).query(AGENT),
        case("renameChatSession", Conversation)
            .query(AGENT)
            .body(|_, _| json!({ "title": "Talk" })),
        case("deleteChatSession", Conversation).query(AGENT),
        case("getChatHistory", Conversation).query(AGENT),
        case("followChatSession", Conversation).query(AGENT),
        case("getUsage", None),
        case("listModels", None),
        case("createChatCompletion", Instance).body(|agent, _| {
            json!({ "model": agent, "stream": true, "messages": [{ "role": "user", "content": "hello" }] })
        }),
    ]
}

#[test]
fn every_operation_of_the_document_has_a_case() {
    let cases: Vec<&str> = cases().iter().map(|case| case.operation).collect();
    let operations = crate::document::operations();
    let missing: Vec<&str> = operations
        .iter()
        .map(|operation| operation.id.as_str())
        .filter(|id| !cases.contains(id))
        .collect();
    assert!(missing.is_empty(), "no case for {missing:?}");
    let gone: Vec<&&str> = cases
        .iter()
        .filter(|id| !operations.iter().any(|operation| operation.id == **id))
        .collect();
    assert!(gone.is_empty(), "no such operation: {gone:?}");
    assert_eq!(cases.len(), operations.len(), "a case stands twice");
}
