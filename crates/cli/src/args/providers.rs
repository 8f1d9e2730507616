//! Model providers.

use clap::{Args, Subcommand};
use fractal_types::{Label, ProviderKind, Wire};

/// `fractal providers`.
#[derive(Debug, Subcommand)]
pub enum Providers {
    /// List the model providers you may use
    List,
    /// Add a model provider; its key is asked for, or read from standard input
    Add(AddProvider),
    /// Change a model provider
    Update(ChangeProvider),
    /// Make a tiny call to a provider
    Test {
        /// Its id or name
        provider: String,
    },
    /// Remove a model provider
    Remove {
        /// Its id or name
        provider: String,
    },
}

/// `fractal providers add`.
#[derive(Debug, Clone, Args)]
pub struct AddProvider {
    /// anthropic, openai, google, openrouter, xai, openai_compatible, anthropic_compatible or demo
    pub kind: ProviderKind,
    /// Its name; the kind when absent
    #[arg(long)]
    pub name: Option<Label>,
    /// Its address; needed for the compatible kinds
    #[arg(long, value_name = "URL")]
    pub base_url: Option<String>,
    /// Models to offer when it cannot list them
    #[arg(long = "model", value_name = "MODEL")]
    pub models: Vec<String>,
    /// The wire, when not the kind's own
    #[arg(long)]
    pub wire: Option<Wire>,
    /// Ask for no key (for compatible servers that need none)
    #[arg(long)]
    pub no_key: bool,
    /// Offer it to everybody (administrators)
    #[arg(long)]
    pub shared: bool,
    /// Allow a private or loopback address (administrators)
    #[arg(long)]
    pub allow_private_network: bool,
}

/// `fractal providers update`.
#[derive(Debug, Clone, Args)]
pub struct ChangeProvider {
    /// Its id or name
    pub provider: String,
    /// A new name
    #[arg(long)]
    pub name: Option<Label>,
    /// A new address; clears the stored key unless --key is given as well
    #[arg(long, value_name = "URL")]
    pub base_url: Option<String>,
    /// Models to offer, instead of those until now
    #[arg(long = "model", value_name = "MODEL")]
    pub models: Vec<String>,
    /// Ask for a new key, or read it from standard input
    #[arg(long)]
    pub key: bool,
    /// Whether a private or loopback address is allowed (administrators)
    #[arg(long, value_name = "BOOL")]
    pub allow_private_network: Option<bool>,
}
