//! The built program on a machine of its own: a data folder, a key file, a database, and `fractal serve` as a process.

mod keys;
mod support;
mod tls;
mod upgrade;
