//! Work that nobody waits for: the worker that claims jobs and the driver of reconcilers.
//!
//! *Jobs* are data with a queue name and a behaviour registered here; they run at least once, under
//! a lease with a fence, and every failure says retry or give up. *Reconcilers* take no input but a
//! key: woken by signal and by timer they make seen equal wanted, a bounded amount at a time, never
//! two at once for one key (design section 3). This crate knows no business noun; it gets its jobs
//! through [`JobSource`], so that it can be driven by a database ([`StoredJobs`]) or by a test
//! ([`MemorySource`]).
//!
//! Both drivers run in the background with `run` and step by step with `run_all_due`, which is how
//! tests with a manual clock finish everything that is due without sleeping.

mod backoff;
mod board;
pub mod operation;
mod reconciler;
mod source;
mod stored;
mod task;
mod worker;

pub use backoff::Backoff;
pub use reconciler::{Next, Reconcile, Reconciler, ReconcilerOptions, Signal};
pub use source::{ClaimedJob, JobSource, MemorySource, SourceError};
pub use stored::StoredJobs;
pub use worker::{Failure, JobContext, JobHandler, Worker, WorkerOptions};
