//! Everything the house remembers: tables, migrations, transactions, one file per noun.
//!
//! One SQL text serves SQLite and PostgreSQL; what differs stands in `dialect`. Rows are checked when they are read: stored
//! data that makes no sense is an error naming table, column and row, never a panic and never a silent default.
//!
//! Reading takes `&dyn Reads` (a [`Tx`] or [`Store::read`]), writing takes a [`Tx`]. A transaction holds database awaits only:
//! it may run again when the database asks for it, and the one writer of SQLite waits for it.
//!
//! To add a noun: a table in a new migration, a file here with `table!` and its verbs, a case in the suite.

mod bystander;
mod dialect;
mod error;
mod field;
mod migrate;
mod open;
mod page;
mod table;
mod tx;

pub mod api_tokens;
pub mod browser_sessions;
pub mod credentials;
pub mod decisions;
pub mod engines;
pub mod evidence;
pub mod evidence_erase;
pub mod evidence_tree;
pub mod figures;
pub mod idempotency_keys;
pub mod identity_providers;
pub mod incidents;
pub mod instances;
pub mod invitations;
pub mod jobs;
pub mod leases;
pub mod login_attempts;
pub mod oidc_flows;
pub mod operations;
pub mod organizations;
pub mod owner_keys;
pub mod policy_versions;
pub mod profiles;
pub mod proposals;
pub mod providers;
pub mod revisions;
pub mod runtime_assets;
pub mod sealed;
pub mod signing_keys;
pub mod skill_credentials;
pub mod system_config;
pub mod usage_records;
pub mod users;
pub mod webhooks;
pub mod whole;
pub mod witnesses;

pub use bystander::{Bystander, Waiting};
pub use error::{Error, Result};
pub use open::{Backend, OpenOptions, Store};
pub use page::{Order, Page, PageRequest};
pub use tx::{Reader, Reads, Tx};

pub use api_tokens::ApiToken;
pub use browser_sessions::BrowserSession;
pub use credentials::{Credential, CredentialKind};
pub use decisions::DecisionRow;
pub use engines::{Engine, EngineState};
pub use evidence::{EvidenceEntry, EvidenceFilter, NewEntry};
pub use evidence_erase::Erased;
pub use evidence_tree::{EvidenceCheckpoint, EvidenceTile};
pub use idempotency_keys::IdempotencyKey;
pub use identity_providers::IdentityProvider;
pub use incidents::{Incident, IncidentFilter};
pub use instances::{Instance, Volumes};
pub use invitations::Invitation;
pub use jobs::{Claim, Job, NewJob};
pub use leases::Lease;
pub use oidc_flows::OidcFlow;
pub use operations::{Operation, OperationFilter, OperationStep};
pub use organizations::Organization;
pub use owner_keys::OwnerKeyRow;
pub use policy_versions::PolicyVersion;
pub use profiles::Profile;
pub use proposals::{Awaiting, Proposal, ProposalFilter, ProposalVote};
pub use providers::{Provider, ProviderMode};
pub use revisions::Revision;
pub use runtime_assets::RuntimeAsset;
pub use signing_keys::SigningKeyRow;
pub use skill_credentials::SkillCredential;
pub use usage_records::UsageRecord;
pub use users::User;
pub use webhooks::{DeliveryState, Webhook, WebhookDelivery};
pub use witnesses::{CosignatureRow, Witness, WitnessOutcome};
