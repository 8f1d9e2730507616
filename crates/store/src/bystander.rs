//! Somebody who stands beside a database: a simulation, which decides there who goes on when, and what fails.

use std::{fmt, future::Future, pin::Pin, task::Poll};

use crate::Result;

/// What is waited for.
pub type Waiting<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Is told of everything that is written, before and after, and has database work done without a break.
///
/// In between nobody else is at work, so a run can be repeated exactly although the drivers work on threads of their own. What never
/// comes back from here is a process that died there.
pub trait Bystander: Send + Sync + fmt::Debug + 'static {
    /// Somebody is about to write. An error is a database that is away.
    fn before<'a>(&'a self, name: &'static str) -> Waiting<'a, Result<()>>;

    /// Whether this attempt of a transaction is taken back at its end, and runs again.
    fn collides(&self, name: &'static str, attempt: u32) -> bool;

    /// It is written. An error is an answer that was lost on the way.
    fn written<'a>(&'a self, name: &'static str) -> Waiting<'a, Result<()>>;

    /// Does the work to its end, and returns then.
    fn drive(&self, work: Pin<&mut (dyn Future<Output = ()> + Send)>);
}

/// The work, without a break when somebody stands beside.
pub(crate) async fn drive<T: Send>(
    bystander: Option<&dyn Bystander>,
    work: impl Future<Output = T> + Send,
) -> T {
    let mut work = std::pin::pin!(work);
    std::future::poll_fn(|context| {
        let Some(bystander) = bystander else {
            return work.as_mut().poll(context);
        };
        let mut done = None;
        {
            let whole = async { done = Some(work.as_mut().await) };
            bystander.drive(std::pin::pin!(whole));
        }
        done.map_or(Poll::Pending, Poll::Ready)
    })
    .await
}
