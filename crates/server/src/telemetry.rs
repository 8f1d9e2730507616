//! Logs.

use std::io::IsTerminal;

use anyhow::{Context, Result};
use fractal_config::{LogFormat, Settings};
use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

use crate::terminal;

/// Starts logging to standard error. A second call in one process changes nothing.
///
/// # Errors
///
/// When the level makes no sense.
pub fn start(settings: &Settings) -> Result<()> {
    let filter = EnvFilter::try_new(&settings.log_level).with_context(|| {
        format!(
            "log level \"{}\" must look like info or info,fractal_app=debug",
            settings.log_level
        )
    })?;
    // The migration library talks at length; ours says in one line what happened.
    let filter =
        ["sea_orm_migration=warn", "sqlx=warn"]
            .into_iter()
            .fold(filter, |filter, directive| match directive.parse() {
                Ok(directive) => filter.add_directive(directive),
                Err(_) => filter,
            });
    let colours = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let registry = tracing_subscriber::registry().with(filter);
    let _ = match settings.log_format {
        LogFormat::Text => registry
            .with(
                fmt::layer()
                    .with_writer(|| terminal::Log)
                    .with_target(false)
                    .with_ansi(colours),
            )
            .try_init(),
        LogFormat::Json => registry
            .with(fmt::layer().json().with_writer(|| terminal::Log))
            .try_init(),
    };
    Ok(())
}
