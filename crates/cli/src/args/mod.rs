//! The words of the command line. Their meaning is in `commands`.
//!
//! Secrets never stand in arguments, where other users of the machine could read them: they come from
//! a prompt, from standard input or from the environment.

mod agent;
mod evidence;
mod incidents;
mod installation;
mod instances;
mod operations;
mod people;
mod policy;
mod proposals;
mod providers;
mod serve;
mod webhooks;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use fractal_runtime::{relay::RelayArgs, supervisor::SuperviseArgs};

pub use agent::*;
pub use evidence::*;
pub use incidents::*;
pub use installation::*;
pub use instances::*;
pub use operations::*;
pub use people::*;
pub use policy::*;
pub use proposals::*;
pub use providers::*;
pub use serve::*;
pub use webhooks::*;

/// One isolated OpenClaw gateway per person, from one program.
#[derive(Debug, Parser)]
#[command(
    name = "fractal",
    version,
    max_term_width = 100,
    arg_required_else_help = true,
    disable_help_subcommand = true,
    after_help = "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 refused by policy, 4 waiting for approval.\n\
                  A token for the server is taken from FRACTAL_TOKEN, or from the last `fractal login`."
)]
pub struct Arguments {
    /// What every command understands.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What every command understands.
#[derive(Debug, Clone, Args)]
pub struct Global {
    /// Address of the server
    #[arg(
        long,
        global = true,
        help_heading = "Everywhere",
        env = "FRACTAL_URL",
        value_name = "URL",
        default_value = "http://127.0.0.1:8088"
    )]
    pub url: String,
    /// Print JSON instead of tables and sentences
    #[arg(long, global = true, help_heading = "Everywhere")]
    pub json: bool,
    /// Only say what a change would do, and whether it is allowed
    #[arg(long, global = true, help_heading = "Everywhere")]
    pub dry_run: bool,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the Portal, the API and the agents of this machine
    Serve(ServeArgs),
    /// Show the whole path once: throwaway data, a real gateway, one streamed reply, no key needed
    Demo(DemoArgs),
    /// Keep one instance running, outside its sandbox
    #[command(hide = true)]
    Supervise(SuperviseArgs),
    /// Connect an instance's loopback to its sockets, inside its sandbox
    #[command(hide = true)]
    Relay(RelayArgs),
    /// Say whether the server is up, who you are there and how your instances are
    Status,
    /// Find out what is wrong on this machine, and what to do about it
    Doctor(DoctorArgs),
    /// Sign in at a server and keep a token for it
    Login(LoginArgs),
    /// Revoke the kept token and forget it
    Logout,
    /// Talk to an agent
    Chat(ChatArgs),
    /// Your instances
    #[command(subcommand)]
    Instances(Instances),
    /// Model providers
    #[command(subcommand)]
    Providers(Providers),
    /// Your agent's name, persona, model and habits
    #[command(subcommand)]
    Profile(Profile),
    /// What your agent's skills lack, and the variables you store for them
    #[command(subcommand)]
    Skills(Skills),
    /// People (administrators)
    #[command(subcommand)]
    Users(Users),
    /// Invitations (administrators)
    #[command(subcommand)]
    Invitations(Invitations),
    /// Where people sign in besides here, by OpenID Connect (administrators)
    #[command(subcommand)]
    IdentityProviders(IdentityProviders),
    /// Your signed-in browsers
    #[command(subcommand)]
    Sessions(Sessions),
    /// Your API tokens
    #[command(subcommand)]
    Tokens(Tokens),
    /// Settings of the installation (administrators)
    #[command(subcommand)]
    Settings(SettingsCommand),
    /// What was used
    Usage(UsageArgs),
    /// Addresses that are told what happens
    #[command(subcommand)]
    Webhooks(Webhooks),
    /// What happened, and the proof of it
    #[command(subcommand)]
    Evidence(Evidence),
    /// The installation's secret key (on the machine itself)
    #[command(subcommand)]
    Keys(Keys),
    /// OpenClaw versions on this machine
    #[command(subcommand)]
    Engine(Engine),
    /// Access rules
    #[command(subcommand)]
    Policy(Policy),
    /// Changes that wait for approval
    #[command(subcommand)]
    Proposals(Proposals),
    /// What is being done, step by step
    #[command(subcommand)]
    Operations(Operations),
    /// What was found broken, and the checks that look for it
    #[command(subcommand)]
    Incidents(Incidents),
    /// Print completions for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

/// Where things are on this machine. What is not given comes from the environment, then from the configuration
/// file, then from the platform's defaults.
#[derive(Debug, Clone, Default, Args)]
pub struct Machine {
    /// Folder of the installation's data
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Folder of installed engines; may be shared by several installations
    #[arg(long, value_name = "DIR")]
    pub engines: Option<PathBuf>,
    /// Configuration file
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}
