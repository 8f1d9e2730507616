//! The built program on a machine of its own: a data folder, a key file, a database, and `fractal serve` as a process.

mod keys;
/// Included as a file: the testing crate depends on the whole house, which these tests need not.
#[path = "../../../testing/src/postgres.rs"]
mod postgres_server;
mod support;
mod upgrade;
