//! Gives out host user ids. One is never given out twice, not even after its instance is gone, because
//! a file left behind somewhere would then belong to a stranger.

use std::{
    fs::File,
    io::{self, Read as _, Seek as _, Write as _},
    ops::RangeInclusive,
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use fractal_runtime::contract::{Error, ErrorClass, Result};
use rustix::fs::FlockOperation;

/// The next unused id of the range, from the counter in `data_dir`. Safe between processes.
pub fn next(data_dir: &Path, range: &RangeInclusive<u32>) -> Result<u32> {
    let path = data_dir.join("next-uid");
    let count = || -> io::Result<Option<u32>> {
        let mut file = File::options()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .mode(0o600)
            .open(&path)?;
        rustix::fs::flock(&file, FlockOperation::LockExclusive)?;
        let mut text = String::new();
        file.read_to_string(&mut text)?;
        let next = match text.trim() {
            "" => *range.start(),
            // A counter that cannot be read must not begin anew.
            number => number.parse().map_err(io::Error::other)?,
        };
        let next = next.max(*range.start());
        if !range.contains(&next) {
            return Ok(None);
        }
        // Digits only grow in number, so overwriting leaves no rest; a crash between the two leaves
        // either number.
        file.rewind()?;
        file.write_all(format!("{}\n", next + 1).as_bytes())?;
        file.sync_all()?;
        Ok(Some(next))
    };
    match count() {
        Ok(Some(uid)) => Ok(uid),
        Ok(None) => Err(Error::new(
            ErrorClass::Permanent,
            format!(
                "all user ids from {} to {} have been given out; widen the range in the settings",
                range.start(),
                range.end()
            ),
        )),
        Err(error) => Err(Error::new(
            ErrorClass::Permanent,
            format!("cannot count user ids in {}", path.display()),
        )
        .with_source(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_never_given_out_twice_and_the_range_ends() {
        let folder = tempfile::tempdir().unwrap();
        let given: Vec<u32> = (0..3)
            .map(|_| next(folder.path(), &(9..=11)).unwrap())
            .collect();
        assert_eq!(given, [9, 10, 11]);
        assert!(next(folder.path(), &(9..=11)).is_err());
        assert_eq!(next(folder.path(), &(9..=20)).unwrap(), 12);
    }
}
