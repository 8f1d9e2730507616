//! Settings become a document.
//!
//! Every value here has its reason in `openclaw.md` sections 1, 4 and 8: no listening beyond loopback, no
//! shared log, no calls home, no tokens spent without being asked.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    path::Path,
};

use fractal_types::{VariableName, Wire};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::settings::{GatewaySettings, ModelAlias, SettingsError, ToolPolicy};

/// Below this stand the skills a person gave variables to.
pub(super) const SKILLS: &str = "/skills/entries";

/// A rendered document. It holds the two tokens and the variables of skills in plain text, so it does not print.
#[derive(Clone, PartialEq)]
pub struct Rendered {
    /// The document.
    pub config: Value,
    /// JSON pointers (RFC 6901) of the keys we own: every value that is not an object.
    pub owned: Vec<String>,
    /// JSON pointers of objects in which only our keys may be.
    pub exclusive: Vec<String>,
    /// JSON pointers of secrets; the gateway never shows their values.
    pub secrets: Vec<String>,
    /// SHA-256 of the document with sorted keys, in hexadecimal.
    pub hash: String,
}

impl fmt::Debug for Rendered {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Rendered")
            .field("hash", &self.hash)
            .field("owned", &self.owned.len())
            .finish_non_exhaustive()
    }
}

impl Rendered {
    /// The gateway token inside.
    #[must_use]
    pub fn gateway_token(&self) -> SecretString {
        let token = self.config["gateway"]["auth"]["token"].as_str();
        SecretString::from(token.unwrap_or_default().to_owned())
    }
}

/// Renders the document.
///
/// # Errors
///
/// [`SettingsError`] when a gateway would refuse the result or could not use it.
pub fn render(settings: &GatewaySettings) -> Result<Rendered, SettingsError> {
    let providers = providers(settings)?;
    let heartbeat = settings.heartbeat_every.map_or_else(
        || "0m".to_owned(),
        |every| format!("{}m", every.as_secs().div_ceil(60).max(1)),
    );
    let tools = &settings.tools;
    let mut tools_config = json!({
        "profile": tools.profile.word(),
        "deny": denied(tools),
        "exec": {"mode": tools.exec.word(), "host": "gateway"},
        "fs": {"workspaceOnly": tools.workspace_only},
    });
    if !tools.also_allow.is_empty() {
        tools_config["alsoAllow"] = json!(tools.also_allow);
    }
    let mut identity = json!({"name": settings.agent.name});
    if let Some(emoji) = &settings.agent.emoji {
        identity["emoji"] = json!(emoji);
    }
    let mut config = json!({
        "gateway": {
            "mode": "local",
            "port": settings.port,
            "bind": "loopback",
            "auth": {"mode": "token", "token": settings.gateway_token.expose_secret()},
            "controlUi": {"enabled": false},
        },
        "discovery": {"mdns": {"mode": "off"}},
        "update": {"checkOnStart": false, "auto": {"enabled": false}},
        "telemetry": {"enabled": false},
        "logging": {"file": text(&settings.log_file)?},
        "browser": {"enabled": false},
        "commands": {"restart": false, "config": false},
        "cron": {"enabled": settings.cron_enabled},
        "models": {
            "mode": "replace",
            "catalogRefresh": {"enabled": false},
            "providers": providers,
        },
        "tools": tools_config,
        "agents": {
            "defaults": {
                "model": {"primary": settings.primary.gateway_name()},
                "heartbeat": {"every": heartbeat},
                "skipBootstrap": true,
            },
            "entries": {
                "main": {
                    "name": settings.agent.name,
                    "identity": identity,
                    "workspace": text(&settings.agent.workspace)?,
                },
            },
        },
    });
    let skills = skills(settings);
    // Only ours, so that a variable that was taken away does not stay behind in a document that slept meanwhile.
    let mut exclusive = vec!["/models/providers".to_owned(), SKILLS.to_owned()];
    exclusive.extend(skills.keys().map(|key| format!("{SKILLS}/{key}/env")));
    if !skills.is_empty() {
        config["skills"] = json!({ "entries": skills });
    }
    let mut owned = Vec::new();
    leaves(&config, &mut String::new(), &mut owned);
    let secrets = owned
        .iter()
        .filter(|pointer| {
            pointer.ends_with("/apiKey")
                || *pointer == "/gateway/auth/token"
                || is_variable(pointer)
        })
        .cloned()
        .collect();
    Ok(Rendered {
        hash: hex(&Sha256::digest(canonical(&config).to_string())),
        exclusive,
        config,
        owned,
        secrets,
    })
}

/// The providers by gateway id. `openai_completions` always offers `default` and `probe`, because the
/// proof of readiness must not depend on which wires a person chose.
fn providers(settings: &GatewaySettings) -> Result<Map<String, Value>, SettingsError> {
    let base = settings.broker.base_url.trim_end_matches('/');
    let host = base
        .strip_prefix("http://")
        .or_else(|| base.strip_prefix("https://"));
    if host.is_none_or(|host| host.is_empty() || host.contains(['/', '?', '#', '@', ' '])) {
        return Err(SettingsError::BrokerAddress(
            settings.broker.base_url.clone(),
        ));
    }
    let mut wires: BTreeMap<Wire, BTreeMap<String, ModelAlias>> = BTreeMap::new();
    let common = wires.entry(Wire::OpenaiCompletions).or_default();
    for id in ["default", "probe"] {
        common.insert(id.to_owned(), ModelAlias::new(id));
    }
    for offered in &settings.wires {
        let aliases = wires.entry(offered.wire).or_default();
        for alias in &offered.aliases {
            let allowed =
                |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.".contains(c);
            if !(1..=64).contains(&alias.id.len()) || !alias.id.chars().all(allowed) {
                return Err(SettingsError::Alias(alias.id.clone()));
            }
            aliases.insert(alias.id.clone(), alias.clone());
        }
    }
    let primary = &settings.primary;
    if wires
        .get(&primary.wire)
        .is_none_or(|aliases| !aliases.contains_key(&primary.alias))
    {
        return Err(SettingsError::UnknownPrimary(primary.gateway_name()));
    }
    Ok(wires
        .into_iter()
        .map(|(wire, aliases)| {
            let entry = json!({
                "baseUrl": format!("{base}{}", base_path(wire)),
                "api": wire.openclaw_api(),
                "apiKey": settings.broker.instance_token.expose_secret(),
                "models": aliases.values().map(model).collect::<Value>(),
            });
            (wire.gateway_provider_id().to_owned(), entry)
        })
        .collect())
}

/// Whether this is a variable of a skill.
pub(super) fn is_variable(pointer: &str) -> bool {
    pointer
        .strip_prefix(SKILLS)
        .is_some_and(|rest| rest.contains("/env/"))
}

fn skills(settings: &GatewaySettings) -> Map<String, Value> {
    let entry = |variables: &BTreeMap<VariableName, SecretString>| {
        let env: Map<String, Value> = variables
            .iter()
            .map(|(name, value)| (name.to_string(), json!(literal(value.expose_secret()))))
            .collect();
        json!({ "enabled": true, "env": env })
    };
    settings
        .skills
        .iter()
        .map(|(key, variables)| (key.to_string(), entry(variables)))
        .collect()
}

/// A text that a gateway reads as it is: in its document `${NAME}` stands for a variable of its own environment, and
/// `$${NAME}` for the text `${NAME}`. Measured: only names of `[A-Z_][A-Z0-9_]*` count.
fn literal(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let name = rest[at + 2..].split('}').next().unwrap_or_default();
        let closed = rest.len() > at + 2 + name.len();
        let refers = closed
            && name.starts_with(|c: char| c.is_ascii_uppercase() || c == '_')
            && name
                .chars()
                .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
        out.push_str(&rest[..at]);
        out.push_str(if refers { "$${" } else { "${" });
        rest = &rest[at + 2..];
    }
    out + rest
}

/// The path a wire's base address ends with. Each client adds its own rest: the table in the crate's
/// documentation.
fn base_path(wire: Wire) -> String {
    let version = match wire {
        Wire::OpenaiCompletions | Wire::OpenaiResponses => "/v1",
        Wire::AnthropicMessages => "",
        Wire::GoogleGenerativeAi => "/v1beta",
    };
    format!("/llm/{}{version}", wire.path_segment())
}

fn model(alias: &ModelAlias) -> Value {
    let input: &[&str] = if alias.images {
        &["text", "image"]
    } else {
        &["text"]
    };
    json!({
        "id": alias.id,
        "name": alias.id,
        "contextWindow": alias.context_window,
        "maxTokens": alias.max_tokens,
        "input": input,
        "reasoning": alias.reasoning,
    })
}

fn denied(tools: &ToolPolicy) -> BTreeSet<&str> {
    ToolPolicy::ALWAYS_DENIED
        .into_iter()
        .chain(tools.deny.iter().map(String::as_str))
        .collect()
}

fn text(path: &Path) -> Result<&str, SettingsError> {
    path.to_str()
        .filter(|_| path.is_absolute())
        .ok_or_else(|| SettingsError::Path(path.to_owned()))
}

/// Collects the pointers of everything that is not an object.
fn leaves(value: &Value, pointer: &mut String, out: &mut Vec<String>) {
    let Value::Object(members) = value else {
        out.push(pointer.clone());
        return;
    };
    for (key, member) in members {
        let length = pointer.len();
        pointer.push('/');
        pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
        leaves(member, pointer, out);
        pointer.truncate(length);
    }
}

/// The same value with sorted keys, so that equal documents hash equally.
fn canonical(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let sorted: BTreeMap<&String, Value> = members
                .iter()
                .map(|(key, member)| (key, canonical(member)))
                .collect();
            sorted
                .into_iter()
                .map(|(key, member)| (key.clone(), member))
                .collect()
        }
        Value::Array(items) => items.iter().map(canonical).collect(),
        other => other.clone(),
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    bytes.iter().fold(String::new(), |mut out, byte| {
        // Writing to a String cannot fail.
        let _ = write!(out, "{byte:02x}");
        out
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use std::time::Duration;

    use super::*;
    use crate::document::*;

    pub(crate) fn settings() -> GatewaySettings {
        GatewaySettings {
            port: 21_000,
            gateway_token: SecretString::from("gateway-secret"),
            broker: BrokerEndpoint {
                base_url: "http://127.0.0.1:18790".to_owned(),
                instance_token: SecretString::from("instance-secret"),
            },
            wires: Vec::new(),
            primary: ModelRef::standard(),
            agent: AgentSettings {
                name: "Ada".to_owned(),
                emoji: None,
                workspace: "/home/agent/workspace".into(),
            },
            tools: ToolPolicy::default(),
            skills: std::collections::BTreeMap::new(),
            heartbeat_every: None,
            cron_enabled: false,
            log_file: "/home/agent/gateway.log".into(),
        }
    }

    #[test]
    fn the_common_wire_always_offers_default_and_probe() {
        let config = render(&settings()).unwrap().config;
        let fractal = &config["models"]["providers"]["fractal"];
        assert_eq!(fractal["baseUrl"], "http://127.0.0.1:18790/llm/openai/v1");
        assert_eq!(fractal["models"][0]["id"], "default");
        assert_eq!(fractal["models"][1]["id"], "probe");
        assert_eq!(
            config["agents"]["defaults"]["model"]["primary"],
            "fractal/default"
        );
    }

    #[test]
    fn each_wire_has_the_base_address_its_client_expects() {
        let mut settings = settings();
        settings.wires = [
            Wire::OpenaiResponses,
            Wire::AnthropicMessages,
            Wire::GoogleGenerativeAi,
        ]
        .map(|wire| WireModels {
            wire,
            aliases: vec![ModelAlias::new("default")],
        })
        .to_vec();
        let config = render(&settings).unwrap().config;
        let base = |id: &str| config["models"]["providers"][id]["baseUrl"].clone();
        assert_eq!(
            base("fractal-responses"),
            "http://127.0.0.1:18790/llm/responses/v1"
        );
        assert_eq!(
            base("fractal-anthropic"),
            "http://127.0.0.1:18790/llm/anthropic"
        );
        assert_eq!(
            base("fractal-google"),
            "http://127.0.0.1:18790/llm/google/v1beta"
        );
    }

    #[test]
    fn nothing_listens_calls_home_or_spends_by_itself() {
        let config = render(&settings()).unwrap().config;
        for (pointer, value) in [
            ("/gateway/bind", json!("loopback")),
            ("/gateway/controlUi/enabled", json!(false)),
            ("/telemetry/enabled", json!(false)),
            ("/update/checkOnStart", json!(false)),
            ("/discovery/mdns/mode", json!("off")),
            ("/models/catalogRefresh/enabled", json!(false)),
            ("/browser/enabled", json!(false)),
            ("/agents/defaults/heartbeat/every", json!("0m")),
            ("/cron/enabled", json!(false)),
            ("/tools/exec/mode", json!("ask")),
        ] {
            assert_eq!(config.pointer(pointer), Some(&value), "{pointer}");
        }
    }

    #[test]
    fn a_heartbeat_is_whole_minutes_and_never_off_by_rounding() {
        let mut settings = settings();
        settings.heartbeat_every = Some(Duration::from_secs(61));
        let config = render(&settings).unwrap().config;
        assert_eq!(config["agents"]["defaults"]["heartbeat"]["every"], "2m");
    }

    #[test]
    fn equal_settings_hash_equally_and_every_change_shows() {
        let first = render(&settings()).unwrap();
        assert_eq!(first.hash, render(&settings()).unwrap().hash);
        let mut other = settings();
        other.agent.name = "Bea".to_owned();
        assert_ne!(first.hash, render(&other).unwrap().hash);
        assert_eq!(first.hash.len(), 64);
    }

    #[test]
    fn variables_of_skills_are_ours_alone_and_secret() {
        let mut with = settings();
        assert!(render(&with).unwrap().config.get("skills").is_none());
        let value = SecretString::from("skill-secret");
        let variables = BTreeMap::from([("TRELLO_TOKEN".parse().unwrap(), value)]);
        with.skills = BTreeMap::from([("trello".parse().unwrap(), variables)]);
        let rendered = render(&with).unwrap();
        assert_eq!(
            rendered.config["skills"]["entries"],
            json!({"trello": {"enabled": true, "env": {"TRELLO_TOKEN": "skill-secret"}}})
        );
        let pointer = "/skills/entries/trello/env/TRELLO_TOKEN".to_owned();
        assert!(rendered.secrets.contains(&pointer));
        for only_ours in ["/skills/entries", "/skills/entries/trello/env"] {
            assert!(rendered.exclusive.contains(&only_ours.to_owned()));
        }
        assert!(!format!("{rendered:?}{with:?}").contains("skill-secret"));
        assert_ne!(rendered.hash, render(&settings()).unwrap().hash);
    }

    #[test]
    fn a_value_that_looks_like_a_reference_is_no_reference() {
        for (text, written) in [
            ("plain $1 $X {A}", "plain $1 $X {A}"),
            ("a ${HOME} b", "a $${HOME} b"),
            ("$${X}", "$$${X}"),
            ("${A}${B}", "$${A}$${B}"),
            ("${lower} ${1A} ${} ${OPEN", "${lower} ${1A} ${} ${OPEN"),
            ("${${A}}", "${$${A}}"),
        ] {
            assert_eq!(literal(text), written);
        }
    }

    #[test]
    fn impossible_settings_are_refused() {
        let mut bad = settings();
        bad.primary.alias = "nope".to_owned();
        assert!(
            matches!(render(&bad), Err(SettingsError::UnknownPrimary(name)) if name == "fractal/nope")
        );
        for address in [
            "127.0.0.1:1",
            "ftp://x",
            "http://h/path",
            "http://u@h",
            "http://",
        ] {
            let mut bad = settings();
            bad.broker.base_url = address.to_owned();
            assert!(
                matches!(render(&bad), Err(SettingsError::BrokerAddress(_))),
                "{address}"
            );
        }
        let mut bad = settings();
        bad.log_file = "relative.log".into();
        assert!(matches!(render(&bad), Err(SettingsError::Path(_))));
    }

    #[test]
    fn a_rendered_document_does_not_print_its_secrets() {
        let rendered = render(&settings()).unwrap();
        assert!(!format!("{rendered:?}").contains("secret"));
        assert_eq!(
            rendered.secrets,
            ["/gateway/auth/token", "/models/providers/fractal/apiKey"]
        );
    }
}
