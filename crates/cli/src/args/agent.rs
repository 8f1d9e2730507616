//! One's own agent: what its skills lack, and its habits.

use clap::{Args, Subcommand, ValueEnum};
use fractal_types::{Label, SkillKey, VariableName};

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
