//! Settings of the installation.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Settings of the installation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SettingsView {
    /// The address people use, when it is not the listening one.
    pub public_url: Option<String>,
    /// Host names that are answered besides loopback and the public one.
    pub allowed_hosts: Vec<String>,
    /// Networks (CIDR) whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<String>,
    /// Minutes without use after which a new instance goes to sleep.
    pub idle_timeout_minutes: u32,
    /// Seconds between two times that a witness of the log is asked.
    pub witness_interval_seconds: u32,
    /// Days that values of the log are kept; 0 for ever.
    pub value_retention_days: u32,
    /// The risk of the reduced runtime was accepted, so that more than one person may use it.
    pub reduced_isolation_accepted: bool,
}

/// Changes settings; absent fields stay.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateSettings {
    /// The address people use; an empty text clears it.
    #[schema(max_length = 2000)]
    pub public_url: Option<String>,
    /// Host names that are answered besides loopback and the public one.
    #[schema(max_items = 50)]
    pub allowed_hosts: Option<Vec<String>>,
    /// Networks (CIDR) whose `X-Forwarded-For` is believed.
    #[schema(max_items = 50)]
    pub trusted_proxies: Option<Vec<String>>,
    /// Minutes without use after which a new instance goes to sleep, 1 to 10080.
    #[schema(minimum = 1, maximum = 10080)]
    pub idle_timeout_minutes: Option<u32>,
    /// Seconds between two times that a witness of the log is asked, 10 to 86400.
    #[schema(minimum = 10, maximum = 86400)]
    pub witness_interval_seconds: Option<u32>,
    /// Days that values of the log are kept, at most 36500; 0 for ever. Older ones are erased for good, and the log's proofs hold.
    #[schema(maximum = 36500)]
    pub value_retention_days: Option<u32>,
    /// Accept that several people's agents share one trust domain.
    pub reduced_isolation_accepted: Option<bool>,
}
