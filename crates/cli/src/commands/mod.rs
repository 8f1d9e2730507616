//! What each command does, one file per noun.

mod account;
mod chat;
mod dry_run;
mod engine;
mod evidence;
mod identity_providers;
mod incidents;
mod instances;
mod invitations;
mod keys;
mod login;
mod operations;
mod policy;
mod profile;
mod proposals;
mod providers;
mod sessions;
mod settings;
mod skills;
mod tokens;
mod users;
mod webhooks;
mod witnesses;

pub use keys::export_marker;

use std::process::ExitCode;

use clap::CommandFactory;
use fractal_client::Client;
use fractal_clock::{Clock, SystemClock};

use crate::{
    args::{Arguments, Command, Global},
    connection, doctor,
    exit::UsageError,
    output::{Output, write_out},
    place, seams,
};

/// What a command needs: how to print and where the server is.
pub struct Session {
    /// How to print.
    pub out: Output,
    global: Global,
}

impl Session {
    /// A client for the server that was named.
    pub fn client(&self) -> anyhow::Result<Client> {
        let client = connection::connect(&self.global)?;
        Ok(if self.global.dry_run {
            client.trying()
        } else {
            client
        })
    }

    /// Refuses `--dry-run` where something is done on this machine and not by a server.
    pub fn acts_here(&self) -> anyhow::Result<()> {
        if self.global.dry_run {
            return Err(cannot_be_tried());
        }
        Ok(())
    }

    /// A client without a token.
    pub fn anonymous(&self) -> anyhow::Result<Client> {
        Ok(Client::new(&self.global.url, None)?)
    }
}

/// Runs one command.
///
/// # Errors
/// Whatever makes the command fail; `exit` turns it into words and a code.
pub async fn run(args: Arguments) -> anyhow::Result<ExitCode> {
    let session = Session {
        out: Output::new(args.global.json, SystemClock.now()),
        global: args.global,
    };
    match carry_out(&session, args.command).await {
        Err(error) => match error.downcast_ref::<fractal_client::Error>() {
            // Not a failure: it is what was asked for.
            Some(fractal_client::Error::DryRun(would)) => dry_run::show(&session, would),
            Some(fractal_client::Error::Proposed(view)) => proposals::waiting(&session, view),
            _ => Err(error),
        },
        done => done,
    }
}

/// A command that `--dry-run` means nothing to.
fn cannot_be_tried() -> anyhow::Error {
    anyhow::Error::new(UsageError(
        "this command cannot be tried with --dry-run; only changes of a running server can"
            .to_owned(),
    ))
}

async fn carry_out(session: &Session, command: Command) -> anyhow::Result<ExitCode> {
    // What does not ask a server for a change would do it all the same.
    let acts_here = matches!(
        command,
        Command::Serve(_)
            | Command::Demo(_)
            | Command::Login(_)
            | Command::Logout
            | Command::Chat(_)
            | Command::Keys(_)
            | Command::Engine(_)
    );
    if session.global.dry_run && acts_here {
        return Err(cannot_be_tried());
    }
    match command {
        Command::Serve(args) => seams::serve(place::serve(args)?).await?,
        Command::Demo(args) => seams::demo(place::demo(args)?).await?,
        // Dispatched before this point, because they make a runtime of their own.
        Command::Supervise(_) | Command::Relay(_) => return Ok(ExitCode::FAILURE),
        Command::Status => account::status(session).await?,
        Command::Doctor(args) => return doctor::run(session, &args).await,
        Command::Login(args) => login::login(session, args).await?,
        Command::Logout => login::logout(session).await?,
        Command::Chat(args) => return chat::run(session, args).await,
        Command::Instances(command) => return instances::run(session, command).await,
        Command::Proposals(command) => return proposals::run(session, command).await,
        Command::Operations(command) => return operations::run(session, command).await,
        Command::Incidents(command) => incidents::run(session, command).await?,
        Command::Providers(command) => providers::run(session, command).await?,
        Command::Profile(command) => profile::run(session, command).await?,
        Command::Skills(command) => skills::run(session, command).await?,
        Command::Users(command) => users::run(session, command).await?,
        Command::Invitations(command) => invitations::run(session, command).await?,
        Command::IdentityProviders(command) => {
            identity_providers::run(session, command).await?;
        }
        Command::Sessions(command) => sessions::run(session, command).await?,
        Command::Tokens(command) => tokens::run(session, command).await?,
        Command::Settings(command) => settings::run(session, command).await?,
        Command::Usage(args) => account::usage(session, &args).await?,
        Command::Evidence(command) => evidence::run(session, command).await?,
        Command::Webhooks(command) => webhooks::run(session, command).await?,
        Command::Keys(command) => keys::run(session, command).await?,
        Command::Engine(command) => return engine::run(session, command).await,
        Command::Policy(command) => return policy::run(session, command).await,
        Command::Completions { shell } => {
            let mut text = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "fractal", &mut text);
            write_out(&String::from_utf8_lossy(&text))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Picks one of `items` by name when exactly one has it.
pub fn by_name<T>(
    what: &str,
    wanted: &str,
    items: Vec<T>,
    name: impl Fn(&T) -> &str,
) -> anyhow::Result<T> {
    let mut found = items.into_iter().filter(|item| name(item) == wanted);
    match (found.next(), found.next()) {
        (Some(item), None) => Ok(item),
        (Some(_), Some(_)) => Err(anyhow::Error::new(UsageError(format!(
            "more than one {what} is called \"{wanted}\"; give its id"
        )))),
        (None, _) => Err(crate::exit::Advice::error(
            format!("there is no {what} with the id or name \"{wanted}\""),
            format!("list them with `fractal {what}s list`"),
        )),
    }
}
