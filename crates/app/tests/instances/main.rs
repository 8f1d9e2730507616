//! The life of instances: the real use cases and reconciler over SQLite, a runtime without processes, and gateways that do what a
//! test says. Time stands still unless a test moves it.

mod config;
mod disk;
mod failure;
mod faults;
mod idle;
mod incidents;
mod life;
mod operations;
mod site;
mod skills;
mod support;
mod suspension;
mod two;
