//! Access rules.

use std::path::PathBuf;

use super::Machine;
use clap::Subcommand;
use fractal_types::Role;

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
