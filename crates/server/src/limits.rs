//! How many descriptors this process may have, and what part of them clients get.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Allows this process as many open descriptors as the machine grants it. What is set at first is often 1024, for the sake of old
/// programs; instances get their own limit.
pub fn raise_open_files() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    if raised.current != limit.current
        && let Err(error) = setrlimit(Resource::Nofile, raised)
    {
        tracing::debug!("the limit of open files stays as it is: {error}");
    }
}

/// Half of the descriptors this process may have: the database, instances and providers need the others. Running out of them would
/// stop everything, running out of places only those who come next.
pub fn most_connections() -> usize {
    let half = getrlimit(Resource::Nofile)
        .current
        .map_or(usize::MAX, |limit| {
            usize::try_from(limit / 2).unwrap_or(usize::MAX)
        });
    half.clamp(64, 4096)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_descriptors_the_machine_grants_are_used() {
        raise_open_files();
        let limit = getrlimit(Resource::Nofile);
        assert_eq!(limit.current, limit.maximum);
        assert!((64..=4096).contains(&most_connections()));
    }
}
