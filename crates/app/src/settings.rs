//! Settings of the installation that are kept in the database and edited in the Portal.

use std::{
    net::IpAddr,
    sync::{Arc, PoisonError},
};

use async_trait::async_trait;
use fractal_api_types::{SettingsView, UpdateSettings};
use fractal_policy::{Action, Resource};
use fractal_store::{Reads, Store, Tx, system_config};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use serde_json::json;
use url::Url;

use crate::{
    App, Context,
    change::{Change, Door, submit},
    error::{Error, Result},
};

/// Idle timeout of a new instance unless set otherwise (`requirements.md` M61).
pub const DEFAULT_IDLE_TIMEOUT_MINUTES: u32 = 30;

/// How often witnesses are asked unless set otherwise: what they vouch for is a minute behind at most, and nobody is pestered.
pub const DEFAULT_WITNESS_INTERVAL_SECONDS: u32 = 60;

/// Settings, checked; held in memory and replaced as a whole when changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// The address people use, when it is not the listening one.
    pub public_url: Option<Url>,
    /// Host names that are answered besides loopback, the listening address and the public one.
    pub allowed_hosts: Vec<String>,
    /// Networks whose forwarding headers are believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Minutes without use after which a new instance goes to sleep.
    pub idle_timeout_minutes: u32,
    /// Seconds between two times that a witness of the log is asked.
    pub witness_interval_seconds: u32,
    /// Days that values of the log are kept; 0 for ever.
    pub value_retention_days: u32,
    /// Whether an administrator accepted that a reduced runtime serves several people.
    pub reduced_isolation_accepted: bool,
    /// The host part of the listening address; not stored.
    #[serde(skip)]
    pub listen_host: String,
    /// Whether the listener itself speaks TLS; not stored.
    #[serde(skip)]
    pub listen_tls: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            public_url: None,
            allowed_hosts: Vec::new(),
            trusted_proxies: Vec::new(),
            idle_timeout_minutes: DEFAULT_IDLE_TIMEOUT_MINUTES,
            witness_interval_seconds: DEFAULT_WITNESS_INTERVAL_SECONDS,
            value_retention_days: 0,
            reduced_isolation_accepted: false,
            listen_host: String::new(),
            listen_tls: false,
        }
    }
}

impl Settings {
    /// Whether a request for this host name (lower case, without port) is answered at all.
    #[must_use]
    pub fn answers_host(&self, host: &str) -> bool {
        let loopback = host == "localhost"
            || host.ends_with(".localhost")
            || host
                .parse::<IpAddr>()
                .is_ok_and(|address| address.is_loopback());
        loopback
            || (!host.is_empty() && host == self.listen_host)
            // Listening on every address means that the operator wants to be reached by any of them; a bare
            // address cannot be rebound by a name server.
            || (self.listens_everywhere() && host.parse::<IpAddr>().is_ok())
            || self.is_public_host(host)
    }

    fn listens_everywhere(&self) -> bool {
        self.listen_host
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_unspecified())
    }

    /// Whether this is the public host name or an allowed one.
    #[must_use]
    pub fn is_public_host(&self, host: &str) -> bool {
        self.public_url
            .as_ref()
            .and_then(Url::host_str)
            .is_some_and(|public| public.eq_ignore_ascii_case(host))
            || self
                .allowed_hosts
                .iter()
                .any(|allowed| allowed.eq_ignore_ascii_case(host))
    }

    /// Whether people reach us by TLS, so that cookies may be marked secure.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.listen_tls
            || self
                .public_url
                .as_ref()
                .is_some_and(|url| url.scheme() == "https")
    }

    /// The person's address: the last forwarded one that is not a trusted proxy, if the peer is one.
    #[must_use]
    pub fn client_address(&self, peer: IpAddr, forwarded_for: Option<&str>) -> IpAddr {
        if !self.is_trusted_proxy(peer) {
            return peer;
        }
        forwarded_for
            .into_iter()
            .flat_map(|list| list.rsplit(','))
            .map_while(|text| text.trim().parse::<IpAddr>().ok())
            .find(|address| !self.is_trusted_proxy(*address))
            .unwrap_or(peer)
    }

    /// Whether an address is one of the proxies that people come through.
    #[must_use]
    pub fn is_trusted_proxy(&self, address: IpAddr) -> bool {
        // A listener for both kinds of addresses shows an IPv4 one as IPv6.
        let address = address.to_canonical();
        self.trusted_proxies
            .iter()
            .any(|network| network.contains(&address))
    }

    /// As people see them.
    #[must_use]
    pub fn view(&self) -> SettingsView {
        SettingsView {
            public_url: self
                .public_url
                .as_ref()
                .map(|url| url.as_str().trim_end_matches('/').to_owned()),
            allowed_hosts: self.allowed_hosts.clone(),
            trusted_proxies: self
                .trusted_proxies
                .iter()
                .map(ToString::to_string)
                .collect(),
            idle_timeout_minutes: self.idle_timeout_minutes,
            witness_interval_seconds: self.witness_interval_seconds,
            value_retention_days: self.value_retention_days,
            reduced_isolation_accepted: self.reduced_isolation_accepted,
        }
    }

    /// These settings with a change applied.
    ///
    /// # Errors
    ///
    /// Names the field that breaks its rule.
    pub fn changed(&self, change: &UpdateSettings) -> Result<Self> {
        let mut next = self.clone();
        if let Some(text) = &change.public_url {
            next.public_url = if text.is_empty() {
                None
            } else {
                Some(parse_public_url(text)?)
            };
        }
        if let Some(hosts) = &change.allowed_hosts {
            for (index, host) in hosts.iter().enumerate() {
                let valid = !host.is_empty()
                    && host.len() <= 253
                    && host
                        .chars()
                        .all(|c| c.is_ascii_alphanumeric() || "-.:".contains(c));
                if !valid {
                    return Err(Error::field(
                        format!("/allowed_hosts/{index}"),
                        "must be a host name without scheme and port",
                    ));
                }
            }
            next.allowed_hosts = hosts.iter().map(|host| host.to_ascii_lowercase()).collect();
        }
        if let Some(networks) = &change.trusted_proxies {
            next.trusted_proxies = networks
                .iter()
                .enumerate()
                .map(|(index, text)| {
                    text.parse::<IpNet>()
                        .or_else(|_| text.parse::<IpAddr>().map(IpNet::from))
                        .map_err(|_| {
                            Error::field(
                                format!("/trusted_proxies/{index}"),
                                "must be an address or a network like 10.0.0.0/8",
                            )
                        })
                })
                .collect::<Result<_>>()?;
        }
        if let Some(minutes) = change.idle_timeout_minutes {
            next.idle_timeout_minutes = checked_idle_timeout(minutes)?;
        }
        if let Some(seconds) = change.witness_interval_seconds {
            if !(10..=86_400).contains(&seconds) {
                return Err(Error::field(
                    "/witness_interval_seconds",
                    "must be 10 to 86400 seconds",
                ));
            }
            next.witness_interval_seconds = seconds;
        }
        if let Some(days) = change.value_retention_days {
            if days > 36_500 {
                return Err(Error::field(
                    "/value_retention_days",
                    "must be 1 to 36500 days, or 0 to keep values for ever",
                ));
            }
            next.value_retention_days = days;
        }
        if let Some(accepted) = change.reduced_isolation_accepted {
            next.reduced_isolation_accepted = accepted;
        }
        Ok(next)
    }
}

/// Idle timeouts are 1 minute to a week.
pub(crate) fn checked_idle_timeout(minutes: u32) -> Result<u32> {
    if (1..=10_080).contains(&minutes) {
        Ok(minutes)
    } else {
        Err(Error::field(
            "/idle_timeout_minutes",
            "must be 1 to 10080 minutes",
        ))
    }
}

fn parse_public_url(text: &str) -> Result<Url> {
    let wrong = || {
        Error::field(
            "/public_url",
            "must be an address like https://agents.example.org, without path, query or user",
        )
    };
    let url = Url::parse(text).map_err(|_| wrong())?;
    let plain = matches!(url.scheme(), "http" | "https")
        && url.host_str().is_some()
        && url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    if plain { Ok(url) } else { Err(wrong()) }
}

const STORED: system_config::Key<Settings> = system_config::Key::new("settings");

/// Held by the one change on its way.
static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// Reads the stored settings; defaults when nothing was stored.
///
/// # Errors
///
/// When the database fails or the stored settings make no sense.
pub async fn load(store: &Store, listen_host: &str) -> Result<Settings> {
    Ok(Settings {
        listen_host: listen_host.to_ascii_lowercase(),
        ..stored(&store.read()).await?
    })
}

/// What is stored now, which another process may have changed; without what this process knows of its own listener.
///
/// # Errors
///
/// When the database fails or the stored settings make no sense.
pub(crate) async fn stored(db: &dyn Reads) -> Result<Settings> {
    Ok(system_config::find(db, &STORED).await?.unwrap_or_default())
}

/// The settings, for administrators.
///
/// # Errors
///
/// See [`App::require`].
pub async fn view(app: &App, cx: &Context) -> Result<SettingsView> {
    app.require(cx, Action::SettingsView, &Resource::Settings)?;
    Ok(app.settings().view())
}

/// Changes settings; they hold at once.
///
/// # Errors
///
/// Names the field that breaks its rule; see [`submit`].
pub async fn update(app: &App, cx: &Context, body: UpdateSettings) -> Result<SettingsView> {
    // One at a time: what was stored last must be what is kept in memory.
    let _turn = TURN.lock().await;
    let next = submit(app, cx, Update { body }).await?;
    let view = next.view();
    *app.settings.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(next);
    Ok(view)
}

struct Update {
    body: UpdateSettings,
}

#[async_trait]
impl Change for Update {
    type Output = Settings;

    fn action(&self) -> Action {
        Action::SettingsUpdate
    }

    async fn resource(&self, _tx: &Tx, _cx: &Context) -> Result<Resource> {
        Ok(Resource::Settings)
    }

    async fn apply(&self, door: &Door<'_>) -> Result<Settings> {
        // Of what is stored and not of what is in memory: another process would have its changes taken back.
        let present = door.app.settings();
        let base = Settings {
            listen_host: present.listen_host.clone(),
            listen_tls: present.listen_tls,
            ..stored(door.tx).await?
        };
        let next = base.changed(&self.body)?;
        system_config::set(door.tx, &STORED, &next, door.app.clock.now()).await?;
        note(door, &self.body, next.view());
        Ok(next)
    }
}

/// What was asked to be changed, and nothing else: who may change a setting need not be somebody who sees them all.
fn note(door: &Door<'_>, body: &UpdateSettings, next: SettingsView) {
    if body.public_url.is_some() {
        door.note("public_url", json!(next.public_url));
    }
    if body.allowed_hosts.is_some() {
        door.note("allowed_hosts", next.allowed_hosts);
    }
    if body.trusted_proxies.is_some() {
        door.note("trusted_proxies", next.trusted_proxies);
    }
    if body.idle_timeout_minutes.is_some() {
        door.note("idle_timeout_minutes", next.idle_timeout_minutes);
    }
    if body.witness_interval_seconds.is_some() {
        door.note("witness_interval_seconds", next.witness_interval_seconds);
    }
    if body.value_retention_days.is_some() {
        door.note("value_retention_days", next.value_retention_days);
    }
    if body.reduced_isolation_accepted.is_some() {
        door.note(
            "reduced_isolation_accepted",
            next.reduced_isolation_accepted,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_is_answered_until_a_name_is_set() {
        let settings = Settings {
            listen_host: "127.0.0.1".into(),
            ..Settings::default()
        };
        for host in ["localhost", "127.0.0.1", "::1", "fractal.localhost"] {
            assert!(settings.answers_host(host), "{host}");
        }
        for host in ["", "evil.example", "10.0.0.1"] {
            assert!(!settings.answers_host(host), "{host}");
        }
        let change = UpdateSettings {
            public_url: Some("https://agents.example.org".into()),
            ..UpdateSettings::default()
        };
        let settings = settings.changed(&change).unwrap();
        assert!(settings.answers_host("agents.example.org"));
        assert!(settings.is_https());
    }

    #[test]
    fn a_listener_that_speaks_tls_is_https_whatever_was_set() {
        let change = UpdateSettings {
            public_url: Some("http://agents.example.org".into()),
            ..UpdateSettings::default()
        };
        let settings = Settings::default().changed(&change).unwrap();
        assert!(!settings.is_https());
        let settings = Settings {
            listen_tls: true,
            ..settings
        };
        // It outlasts a change of the stored ones.
        let change = UpdateSettings {
            public_url: Some(String::new()),
            ..UpdateSettings::default()
        };
        assert!(settings.changed(&change).unwrap().is_https());
    }

    #[test]
    fn listening_everywhere_answers_addresses_but_not_foreign_names() {
        let settings = Settings {
            listen_host: "0.0.0.0".into(),
            ..Settings::default()
        };
        assert!(settings.answers_host("192.168.1.4"));
        assert!(!settings.answers_host("rebound.example"));
    }

    #[test]
    fn forwarding_headers_are_believed_from_trusted_proxies_only() {
        let change = UpdateSettings {
            trusted_proxies: Some(vec!["10.0.0.0/8".into()]),
            ..UpdateSettings::default()
        };
        let settings = Settings::default().changed(&change).unwrap();
        let (proxy, stranger): (IpAddr, IpAddr) = ([10, 0, 0, 1].into(), [203, 0, 113, 9].into());
        assert_eq!(
            settings.client_address(proxy, Some("203.0.113.7, 10.0.0.2")),
            IpAddr::from([203, 0, 113, 7])
        );
        assert_eq!(
            settings.client_address(stranger, Some("203.0.113.7")),
            stranger
        );
        assert_eq!(settings.client_address(proxy, Some("garbage")), proxy);
        assert_eq!(settings.client_address(proxy, None), proxy);
        let mapped = "::ffff:10.0.0.1".parse().unwrap();
        assert!(settings.is_trusted_proxy(mapped) && !settings.is_trusted_proxy(stranger));
    }

    #[test]
    fn a_wrong_setting_is_named() {
        for (change, field) in [
            (
                UpdateSettings {
                    public_url: Some("ftp://x".into()),
                    ..UpdateSettings::default()
                },
                "/public_url",
            ),
            (
                UpdateSettings {
                    allowed_hosts: Some(vec!["a b".into()]),
                    ..UpdateSettings::default()
                },
                "/allowed_hosts/0",
            ),
            (
                UpdateSettings {
                    trusted_proxies: Some(vec!["x".into()]),
                    ..UpdateSettings::default()
                },
                "/trusted_proxies/0",
            ),
            (
                UpdateSettings {
                    idle_timeout_minutes: Some(0),
                    ..UpdateSettings::default()
                },
                "/idle_timeout_minutes",
            ),
            (
                UpdateSettings {
                    witness_interval_seconds: Some(9),
                    ..UpdateSettings::default()
                },
                "/witness_interval_seconds",
            ),
            (
                UpdateSettings {
                    value_retention_days: Some(36_501),
                    ..UpdateSettings::default()
                },
                "/value_retention_days",
            ),
        ] {
            assert_eq!(
                Settings::default().changed(&change).unwrap_err().fields[0].field,
                field
            );
        }
    }
}
