//! `/api/v1`: one noun a file.

mod auth;
mod chat;
mod engines;
mod evidence;
mod identity_providers;
mod incidents;
mod instances;
mod invitations;
mod keys;
mod me;
mod operations;
mod policy;
mod profile;
mod proposals;
mod providers;
mod sessions;
mod settings;
mod skills;
mod tokens;
mod usage;
mod users;
mod webhooks;
mod witnesses;

use crate::document::Routes;

pub(crate) use auth::{secret_header, signed_in};
pub(crate) use chat::{STREAM_BODY_LIMIT, WHOLE_ANSWER, start, unknown_agent};

pub fn routes() -> Routes {
    [
        auth::routes(),
        chat::routes(),
        engines::routes(),
        evidence::routes(),
        identity_providers::routes(),
        incidents::routes(),
        instances::routes(),
        invitations::routes(),
        keys::routes(),
        me::routes(),
        policy::routes(),
        profile::routes(),
        operations::routes(),
        proposals::routes(),
        providers::routes(),
        sessions::routes(),
        settings::routes(),
        skills::routes(),
        tokens::routes(),
        usage::routes(),
        users::routes(),
        webhooks::routes(),
        witnesses::routes(),
    ]
    .into_iter()
    .fold(Routes::new(), Routes::merge)
}
