//! Addresses that are told what happens.

use clap::{Subcommand, ValueEnum};
use fractal_types::Label;

/// `fractal webhooks`.
#[derive(Debug, Subcommand)]
pub enum Webhooks {
    /// List webhooks
    List,
    /// Make a webhook; prints the secret that signs its messages, once
    Create {
        /// What people call it
        name: Label,
        /// Where to, an https address
        #[arg(value_name = "URL")]
        address: String,
        /// An action like instance.start, or a kind like instance.; everything when absent. May be given several times
        #[arg(long = "event", value_name = "ACTION")]
        events: Vec<String>,
        /// It may be on a private or loopback address, and plain http
        #[arg(long)]
        allow_private_network: bool,
    },
    /// Change a webhook; what is not given stays
    Update {
        /// Its id or name
        webhook: String,
        /// What people call it
        #[arg(long)]
        name: Option<Label>,
        /// Where to
        #[arg(long = "to", value_name = "URL")]
        address: Option<String>,
        /// The actions it is told of, instead of the present ones
        #[arg(long = "event", value_name = "ACTION")]
        events: Vec<String>,
        /// Whether it is told anything
        #[arg(long, value_name = "BOOL")]
        enabled: Option<bool>,
        /// Whether it may be on a private or loopback address
        #[arg(long, value_name = "BOOL")]
        allow_private_network: Option<bool>,
    },
    /// Give a webhook a new secret; prints it, once
    RotateSecret {
        /// Its id or name
        webhook: String,
    },
    /// Send a test message now
    Test {
        /// Its id or name
        webhook: String,
    },
    /// List what is on its way to it and what became of it
    Deliveries {
        /// Its id or name
        webhook: String,
        /// Only those in this state
        #[arg(long, value_enum, value_name = "STATE")]
        state: Option<DeliveryStateArg>,
    },
    /// Send something once more that was given up, or that the receiver lost
    Replay {
        /// The webhook's id or name
        webhook: String,
        /// The delivery's id
        delivery: fractal_types::DeliveryId,
    },
    /// Delete a webhook
    Delete {
        /// Its id or name
        webhook: String,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
}

/// How a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DeliveryStateArg {
    /// To be tried, perhaps again
    Pending,
    /// Taken
    Delivered,
    /// Given up
    Dead,
}
