//! Limits that the kernel enforces, through control groups: version 1 with one tree per controller, or
//! version 2 with one tree for all. Where neither can be written, limits are only watched.
//!
//! The supervisor itself stays outside of the instance's group, so that it survives to tell the tale.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use fractal_types::{Enforcement, InstanceId, Limits};

/// Where groups of instances can be made on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Host {
    /// One folder per controller.
    V1 {
        /// Parent folder in the memory tree.
        memory: Option<PathBuf>,
        /// Parent folder in the CPU tree.
        cpu: Option<PathBuf>,
        /// Parent folder in the CPU accounting tree.
        accounting: Option<PathBuf>,
        /// Parent folder in the tree that counts processes.
        processes: Option<PathBuf>,
    },
    /// One folder with the needed controllers handed down.
    V2(PathBuf),
    /// None.
    Nothing,
}

impl Host {
    /// Looks what this process may use.
    #[must_use]
    pub fn find() -> Self {
        let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
        let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        let parent = |controller: &str| v1_parent(&mounts, &own, controller);
        let host = Self::V1 {
            memory: parent("memory"),
            cpu: parent("cpu"),
            accounting: parent("cpuacct"),
            processes: parent("pids"),
        };
        if let Self::V1 {
            memory: Some(_), ..
        } = host
        {
            return host;
        }
        v2_parent(&mounts).map_or(host, Self::V2)
    }

    /// How memory, CPU and process limits work here.
    #[must_use]
    pub const fn enforcement(&self) -> (Enforcement, Enforcement, Enforcement) {
        const fn by(enforced: bool, otherwise: Enforcement) -> Enforcement {
            if enforced {
                Enforcement::Enforced
            } else {
                otherwise
            }
        }
        let (memory, cpu, processes) = match self {
            Self::V1 {
                memory,
                cpu,
                processes,
                ..
            } => (memory.is_some(), cpu.is_some(), processes.is_some()),
            Self::V2(_) => (true, true, true),
            Self::Nothing => (false, false, false),
        };
        (
            by(memory, Enforcement::Watched),
            by(cpu, Enforcement::Watched),
            by(processes, Enforcement::None),
        )
    }
}

fn v1_parent(mounts: &str, own: &str, controller: &str) -> Option<PathBuf> {
    let mount = mounts.lines().find_map(|line| {
        let mut fields = line.split(' ').skip(1);
        let (path, kind, options) = (fields.next()?, fields.next()?, fields.next()?);
        (kind == "cgroup" && options.split(',').any(|option| option == controller))
            .then(|| PathBuf::from(path))
    })?;
    let own = own.lines().find_map(|line| {
        let mut fields = line.splitn(3, ':').skip(1);
        let controllers = fields.next()?;
        let path = fields.next()?;
        controllers
            .split(',')
            .any(|name| name == controller)
            .then(|| path.trim_start_matches('/').to_owned())
    });
    // Inside a container the path may name a place above what is mounted.
    let nested = mount.join(own.unwrap_or_default());
    let parent = if nested.is_dir() { nested } else { mount };
    writable(&parent).then_some(parent)
}

/// A group below the root of the tree: other groups must not hold processes of their own when they hand
/// controllers down, so our own group will not do.
fn v2_parent(mounts: &str) -> Option<PathBuf> {
    let mount = mounts.lines().find_map(|line| {
        let mut fields = line.split(' ').skip(1);
        let (path, kind) = (fields.next()?, fields.next()?);
        (kind == "cgroup2").then(|| PathBuf::from(path))
    })?;
    let parent = mount.join("fractal");
    hand_down(&mount).ok()?;
    make(&parent).ok()?;
    hand_down(&parent).ok()?;
    writable(&parent).then_some(parent)
}

fn hand_down(group: &Path) -> io::Result<()> {
    fs::write(group.join("cgroup.subtree_control"), "+memory +cpu +pids")
}

fn writable(parent: &Path) -> bool {
    let probe = parent.join(format!("fractal-probe-{}", std::process::id()));
    make(&probe).and_then(|()| fs::remove_dir(&probe)).is_ok()
}

fn make(group: &Path) -> io::Result<()> {
    match fs::create_dir(group) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other,
    }
}

/// The group of one instance.
#[derive(Debug)]
pub struct Group {
    memory: Option<PathBuf>,
    accounting: Option<PathBuf>,
    all: Vec<PathBuf>,
    v2: bool,
}

impl Group {
    /// Makes the group of an instance and sets its limits.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn create(host: &Host, id: InstanceId, limits: &Limits) -> io::Result<Self> {
        let group = Self::named(host, id);
        for folder in &group.all {
            make(folder)?;
        }
        let set = |folder: &Path, file: &str, value: String| fs::write(folder.join(file), value);
        let quota = limits.cpu_millis.map(|millis| u64::from(millis) * 100);
        match host {
            Host::V1 { cpu, processes, .. } => {
                if let (Some(folder), Some(bytes)) = (&group.memory, limits.memory_bytes) {
                    set(folder, "memory.limit_in_bytes", bytes.to_string())?;
                }
                let own = |parent: &PathBuf| parent.join(name(id));
                if let (Some(folder), Some(quota)) = (cpu.as_ref().map(own), quota) {
                    set(&folder, "cpu.cfs_period_us", "100000".to_owned())?;
                    set(&folder, "cpu.cfs_quota_us", quota.to_string())?;
                }
                if let (Some(folder), Some(most)) = (processes.as_ref().map(own), limits.processes)
                {
                    set(&folder, "pids.max", most.to_string())?;
                }
            }
            Host::V2(parent) => {
                let folder = parent.join(name(id));
                if let Some(bytes) = limits.memory_bytes {
                    set(&folder, "memory.max", bytes.to_string())?;
                }
                if let Some(quota) = quota {
                    set(&folder, "cpu.max", format!("{quota} 100000"))?;
                }
                if let Some(most) = limits.processes {
                    set(&folder, "pids.max", most.to_string())?;
                }
            }
            Host::Nothing => {}
        }
        Ok(group)
    }

    /// The group an instance has or would have.
    #[must_use]
    pub fn named(host: &Host, id: InstanceId) -> Self {
        let own = |parent: &PathBuf| parent.join(name(id));
        match host {
            Host::V1 {
                memory,
                cpu,
                accounting,
                processes,
            } => {
                let mut all: Vec<PathBuf> = [memory, cpu, accounting, processes]
                    .into_iter()
                    .flatten()
                    .map(own)
                    .collect();
                all.dedup();
                Self {
                    memory: memory.as_ref().map(own),
                    accounting: accounting.as_ref().map(own),
                    all,
                    v2: false,
                }
            }
            Host::V2(parent) => Self {
                memory: Some(own(parent)),
                accounting: Some(own(parent)),
                all: vec![own(parent)],
                v2: true,
            },
            Host::Nothing => Self {
                memory: None,
                accounting: None,
                all: Vec::new(),
                v2: false,
            },
        }
    }

    /// Puts a process, and what it will start, under the limits.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn take(&self, pid: u32) -> io::Result<()> {
        for folder in &self.all {
            fs::write(folder.join("cgroup.procs"), pid.to_string())?;
        }
        Ok(())
    }

    /// Memory that would not go away under pressure, in bytes.
    #[must_use]
    pub fn memory(&self) -> Option<u64> {
        let key = if self.v2 { "anon" } else { "total_rss" };
        field(&self.memory.as_ref()?.join("memory.stat"), key)
    }

    /// CPU time used so far.
    #[must_use]
    pub fn cpu(&self) -> Option<Duration> {
        let folder = self.accounting.as_ref()?;
        if self.v2 {
            return field(&folder.join("cpu.stat"), "usage_usec").map(Duration::from_micros);
        }
        let text = fs::read_to_string(folder.join("cpuacct.usage")).ok()?;
        text.trim().parse().ok().map(Duration::from_nanos)
    }

    /// How many processes the kernel has killed here for memory.
    #[must_use]
    pub fn out_of_memory_kills(&self) -> u64 {
        let file = if self.v2 {
            "memory.events"
        } else {
            "memory.oom_control"
        };
        self.memory
            .as_ref()
            .and_then(|folder| field(&folder.join(file), "oom_kill"))
            .unwrap_or(0)
    }

    /// Removes the group; fails quietly while processes are left in it, and is then tried again before
    /// the next start.
    pub fn remove(&self) {
        for folder in &self.all {
            let _ = fs::remove_dir(folder);
        }
    }
}

fn name(id: InstanceId) -> String {
    format!("fractal-{id}")
}

fn field(file: &Path, key: &str) -> Option<u64> {
    let text = fs::read_to_string(file).ok()?;
    text.lines().find_map(|line| {
        let (name, value) = line.split_once(' ')?;
        (name == key).then(|| value.trim().parse().ok())?
    })
}
