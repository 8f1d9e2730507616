//! The composition root: settings become parts, parts become a house, the house serves until asked to end.

mod database;
mod demo;
#[cfg(debug_assertions)]
mod faults;
mod house;
mod installation;
mod keys;
mod limits;
mod listen;
mod look;
mod meter;
pub mod metrics;
mod policy;
mod ports;
mod revoked;
mod telemetry;
mod terminal;
mod tls;
mod usage;

use std::io::IsTerminal;

use anyhow::Result;
use fractal_config::{OnExit, Settings};
use secrecy::ExposeSecret;
use tokio::signal::unix::{SignalKind, signal};

pub use database::pg_dump_version;
pub use demo::demo;
pub use fractal_policy::{BuiltinPolicy, Checked, Finding, FindingSeverity};
pub use house::House;
pub use keys::{
    Imported, export as export_key, import as import_key, in_use, rotate as rotate_keys,
    status as key_status,
};
pub use look::look_into_database;
pub use meter::Meter;
pub use policy::{builtin_policies, check_policies, reset_policy};
pub use tls::{TlsReport, inspect_tls};

/// Serves until SIGINT or SIGTERM.
///
/// Ctrl-C stops the instances, SIGTERM keeps them for the next start, unless `--on-exit` says otherwise.
///
/// # Errors
///
/// Whatever keeps it from starting, with the remedy.
pub async fn serve(settings: Settings) -> Result<()> {
    telemetry::start(&settings)?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let started = std::time::Instant::now();
    let house = House::open(&settings, Meter::for_service()).await?;
    let address = house.listen(&settings).await?;
    announce(&house, &settings, address, started.elapsed());
    let wish = tokio::select! {
        _ = interrupt.recv() => OnExit::Stop,
        _ = terminate.recv() => OnExit::Keep,
    };
    let on_exit = settings.on_exit.unwrap_or(wish);
    if on_exit == OnExit::Stop && std::io::stderr().is_terminal() {
        terminal::clear();
        eprintln!("\nStopping agents; press Ctrl-C again to leave them running ...");
    }
    tokio::select! {
        () = house.close(on_exit) => {}
        // Impatient people win; supervisors outlive us and are adopted next time.
        _ = interrupt.recv() => tracing::warn!("left in a hurry; agents are adopted at the next start"),
    }
    Ok(())
}

fn announce(
    house: &House,
    settings: &Settings,
    address: std::net::SocketAddr,
    took: std::time::Duration,
) {
    let base = settings.public_url.as_ref().map_or_else(
        || {
            let scheme = if settings.tls.is_some() {
                "https"
            } else {
                "http"
            };
            format!("{scheme}://{address}")
        },
        |url| url.as_str().trim_end_matches('/').to_owned(),
    );
    terminal::clear();
    println!("Fractal is ready after {:.1} s.", took.as_secs_f64());
    match &house.setup {
        Some(setup) => {
            // The secret is in the fragment, which browsers do not send; the page clears it at once.
            println!(
                "\n  Open this address to set it up:\n\n    {base}/setup#{}\n",
                setup.token.expose_secret()
            );
            println!(
                "  The token also stands in {} until somebody claims the installation.",
                setup.file.display()
            );
        }
        None => println!("\n  Open {base}\n"),
    }
    for remark in house.remarks() {
        println!("  Note: {remark}");
    }
}
