//! Tasks that do not outlive the one waiting for them.

/// Aborts the task when dropped; nothing happens to a task that ended.
pub(crate) struct AbortOnDrop<T>(pub(crate) tokio::task::JoinHandle<T>);

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}
