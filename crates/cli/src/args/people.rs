//! Accounts and ways in: people, invitations, identity providers, sessions, tokens.

use clap::{Args, Subcommand};
use fractal_types::{ApiTokenId, BrowserSessionId, InvitationId, Label, Role, Scope, Username};

/// `fractal users`.
#[derive(Debug, Subcommand)]
pub enum Users {
    /// List people
    List,
    /// Make an account; its password is asked for. An invitation is usually better
    Create {
        /// Their sign-in name
        username: Username,
        /// The name shown to people
        #[arg(long, value_name = "NAME")]
        display_name: Option<Label>,
        /// owner, admin or member
        #[arg(long, default_value = "member")]
        role: Role,
    },
    /// Change what somebody may do
    SetRole {
        /// Their id or sign-in name
        user: String,
        /// owner, admin or member
        role: Role,
    },
    /// Keep somebody from signing in, and end their sessions
    Suspend {
        /// Their id or sign-in name
        user: String,
        /// Let them in again
        #[arg(long)]
        undo: bool,
    },
    /// Give somebody a new password; it is asked for
    ResetPassword {
        /// Their id or sign-in name
        user: String,
    },
    /// Erase the values that the log holds about somebody; the entries and their proofs stay
    Erase {
        /// Their id or sign-in name; of somebody who is gone the id
        user: String,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
    /// Delete somebody and what is theirs
    Delete {
        /// Their id or sign-in name
        user: String,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
}

/// `fractal invitations`.
#[derive(Debug, Subcommand)]
pub enum Invitations {
    /// List invitations
    List,
    /// Invite somebody; prints the link, once
    Create {
        /// admin or member; owner only by owners
        #[arg(long, default_value = "member")]
        role: Role,
        /// Fix their sign-in name
        #[arg(long, value_name = "NAME")]
        username: Option<Username>,
        /// Days until it ends
        #[arg(long, value_name = "DAYS", default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..=30))]
        expires_in_days: u32,
    },
    /// Take an invitation back
    Revoke {
        /// Its id
        invitation: InvitationId,
    },
}

/// `fractal identity-providers`.
#[derive(Debug, Subcommand)]
pub enum IdentityProviders {
    /// List identity providers
    List,
    /// Add an identity provider; its client secret is asked for, or read from standard input
    Add(AddIdentityProvider),
    /// Change an identity provider
    Update(ChangeIdentityProvider),
    /// Ask an identity provider to describe itself
    Test {
        /// Its id or name
        identity_provider: String,
    },
    /// Take away the link to your own account there; your last way to sign in stays
    Unlink {
        /// Its id or name
        identity_provider: String,
    },
    /// Remove an identity provider; who signs in by it cannot any more
    Remove {
        /// Its id or name
        identity_provider: String,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
}

/// `fractal identity-providers add`.
#[derive(Debug, Clone, Args)]
pub struct AddIdentityProvider {
    /// Its name on the sign-in button
    pub name: Label,
    /// Its issuer address, exactly as it spells it
    #[arg(long, value_name = "URL")]
    pub issuer: String,
    /// Our client id there
    #[arg(long, value_name = "ID")]
    pub client_id: String,
    /// Ask for no client secret (for public clients)
    #[arg(long)]
    pub no_secret: bool,
    /// Scopes besides openid; profile and email when absent
    #[arg(long = "scope", value_name = "SCOPE")]
    pub scopes: Vec<String>,
    /// Give unknown people a member account
    #[arg(long)]
    pub auto_provision: bool,
    /// Allow a private or loopback address
    #[arg(long)]
    pub allow_private_network: bool,
}

/// `fractal identity-providers update`.
#[derive(Debug, Clone, Args)]
pub struct ChangeIdentityProvider {
    /// Its id or name
    pub identity_provider: String,
    /// A new name
    #[arg(long)]
    pub name: Option<Label>,
    /// A new issuer; clears the stored client secret unless --secret is given as well
    #[arg(long, value_name = "URL")]
    pub issuer: Option<String>,
    /// A new client id
    #[arg(long, value_name = "ID")]
    pub client_id: Option<String>,
    /// Ask for a new client secret, or read it from standard input
    #[arg(long)]
    pub secret: bool,
    /// Scopes besides openid, instead of those until now
    #[arg(long = "scope", value_name = "SCOPE")]
    pub scopes: Vec<String>,
    /// Whether people may sign in with it
    #[arg(long, value_name = "BOOL")]
    pub enabled: Option<bool>,
    /// Whether unknown people get a member account
    #[arg(long, value_name = "BOOL")]
    pub auto_provision: Option<bool>,
    /// Whether a private or loopback address is allowed
    #[arg(long, value_name = "BOOL")]
    pub allow_private_network: Option<bool>,
}

/// `fractal sessions`.
#[derive(Debug, Subcommand)]
pub enum Sessions {
    /// List your signed-in browsers
    List,
    /// Sign a browser out; what it has open ends
    Revoke {
        /// Its id
        session: BrowserSessionId,
    },
}

/// `fractal tokens`.
#[derive(Debug, Subcommand)]
pub enum Tokens {
    /// List your tokens
    List,
    /// Make a token; prints it, once
    Create {
        /// What it is for
        name: Label,
        /// all, read or chat; all when absent
        #[arg(long = "scope", value_name = "SCOPE")]
        scopes: Vec<Scope>,
        /// Days until it ends; 0 for never
        #[arg(long, value_name = "DAYS", default_value_t = 90, value_parser = clap::value_parser!(u32).range(0..=3650))]
        expires_in_days: u32,
    },
    /// Replace a token; prints the new one, once
    Rotate {
        /// Its id
        token: ApiTokenId,
        /// Minutes the old one keeps working
        #[arg(long, value_name = "MINUTES", default_value_t = 60, value_parser = clap::value_parser!(u32).range(0..=10080))]
        overlap_minutes: u32,
    },
    /// End a token
    Revoke {
        /// Its id
        token: ApiTokenId,
    },
}
