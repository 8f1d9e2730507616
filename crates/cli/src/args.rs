//! The words of the command line. Their meaning is in `commands`.
//!
//! Secrets never stand in arguments, where other users of the machine could read them: they come from
//! a prompt, from standard input or from the environment.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};
use fractal_runtime::{relay::RelayArgs, supervisor::SuperviseArgs};
use fractal_types::{
    ApiTokenId, BrowserSessionId, InvitationId, Label, ProviderKind, Role, Scope, SkillKey,
    Username, VariableName, Wire,
};

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

/// `fractal serve`.
#[derive(Debug, Clone, Default, Args)]
pub struct ServeArgs {
    /// Where things are.
    #[command(flatten)]
    pub machine: Machine,
    /// An engine of this machine to use instead of installing one: a folder whose node_modules holds openclaw and a Node
    #[arg(long, value_name = "DIR")]
    pub engine: Option<PathBuf>,
    /// Address to listen on [default: 127.0.0.1:8088]
    #[arg(long, value_name = "HOST:PORT")]
    pub listen: Option<SocketAddr>,
    /// Its certificate.
    #[command(flatten)]
    pub tls: TlsArgs,
    /// Address to serve metrics on; none when absent
    #[arg(long, value_name = "HOST:PORT")]
    pub internal_listen: Option<SocketAddr>,
    /// What becomes of running instances at the end [default: keep on SIGTERM, stop on Ctrl-C]
    #[arg(long, value_enum, value_name = "WHAT")]
    pub on_exit: Option<OnExit>,
    /// The address people use, when it is not the one listened on
    #[arg(long, value_name = "URL")]
    pub public_url: Option<url::Url>,
    /// The pg_dump that backs PostgreSQL up into the data folder before an upgrade changes its schema; searched for
    /// when absent
    #[arg(long, value_name = "FILE")]
    pub pg_dump: Option<PathBuf>,
    /// Once, after a backup of your own: let an upgrade change the schema of the database without making one
    /// (also FRACTAL_MIGRATE_WITHOUT_BACKUP=1)
    #[arg(long)]
    pub migrate_without_backup: bool,
    /// Which log lines, as a filter like info,fractal_app=debug
    #[arg(long, value_name = "FILTER")]
    pub log_level: Option<String>,
    /// The form of log lines
    #[arg(long, value_enum, value_name = "FORM")]
    pub log_format: Option<LogFormat>,
}

/// The certificate of the main listener.
#[derive(Debug, Clone, Default, Args)]
pub struct TlsArgs {
    /// Certificate to serve HTTPS with: a PEM file, this server's own first, then its issuers'. A new one is taken over
    /// when the file changes, or on SIGHUP
    #[arg(long, value_name = "FILE")]
    pub tls_cert: Option<PathBuf>,
    /// Private key of the certificate: a PEM file without a passphrase
    #[arg(long, value_name = "FILE")]
    pub tls_key: Option<PathBuf>,
}

/// What becomes of running instances when the server ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OnExit {
    /// They go on and are adopted at the next start
    Keep,
    /// They are stopped gracefully
    Stop,
}

/// The form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people
    Text,
    /// One JSON object per line
    Json,
}

/// `fractal demo`.
#[derive(Debug, Clone, Default, Args)]
pub struct DemoArgs {
    /// Folder of installed engines; may be shared by several installations
    #[arg(long, value_name = "DIR")]
    pub engines: Option<PathBuf>,
    /// An engine of this machine to use instead of installing one
    #[arg(long, value_name = "DIR")]
    pub engine: Option<PathBuf>,
}

/// `fractal doctor`.
#[derive(Debug, Clone, Args)]
pub struct DoctorArgs {
    /// Where things are.
    #[command(flatten)]
    pub machine: Machine,
    /// Address the server listens on, or should [default: 127.0.0.1:8088]
    #[arg(long, value_name = "HOST:PORT")]
    pub listen: Option<SocketAddr>,
    /// Its certificate.
    #[command(flatten)]
    pub tls: TlsArgs,
    /// Mend what can be mended without risk
    #[arg(long)]
    pub fix: bool,
}

/// `fractal login`.
#[derive(Debug, Clone, Args)]
pub struct LoginArgs {
    /// Your sign-in name; asked for when absent
    #[arg(long, value_name = "NAME")]
    pub username: Option<Username>,
    /// Enter an API token made in the Portal instead of a password
    #[arg(long, conflicts_with = "username")]
    pub token: bool,
    /// Days until the kept token ends; 0 for never
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(0..=3650), default_value_t = 90)]
    pub expires_in_days: u32,
}

/// `fractal chat`.
#[derive(Debug, Clone, Args)]
pub struct ChatArgs {
    /// The agent, by instance id or name; your only one when absent
    #[arg(long, value_name = "AGENT")]
    pub agent: Option<String>,
    /// The session; the agent's main one when absent
    #[arg(long, value_name = "KEY")]
    pub session: Option<String>,
    /// The message; read from standard input when absent, or a conversation when that is a terminal
    pub message: Option<String>,
}

/// `fractal instances`.
#[derive(Debug, Subcommand)]
pub enum Instances {
    /// List instances
    List {
        /// Everybody's (administrators)
        #[arg(long)]
        all: bool,
    },
    /// Show one instance
    Show(Which),
    /// Make an instance and start it
    Create {
        /// Its name
        name: Label,
        /// The engine, by id; the newest installed when absent
        #[arg(long, value_name = "ID")]
        engine: Option<fractal_types::EngineId>,
        /// Do not start it yet
        #[arg(long)]
        no_start: bool,
    },
    /// Start an instance
    Start(WhichAndWait),
    /// Stop an instance; its files stay
    Stop(WhichAndWait),
    /// Stop and start an instance
    Restart(WhichAndWait),
    /// Set what an instance's files may take (administrators)
    Limit {
        /// Its id, or the name of one of yours
        instance: String,
        /// Disk in MiB
        #[arg(long, value_name = "MIB", value_parser = clap::value_parser!(u64).range(256..=67_108_864))]
        disk: u64,
    },
    /// Delete an instance
    Delete {
        /// Its id or name
        instance: String,
        /// Keep its files on the machine
        #[arg(long)]
        keep_volumes: bool,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
    /// Show an instance's log (its owner only)
    Logs {
        /// Its id or name
        instance: String,
        /// How many of the newest lines
        #[arg(long, short = 'n', value_name = "LINES", value_parser = clap::value_parser!(u32).range(0..=5000))]
        tail: Option<u32>,
        /// Stay and show new lines
        #[arg(long, short)]
        follow: bool,
    },
    /// Show what happened to an instance
    Timeline(Which),
}

/// One instance.
#[derive(Debug, Clone, Args)]
pub struct Which {
    /// Its id or name
    pub instance: String,
}

/// One instance, and whether to wait for the outcome.
#[derive(Debug, Clone, Args)]
pub struct WhichAndWait {
    /// Its id or name
    pub instance: String,
    /// Wait until it is there
    #[arg(long)]
    pub wait: bool,
}

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

/// `fractal skills`.
#[derive(Debug, Subcommand)]
pub enum Skills {
    /// List an agent's skills and what each lacks; the agent must be awake
    List {
        /// Its id or name; your only one when absent
        agent: Option<String>,
        /// Wake it if it sleeps
        #[arg(long)]
        wake: bool,
    },
    /// List the variables you stored for skills; their values are never shown
    Stored,
    /// Store an environment variable for a skill; its value is asked for, or read from standard input
    ///
    /// The value is given to your agent, because the skill's own program needs it. Your agent and what runs inside its
    /// sandbox can read it.
    Set {
        /// The skill, as `fractal skills list` names it
        skill: SkillKey,
        /// The variable, such as TRELLO_TOKEN
        variable: VariableName,
    },
    /// Remove a variable of a skill, or all of them
    Remove {
        /// The skill
        skill: SkillKey,
        /// The variable; all of the skill's when absent
        variable: Option<VariableName>,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

/// `fractal profile`.
#[derive(Debug, Subcommand)]
pub enum Profile {
    /// Show the profile
    Show,
    /// Change the profile; what is not given stays, and running agents take it over
    Set(SetProfile),
}

/// `fractal profile set`.
#[derive(Debug, Clone, Args)]
#[group(required = true, multiple = true)]
pub struct SetProfile {
    /// What the agent is called
    #[arg(long, value_name = "NAME")]
    pub agent_name: Option<Label>,
    /// How it should be, in words; empty to clear
    #[arg(long, value_name = "TEXT")]
    pub persona: Option<String>,
    /// What it should know about you; empty to clear
    #[arg(long, value_name = "TEXT")]
    pub about_me: Option<String>,
    /// The provider of its model, by id or name
    #[arg(long, value_name = "PROVIDER")]
    pub provider: Option<String>,
    /// Its model
    #[arg(long)]
    pub model: Option<String>,
    /// What it may do on its machine
    #[arg(long, value_enum)]
    pub tools: Option<Tools>,
    /// Minutes between heartbeats; 0 for none
    #[arg(long, value_name = "MINUTES", value_parser = clap::value_parser!(u32).range(0..=10080))]
    pub heartbeat_minutes: Option<u32>,
    /// Whether it may plan its own timed work
    #[arg(long, value_name = "BOOL")]
    pub cron: Option<bool>,
    /// Minutes without use after which it goes to sleep
    #[arg(long, value_name = "MINUTES", value_parser = clap::value_parser!(u32).range(1..=10080))]
    pub idle_timeout_minutes: Option<u32>,
}

/// What an agent may do inside its sandbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Tools {
    /// Talk only
    None,
    /// Files and commands, asking before each command
    Ask,
    /// Files and commands, without asking
    Full,
}

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

/// `fractal settings`.
#[derive(Debug, Subcommand)]
pub enum SettingsCommand {
    /// Show the settings
    Show,
    /// Change settings; what is not given stays
    Set(SetSettings),
}

/// `fractal settings set`.
#[derive(Debug, Clone, Args)]
#[group(required = true, multiple = true)]
pub struct SetSettings {
    /// The address people use; empty to clear
    #[arg(long, value_name = "URL")]
    pub public_url: Option<String>,
    /// Further host names to answer, comma-separated; empty for none
    #[arg(long, value_name = "NAMES")]
    pub allowed_hosts: Option<String>,
    /// Networks whose forwarded addresses are believed, comma-separated; empty for none
    #[arg(long, value_name = "NETWORKS")]
    pub trusted_proxies: Option<String>,
    /// Minutes without use after which a new instance goes to sleep
    #[arg(long, value_name = "MINUTES", value_parser = clap::value_parser!(u32).range(1..=10080))]
    pub idle_timeout_minutes: Option<u32>,
    /// Accept that agents of several people share one trust domain on a machine without a sandbox
    #[arg(long, value_name = "BOOL")]
    pub accept_reduced_isolation: Option<bool>,
}

/// `fractal usage`.
#[derive(Debug, Clone, Args)]
pub struct UsageArgs {
    /// Days back from today
    #[arg(long, value_name = "DAYS", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=366))]
    pub days: u32,
    /// Everybody's sums (administrators)
    #[arg(long)]
    pub all: bool,
}

/// `fractal keys`.
#[derive(Debug, Subcommand)]
pub enum Keys {
    /// Replace the secret key, and give every owner a new one
    ///
    /// A running server is asked to do it and goes on serving; without one it is done on the data folder. What is stored
    /// moves to the new keys in the background while the server runs; `fractal keys status` says how far it is.
    Rotate {
        /// Where things are.
        #[command(flatten)]
        machine: Machine,
    },
    /// Say which secret key is in force, and whether stored secrets still move to newer keys
    Status {
        /// Where things are.
        #[command(flatten)]
        machine: Machine,
    },
    /// Print the secret key under a passphrase, which is asked for. Keep the text and the passphrase apart
    Export {
        /// Where things are.
        #[command(flatten)]
        machine: Machine,
        /// Write to a new file instead of standard output
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Put an exported secret key in force again; its passphrase is asked for, or read from standard input
    ///
    /// The key must be the one that the database was made with. A key file that does not open the database is kept
    /// beside the imported one. The server must not run.
    Import {
        /// Where things are.
        #[command(flatten)]
        machine: Machine,
        /// The file that `fractal keys export` wrote
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

/// `fractal engine`.
#[derive(Debug, Subcommand)]
pub enum Engine {
    /// List installed engines
    List {
        /// Where things are.
        #[command(flatten)]
        machine: Machine,
    },
    /// Install an engine
    Install {
        /// OpenClaw's version; this release's own when absent
        version: Option<String>,
        /// Where things are.
        #[command(flatten)]
        machine: Machine,
    },
    /// Check that installed engines are as they were installed
    Verify {
        /// OpenClaw's version; all when absent
        version: Option<String>,
        /// Where things are.
        #[command(flatten)]
        machine: Machine,
    },
}

/// `fractal policy`.
#[derive(Debug, Subcommand)]
pub enum Policy {
    /// Show the built-in access rules and what each does; needs no server
    Show {
        /// Only this one, with its text
        #[arg(value_name = "NAME")]
        name: Option<String>,
    },
    /// Check a file of access rules against grammar and schema; nothing is put in force
    ///
    /// Rules are written in Cedar, each with an @id("...") of its own. Needs no server unless there are tests to run. Exit code 1
    /// when something is wrong.
    Check {
        /// The file
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Tests to run, a JSON list; the server runs them
        #[arg(long, value_name = "FILE")]
        tests: Option<PathBuf>,
    },
    /// Print the added access rules in force, or those of an earlier version
    Get {
        /// The version
        #[arg(long, value_name = "NUMBER")]
        version: Option<u64>,
        /// Their tests instead, as JSON
        #[arg(long)]
        tests: bool,
    },
    /// List the versions of the added access rules
    Versions,
    /// Put a file of access rules in force in place of the added ones (owners)
    ///
    /// Refused unless they fit the schema, pass their tests and let you change them again.
    Put {
        /// The file; an empty one for no added rules
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Their tests, a JSON list; those in force stay when absent
        #[arg(long, value_name = "FILE")]
        tests: Option<PathBuf>,
        /// Why
        #[arg(long, value_name = "TEXT")]
        comment: Option<String>,
        /// The version they were written over; the one in force when absent
        #[arg(long, value_name = "NUMBER")]
        base: Option<u64>,
    },
    /// Try a file of access rules on the decisions that were really made
    Simulate {
        /// The file
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Ask the access rules in force whether somebody may do something, and why
    Ask {
        /// What, like instance.delete
        #[arg(value_name = "ACTION")]
        action: String,
        /// To which kind of thing; the noun of the action when absent
        #[arg(long, value_name = "KIND")]
        on: Option<String>,
        /// A real instance, provider or person, by id
        #[arg(long, value_name = "ID", conflicts_with = "owner")]
        id: Option<String>,
        /// Whose a made-up one is: self, other or organization
        #[arg(long, value_name = "WHOSE", value_parser = ["self", "other", "organization"])]
        owner: Option<String>,
        /// A person, by id or sign-in name
        #[arg(long, value_name = "USER", conflicts_with = "role")]
        user: Option<String>,
        /// A made-up person of this role; member when absent
        #[arg(long, value_name = "ROLE")]
        role: Option<Role>,
        /// A file of added rules to ask instead of those in force
        #[arg(long, value_name = "FILE")]
        rules: Option<PathBuf>,
    },
    /// Go back to the built-in access rules; the added ones stay among the versions
    ///
    /// Works on the machine itself without a server, also when added rules keep the server from starting.
    Reset {
        /// Where things are.
        #[command(flatten)]
        machine: Machine,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
}

/// `fractal evidence`.
#[derive(Debug, Subcommand)]
pub enum Evidence {
    /// List what happened, newest first
    List(ListEvidence),
    /// Show one entry
    Show {
        /// Its position
        seq: u64,
    },
    /// Print the newest signed head of the log; keep it somewhere else
    Checkpoint,
    /// Print the key that verifies this log; keep it somewhere else
    Key,
    /// Prove that an entry is in the signed log
    Prove {
        /// Its position
        seq: u64,
        /// The verification key, or a file with it; the server's own word when absent
        #[arg(long, value_name = "KEY")]
        key: Option<String>,
    },
    /// Export the log as JSON Lines that verify without the server
    Export {
        /// The position of the first entry
        #[arg(long, value_name = "SEQ", value_parser = clap::value_parser!(u64).range(1..))]
        first: Option<u64>,
        /// With the values you may see, not only their commitments
        #[arg(long)]
        values: bool,
        /// Write to a new file instead of standard output
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Verify an export, on any machine: needs no server and no account
    Verify {
        /// The export; - for standard input
        file: PathBuf,
        /// The verification key, or a file with it
        #[arg(long, value_name = "KEY")]
        key: String,
        /// A checkpoint that was kept, to be sure that nothing was cut off or rewritten; may be given several times
        #[arg(long = "checkpoint", value_name = "FILE")]
        checkpoints: Vec<PathBuf>,
    },
    /// Show what happens, as it happens
    Watch,
}

/// `fractal evidence list`.
#[derive(Debug, Clone, Args)]
pub struct ListEvidence {
    /// By this principal: an id, or system
    #[arg(long, value_name = "ID")]
    pub actor: Option<String>,
    /// This action, like instance.start, or a kind of them: instance.
    #[arg(long, value_name = "ACTION")]
    pub action: Option<String>,
    /// About this thing, by id
    #[arg(long, value_name = "ID")]
    pub on: Option<String>,
    /// That ended like this: done, refused, failed
    #[arg(long, value_name = "OUTCOME")]
    pub outcome: Option<String>,
    /// How many at most
    #[arg(long, short, value_name = "NUMBER", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=200))]
    pub number: u32,
}

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
