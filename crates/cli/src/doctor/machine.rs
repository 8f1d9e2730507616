//! Checks of the machine: kernel, room, sandbox, limits, tools, engines.

use std::{fs, path::Path, process::Stdio};

use fractal_openclaw::engine::{EngineStore, PINS};
use fractal_runtime::machine::{GATEWAY_BYTES, LOW_DISK, available_memory, free_space};
use tokio::process::Command;

use super::{Found, Surroundings, nearest};
use crate::text::bytes;

/// An engine with npm's cache.
const ENGINE_BYTES: u64 = 1_300 << 20;
/// The uids instances get when Fractal runs as root.
const UIDS: std::ops::RangeInclusive<u64> = 600_000..=665_535;

pub fn platform(_: &Surroundings) -> Found {
    let name = rustix::system::uname();
    let (system, release, machine) = (
        name.sysname().to_string_lossy(),
        name.release().to_string_lossy(),
        name.machine().to_string_lossy(),
    );
    let here = format!("{system} {release} on {machine}");
    if system != "Linux" || !matches!(machine.as_ref(), "x86_64" | "aarch64") {
        return Found::failed(
            here,
            "run Fractal on Linux on x86_64 or aarch64; other systems have no sandbox for instances",
        );
    }
    if kernel(&release).is_some_and(|version| version < (5, 4)) {
        return Found::attention(
            here,
            "use a kernel of version 5.4 or newer; older ones are not tried",
        );
    }
    Found::good(here)
}

fn kernel(release: &str) -> Option<(u32, u32)> {
    let mut parts = release.split(|c: char| !c.is_ascii_digit());
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

pub fn memory(_: &Surroundings) -> Found {
    let Some(available) = available_memory() else {
        return Found::attention("the free memory is not known", "mount /proc");
    };
    let gateways = available / GATEWAY_BYTES;
    let finding = format!(
        "{} available, room for {gateways} gateways at once",
        bytes(available)
    );
    match gateways {
        0 => Found::failed(finding, "free at least 0.75 GiB, or add memory or swap"),
        1 => Found::attention(
            finding,
            "more people need more memory: 0.75 GiB for each agent that is awake",
        ),
        _ => Found::good(finding),
    }
}

pub fn disk(surroundings: &Surroundings) -> Found {
    let installed = EngineStore::new(&surroundings.settings.engines_dir)
        .list()
        .is_ok_and(|engines| !engines.is_empty());
    let data = free_space(nearest(&surroundings.settings.data_dir));
    let engines = free_space(nearest(&surroundings.settings.engines_dir));
    let (Some(data), Some(engines)) = (data, engines) else {
        return Found::attention(
            "the free space is not known",
            "check that the data and engines folders can be reached",
        );
    };
    let finding = format!(
        "{} free for data, {} for engines",
        bytes(data),
        bytes(engines)
    );
    if data < LOW_DISK {
        Found::failed(
            finding,
            "free some space, or choose another folder with --data",
        )
    } else if !installed && engines < ENGINE_BYTES {
        Found::failed(
            finding,
            "an engine needs 1.3 GiB; free some space, or choose another folder with --engines",
        )
    } else if data < 5 * LOW_DISK {
        Found::attention(
            finding,
            "each instance may take up to 5 GiB; plan for more space",
        )
    } else {
        Found::good(finding)
    }
}

pub async fn sandbox(_: &Surroundings) -> Found {
    let Some(version) = first_line("bwrap", &["--version"]).await else {
        return Found::attention(
            "bubblewrap is not installed, so instances run without a sandbox, for one person only",
            "install it: `apt-get install bubblewrap`, or your system's way",
        );
    };
    // The same namespaces an instance gets, around a program that does nothing.
    let tried = Command::new("bwrap")
        .args([
            "--unshare-user",
            "--unshare-pid",
            "--unshare-ipc",
            "--unshare-uts",
            "--unshare-net",
        ])
        .args([
            "--die-with-parent",
            "--ro-bind",
            "/",
            "/",
            "--proc",
            "/proc",
            "--dev",
            "/dev",
            "true",
        ])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .output()
        .await;
    match tried {
        Ok(output) if output.status.success() => {
            Found::good(format!("{version}, user and network namespaces work"))
        }
        Ok(output) => Found::failed(
            format!(
                "{version} cannot make a sandbox: {}",
                String::from_utf8_lossy(&output.stderr).trim()
            ),
            "allow user namespaces: `sysctl kernel.unprivileged_userns_clone=1`, on Ubuntu also \
             `sysctl kernel.apparmor_restrict_unprivileged_userns=0`; in a container give it the needed rights",
        ),
        Err(error) => Found::failed(
            format!("bubblewrap could not be started: {error}"),
            "install it again",
        ),
    }
}

pub fn own_user(surroundings: &Surroundings) -> Found {
    if !surroundings.root {
        return Found::attention(
            "not root: all instances run under your own user, kept apart by the sandbox alone",
            "run the server as root (a system service) to give each instance a user of its own",
        );
    }
    let taken = ["/etc/passwd", "/etc/subuid"].iter().any(|file| {
        fs::read_to_string(file).is_ok_and(|text| {
            let passwd = file.ends_with("passwd");
            text.lines().any(|line| overlaps(line, passwd))
        })
    });
    if taken {
        return Found::attention(
            format!(
                "users {} to {} are meant for instances, and some of them are given to others here",
                UIDS.start(),
                UIDS.end()
            ),
            "take that range out of /etc/passwd and /etc/subuid, so that no login or container shares an instance's user",
        );
    }
    Found::good(format!(
        "root: each instance gets a user of its own, from {} to {}",
        UIDS.start(),
        UIDS.end()
    ))
}

/// Whether a line of `/etc/passwd` or `/etc/subuid` names a uid of the range.
fn overlaps(line: &str, passwd: bool) -> bool {
    let number = |index| {
        line.split(':')
            .nth(index)
            .and_then(|text| text.trim().parse::<u64>().ok())
    };
    if passwd {
        return number(2).is_some_and(|uid| UIDS.contains(&uid));
    }
    let (Some(start), Some(count)) = (number(1), number(2)) else {
        return false;
    };
    start <= *UIDS.end() && start.saturating_add(count) > *UIDS.start()
}

pub fn limits(_: &Surroundings) -> Found {
    const WANTED: [&str; 3] = ["memory", "cpu", "pids"];
    let root = Path::new("/sys/fs/cgroup");
    let v2 = fs::read_to_string(root.join("cgroup.controllers"))
        .ok()
        .filter(|text| !text.trim().is_empty());
    let usable: Vec<&str> = WANTED
        .into_iter()
        .filter(|controller| match &v2 {
            Some(present) => {
                present.split_whitespace().any(|word| word == *controller)
                    && writable(&own_group(root))
            }
            None => writable(&root.join(controller)),
        })
        .collect();
    if usable.len() == WANTED.len() {
        return Found::good(
            "the kernel can hold instances to their memory, CPU and process limits",
        );
    }
    let missing: Vec<&str> = WANTED
        .into_iter()
        .filter(|controller| !usable.contains(controller))
        .collect();
    Found::attention(
        format!(
            "limits are watched, not enforced, for: {}",
            missing.join(", ")
        ),
        "run as root, or as a system service with Delegate=yes",
    )
}

/// The group this process is in, where children may be made when it is delegated.
fn own_group(root: &Path) -> std::path::PathBuf {
    let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let path = own
        .lines()
        .find_map(|line| line.strip_prefix("0::/"))
        .unwrap_or_default();
    root.join(path)
}

fn writable(path: &Path) -> bool {
    rustix::fs::access(path, rustix::fs::Access::WRITE_OK).is_ok()
}

pub async fn npm(surroundings: &Surroundings) -> Found {
    let installed = EngineStore::new(&surroundings.settings.engines_dir)
        .list()
        .is_ok_and(|engines| !engines.is_empty());
    let node = first_line("node", &["--version"]).await;
    let npm = first_line("npm", &["--version"]).await;
    let remedy = "install Node 20 or newer with npm; only installing an engine needs it";
    let finding = match (&node, &npm) {
        (Some(node), Some(npm)) => {
            let finding = format!("node {}, npm {npm}", node.trim_start_matches('v'));
            if major(node) >= Some(20) && major(npm) >= Some(10) {
                return Found::good(finding);
            }
            format!("{finding}: too old")
        }
        (None, _) => "node is not installed".to_owned(),
        (_, None) => "npm is not installed".to_owned(),
    };
    if installed {
        Found::attention(finding, remedy)
    } else {
        Found::failed(finding, remedy)
    }
}

fn major(version: &str) -> Option<u32> {
    version
        .trim_start_matches('v')
        .split('.')
        .next()?
        .parse()
        .ok()
}

pub async fn engine(surroundings: &Surroundings) -> Found {
    let store = EngineStore::new(&surroundings.settings.engines_dir);
    let install = "run `fractal engine install`; `fractal serve` also does it by itself";
    let engines = match store.list() {
        Ok(engines) => engines,
        Err(error) => {
            return Found::failed(
                error.to_string(),
                "correct the permissions of the engines folder",
            );
        }
    };
    let mut versions = Vec::new();
    for info in &engines {
        if let Err(error) = store.verify(info).await {
            return Found::failed(error.to_string(), install);
        }
        versions.push(info.version.as_str());
    }
    match PINS.last() {
        _ if versions.is_empty() => Found::attention("no engine is installed yet", install),
        Some(pin) if !versions.contains(&pin.version) => Found::attention(
            format!(
                "OpenClaw {} is installed, this release comes with {}",
                versions.join(", "),
                pin.version
            ),
            install,
        ),
        _ => Found::good(format!("OpenClaw {}, as installed", versions.join(", "))),
    }
}

async fn first_line(program: &str, args: &[&str]) -> Option<String> {
    let output = Command::new(program)
        .args(args)
        .stdin(Stdio::null())
        .output()
        .await
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout)
        .lines()
        .next()?
        .trim()
        .to_owned();
    (output.status.success() && !text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_what_tools_print() {
        assert_eq!(kernel("6.1.0-18-amd64"), Some((6, 1)));
        assert_eq!(kernel("weird"), None);
        assert_eq!(major("v20.11.1"), Some(20));
        assert_eq!(major("10.2.4"), Some(10));
    }

    #[test]
    fn a_user_or_subordinate_range_among_the_instances_is_noticed() {
        assert!(overlaps("x:x:600001:600001::/:/bin/sh", true));
        assert!(!overlaps("x:x:1000:1000::/:/bin/sh", true));
        assert!(overlaps("ada:589824:65536", false));
        assert!(!overlaps("ada:100000:65536", false));
    }
}
