//! Unix sockets with paths of any length, and handing a listening socket to another process.
//!
//! The kernel's address of a Unix socket holds 108 bytes; data folders of test runs and of deep
//! installations are longer. A folder opened with `O_PATH` gives a short name for the same place.

use std::{
    io::{self, IoSlice, IoSliceMut},
    mem::MaybeUninit,
    os::{
        fd::{AsFd, AsRawFd, OwnedFd},
        unix::net::{UnixListener as StdListener, UnixStream as StdStream},
    },
    path::{Path, PathBuf},
};

use rustix::{
    fs::{Mode, OFlags},
    net::{
        RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
        SendAncillaryMessage, SendFlags,
    },
};
use tokio::net::{UnixListener, UnixStream};

/// The longest path that is used as it is; the kernel's own limit is 107.
const LONGEST: usize = 100;

/// A short name of a path, valid while the value lives.
#[derive(Debug)]
struct Short {
    path: PathBuf,
    _folder: Option<OwnedFd>,
}

fn shorten(path: &Path) -> io::Result<Short> {
    if path.as_os_str().len() <= LONGEST {
        return Ok(Short {
            path: path.to_owned(),
            _folder: None,
        });
    }
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(io::Error::from(io::ErrorKind::InvalidInput));
    };
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let folder = rustix::fs::open(parent, flags, Mode::empty())?;
    Ok(Short {
        path: PathBuf::from(format!("/proc/self/fd/{}", folder.as_raw_fd())).join(name),
        _folder: Some(folder),
    })
}

/// Connects to the socket at `path`.
///
/// # Errors
/// What the system says; `ConnectionRefused` and `NotFound` mean that nobody listens, `ConnectionReset` that whoever
/// listened left before it took the connection.
pub async fn connect(path: &Path) -> io::Result<UnixStream> {
    let short = shorten(path)?;
    UnixStream::connect(&short.path).await
}

/// Binds a socket at `path`, replacing a stale one.
///
/// # Errors
/// What the system says.
pub fn bind(path: &Path) -> io::Result<StdListener> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let short = shorten(path)?;
    StdListener::bind(&short.path)
}

/// Binds a socket at `path` for use with tokio, replacing a stale one.
///
/// # Errors
/// What the system says.
pub fn listen(path: &Path) -> io::Result<UnixListener> {
    let listener = bind(path)?;
    listener.set_nonblocking(true)?;
    UnixListener::from_std(listener)
}

/// Sends one open file to the other end.
///
/// # Errors
/// What the system says.
pub fn send_file(over: &StdStream, file: impl AsFd) -> io::Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let files = [file.as_fd()];
    control.push(SendAncillaryMessage::ScmRights(&files));
    rustix::net::sendmsg(
        over,
        &[IoSlice::new(b"f")],
        &mut control,
        SendFlags::NOSIGNAL,
    )?;
    Ok(())
}

/// Waits for a file sent by [`send_file`]. It is not inherited by programs started later.
///
/// # Errors
/// What the system says, or `UnexpectedEof` when the other end closed or sent something else.
pub fn receive_file(over: &StdStream) -> io::Result<OwnedFd> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut byte = [0];
    rustix::net::recvmsg(
        over,
        &mut [IoSliceMut::new(&mut byte)],
        &mut control,
        RecvFlags::CMSG_CLOEXEC,
    )?;
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(mut files) = message
            && let Some(file) = files.next()
        {
            return Ok(file);
        }
    }
    Err(io::Error::from(io::ErrorKind::UnexpectedEof))
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    #[tokio::test]
    async fn a_path_longer_than_the_kernel_allows_still_works() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("d".repeat(90)).join("e".repeat(90));
        std::fs::create_dir_all(&deep).unwrap();
        let path = deep.join("x.sock");
        let listener = listen(&path).unwrap();
        let mut near = connect(&path).await.unwrap();
        let (mut far, _) = listener.accept().await.unwrap();
        near.write_all(b"hi").await.unwrap();
        let mut got = [0; 2];
        far.read_exact(&mut got).await.unwrap();
        assert_eq!(&got, b"hi");
    }

    #[test]
    fn a_listening_socket_travels_over_a_pair() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.sock");
        let listener = bind(&path).unwrap();
        let (near, far) = StdStream::pair().unwrap();
        send_file(&near, &listener).unwrap();
        drop(listener);
        let received = StdListener::from(receive_file(&far).unwrap());
        let _client = StdStream::connect(&path).unwrap();
        assert!(received.accept().is_ok());
    }
}
