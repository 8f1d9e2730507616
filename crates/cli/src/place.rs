//! Where things are on this machine: the command line's flags laid over file and environment.

use fractal_config::{Environment, Flags, Platform, Settings, Tls, load};

use crate::args::{DemoArgs, DoctorArgs, LogFormat, Machine, OnExit, ServeArgs, TlsArgs};

/// The settings that commands on the machine itself work with.
pub fn of(machine: Machine) -> anyhow::Result<Settings> {
    settings(&flags(machine))
}

/// The settings of `fractal serve`.
pub fn serve(args: ServeArgs) -> anyhow::Result<Settings> {
    settings(&Flags {
        engine: args.engine,
        listen: args.listen,
        tls: tls(args.tls),
        internal_listen: args.internal_listen,
        on_exit: args.on_exit.map(|on_exit| match on_exit {
            OnExit::Keep => fractal_config::OnExit::Keep,
            OnExit::Stop => fractal_config::OnExit::Stop,
        }),
        log_format: args.log_format.map(|form| match form {
            LogFormat::Text => fractal_config::LogFormat::Text,
            LogFormat::Json => fractal_config::LogFormat::Json,
        }),
        log_level: args.log_level,
        public_url: args.public_url,
        pg_dump: args.pg_dump,
        migrate_without_backup: args.migrate_without_backup,
        ..flags(args.machine)
    })
}

/// The settings of `fractal demo`; it makes its own throwaway data folder.
pub fn demo(args: DemoArgs) -> anyhow::Result<Settings> {
    settings(&Flags {
        engines: args.engines,
        engine: args.engine,
        ..Flags::default()
    })
}

/// The settings that `fractal doctor` looks at.
pub fn doctor(args: &DoctorArgs) -> anyhow::Result<Settings> {
    settings(&Flags {
        listen: args.listen,
        tls: tls(args.tls.clone()),
        ..flags(args.machine.clone())
    })
}

fn tls(args: TlsArgs) -> Tls {
    Tls {
        certificate: args.tls_cert,
        key: args.tls_key,
    }
}

fn flags(machine: Machine) -> Flags {
    Flags {
        config: machine.config,
        data: machine.data,
        engines: machine.engines,
        ..Flags::default()
    }
}

fn settings(flags: &Flags) -> anyhow::Result<Settings> {
    Ok(load(flags, &Environment::of_process(), Platform::here())?)
}
