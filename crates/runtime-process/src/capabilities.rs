//! What this machine can promise, and what would make it promise more.

use fractal_runtime::{
    contract::{Capabilities, Isolation},
    supervisor::cgroup::Host,
};
use fractal_types::Enforcement;

/// The promises; `reduced` says why there is no sandbox, when there is none.
pub fn capabilities(reduced: Option<&String>) -> Capabilities {
    let (memory, cpu, processes) = Host::find().enforcement();
    let own_uid = rustix::process::geteuid().is_root();
    let mut remarks: Vec<String> = reduced.into_iter().cloned().collect();
    if !own_uid {
        remarks.push(
            "all instances share this program's user id; run it as root (or as a system service) to give each its own"
                .to_owned(),
        );
    }
    if memory != Enforcement::Enforced {
        remarks.push(
            "memory and CPU limits are only watched, because control groups cannot be written; run it as root outside \
             of a container, or hand down the memory, cpu and pids controllers"
                .to_owned(),
        );
    }
    remarks.push(
        "disk limits are watched: what a home takes is measured every five minutes; at nine tenths it is shown, at the limit the instance is stopped"
            .to_owned(),
    );
    Capabilities {
        isolation: if reduced.is_none() {
            Isolation::Sandboxed
        } else {
            Isolation::Reduced
        },
        own_uid,
        memory,
        cpu,
        processes: if own_uid && processes == Enforcement::None {
            Enforcement::Enforced
        } else {
            processes
        },
        disk: Enforcement::Watched,
        open_files: Enforcement::Enforced,
        freeze: false,
        remarks,
    }
}
