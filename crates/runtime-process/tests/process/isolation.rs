//! What an instance can and cannot see, asked from inside its sandbox and looked at from the host.

use std::{net::TcpListener, time::Duration};

use fractal_runtime::{
    conformance::{Behaviour, Harness as _, dialled, exit_of},
    contract::{
        ErrorClass, Fence, InstanceSpec, Isolation, LogQuery, ProcessState, Runtime, Stopped,
    },
};
use fractal_runtime_process::Bubblewrap;
use fractal_types::{Enforcement, Generation};
use futures::StreamExt as _;
use serde_json::{Value, json};

use super::support::{Process, document, skipped};

const FENCE: Fence = Fence(Generation(1));
const GRACE: Duration = Duration::from_secs(20);

/// Starts a prepared instance and waits until a line with this text is in its log.
async fn line(process: &Process, spec: &InstanceSpec, text: &str) -> String {
    process.runtime.start(spec, FENCE).await.unwrap();
    logged(process, spec, text).await
}

async fn logged(process: &Process, spec: &InstanceSpec, text: &str) -> String {
    let query = LogQuery {
        tail: 1_000,
        follow: true,
    };
    let mut lines = process.runtime.logs(spec.id, query).await.unwrap();
    let find = async {
        while let Some(line) = lines.next().await {
            let line = line.unwrap().text;
            if line.contains(text) {
                return line;
            }
        }
        unreachable!("a follower never ends");
    };
    tokio::time::timeout(Duration::from_secs(30), find)
        .await
        .unwrap_or_else(|_| panic!("no line with {text:?} in the log"))
}

async fn probe(process: &Process) -> (Value, InstanceSpec) {
    let neighbour = process.prepare(Behaviour::Echo).await;
    let mut spec = process.instance("probe", document()).await;
    let secret = process.folder.path().join("secret");
    std::fs::write(&secret, "x").unwrap();
    super::support::open_to_others(&secret);
    // Something of the host that answers, so that "unreachable" is not just "nobody home".
    let host = TcpListener::bind("127.0.0.1:0").unwrap();
    let ask = json!({
        "port": host.local_addr().unwrap().port(),
        "paths": [
            secret, process.folder.path(), process.settings.data_dir,
            process.dirs(neighbour.id).join("home"), process.dirs(spec.id),
            "/root", "/work", "/home/user", "/etc/shadow", "/etc/hostname", "/sys/kernel", "/var", "/boot",
            "/run/systemd", "/run/dbus", "/usr/bin/env", "/etc/passwd", "/opt/engine/openclaw.mjs",
            "/home/agent/workspace/SOUL.md",
        ],
    });
    spec.env.push(("PROBE".to_owned(), ask.to_string()));
    let text = line(process, &spec, "probe {").await;
    (
        serde_json::from_str(text.strip_prefix("probe ").unwrap()).unwrap(),
        spec,
    )
}

#[tokio::test]
async fn from_inside_only_the_engine_the_home_and_the_listener_are_there() {
    let process = Process::new(Bubblewrap::Auto);
    if process.runtime.capabilities().isolation != Isolation::Sandboxed {
        return skipped(&format!("{:?}", process.runtime.capabilities().remarks));
    }
    let (seen, spec) = probe(&process).await;

    let readable = seen["readable"].as_object().unwrap();
    let open: Vec<&str> = readable
        .iter()
        .filter(|(_, there)| **there == json!(true))
        .map(|(path, _)| path.as_str())
        .collect();
    assert_eq!(
        open,
        [
            "/usr/bin/env",
            "/etc/passwd",
            "/opt/engine/openclaw.mjs",
            "/home/agent/workspace/SOUL.md"
        ]
    );
    let writable = seen["writable"].as_object().unwrap();
    let open: Vec<&str> = writable
        .iter()
        .filter(|(_, done)| **done == json!(true))
        .map(|(path, _)| path.as_str())
        .collect();
    assert_eq!(open, ["/home/agent/x", "/tmp/x"]);
    for folder in ["/root", "/work", "/sys", "/var", "/srv", "/mnt"] {
        assert!(
            !seen["root"]
                .as_array()
                .unwrap()
                .contains(&json!(folder.trim_start_matches('/'))),
            "{folder}"
        );
    }

    assert_eq!(seen["interfaces"], json!(["lo"]));
    assert_eq!(seen["host"], "ECONNREFUSED");
    assert_eq!(seen["internet"], "ENETUNREACH");
    assert_eq!(
        seen["listener"], 403,
        "the listener is reached and refuses a stranger's path"
    );
    assert_eq!(seen["listenerFolder"]["value"], json!(["listener.sock"]));

    let status = &seen["status"];
    for set in ["CapEff", "CapPrm", "CapInh", "CapBnd", "CapAmb"] {
        assert_eq!(status[set], "0000000000000000", "{set}");
    }
    assert_eq!(status["NoNewPrivs"], "1");
    assert_eq!(
        seen["namespaces"], false,
        "no namespace can be made inside, and so no capability won"
    );
    assert!(
        seen["processes"].as_u64().unwrap() < 5,
        "{}",
        seen["processes"]
    );
    assert_eq!(seen["openFiles"], "8192");

    let everything = format!("{}{}", seen["environment"], seen["relay"]);
    assert!(
        !everything.contains("instance-token-of"),
        "the token is in no environment or argument"
    );
    assert_eq!(seen["document"]["place"], "/home/agent/state");
    assert_eq!(seen["mode"], 0o600);
    process.runtime.stop(spec.id, GRACE, FENCE).await.unwrap();
}

#[tokio::test]
async fn each_instance_has_a_user_of_its_own_as_seen_from_the_host() {
    use std::os::unix::fs::MetadataExt as _;
    let process = Process::new(Bubblewrap::Auto);
    if !process.runtime.capabilities().own_uid {
        return skipped("only root can give user ids");
    }
    let mut uids = Vec::new();
    for _ in 0..2 {
        let spec = process.prepare(Behaviour::Echo).await;
        line(&process, &spec, "hello from the gateway").await;
        let uid = process.runtime.observe(spec.id).await.unwrap().uid.unwrap();
        let home = process.dirs(spec.id).join("home");
        let meta = std::fs::metadata(&home).unwrap();
        assert_eq!(
            (meta.uid(), meta.gid(), meta.mode() & 0o777),
            (uid, uid, 0o700)
        );
        assert_eq!(
            std::fs::metadata(home.join("openclaw.json")).unwrap().uid(),
            uid
        );
        let gateways = processes_of(uid);
        assert!(
            gateways.iter().any(|line| line.contains("gateway run")),
            "{gateways:?}"
        );
        uids.push(uid);
        process.runtime.stop(spec.id, GRACE, FENCE).await.unwrap();
        assert_eq!(processes_of(uid), Vec::<String>::new());
    }
    assert_ne!(uids[0], uids[1]);
    assert!(uids.iter().all(|uid| process.settings.uids.contains(uid)));
}

/// Command lines of the processes of a user, as the host sees them.
fn processes_of(uid: u32) -> Vec<String> {
    use std::os::unix::fs::MetadataExt as _;
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    entries
        .filter(|entry| entry.metadata().is_ok_and(|meta| meta.uid() == uid))
        .filter_map(|entry| std::fs::read_to_string(entry.path().join("cmdline")).ok())
        .map(|line| line.replace('\0', " "))
        .filter(|line| !line.is_empty())
        .collect()
}

#[tokio::test]
async fn reduced_the_document_is_put_right_and_the_listener_is_reached() {
    let process = Process::new(Bubblewrap::Off);
    assert_eq!(process.runtime.capabilities().isolation, Isolation::Reduced);
    let (seen, spec) = probe(&process).await;
    let home = process.dirs(spec.id).join("home");
    assert_eq!(seen["document"]["place"], json!(home.join("state")));
    assert_eq!(seen["listener"], 403);
    process.runtime.stop(spec.id, GRACE, FENCE).await.unwrap();
}

#[tokio::test]
async fn killing_the_supervisor_takes_the_instance_along_and_is_noticed() {
    for bubblewrap in [Bubblewrap::Auto, Bubblewrap::Off] {
        let process = Process::new(bubblewrap);
        let spec = process.prepare(Behaviour::Echo).await;
        line(&process, &spec, "hello from the gateway").await;
        dialled(&*process.runtime, spec.id).await;
        let seen = process.runtime.observe(spec.id).await.unwrap();
        let ProcessState::Running { pid: Some(pid), .. } = seen.process else {
            panic!("{seen:?}");
        };
        let pid = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
        let exit = exit_of(&*process.runtime, spec.id).await;
        assert!(
            !exit.asked && exit.reason.contains("supervisor"),
            "{exit:?}"
        );
        if let Some(uid) = seen.uid {
            let wait = async {
                while !processes_of(uid).is_empty() {
                    tokio::task::yield_now().await;
                }
            };
            tokio::time::timeout(Duration::from_secs(10), wait)
                .await
                .expect("the instance goes too");
        }
        // And it can be started again.
        process.runtime.start(&spec, FENCE).await.unwrap();
        dialled(&*process.runtime, spec.id).await;
        process.runtime.stop(spec.id, GRACE, FENCE).await.unwrap();
    }
}

#[tokio::test]
async fn telling_the_supervisor_to_end_stops_its_instance_gracefully() {
    let process = Process::new(Bubblewrap::Auto);
    let spec = process.prepare(Behaviour::Echo).await;
    line(&process, &spec, "hello from the gateway").await;
    let seen = process.runtime.observe(spec.id).await.unwrap();
    let ProcessState::Running { pid: Some(pid), .. } = seen.process else {
        panic!("{seen:?}");
    };
    let pid = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    let exit = exit_of(&*process.runtime, spec.id).await;
    assert!(!exit.asked && exit.code == Some(0), "{exit:?}");
}

#[tokio::test]
async fn a_supervisor_that_cannot_be_asked_hides_no_other_instance() {
    let process = Process::new(Bubblewrap::Auto);
    let spec = process.prepare(Behaviour::Echo).await;
    line(&process, &spec, "hello from the gateway").await;
    let other = process.prepare(Behaviour::Echo).await;
    process.runtime.start(&other, FENCE).await.unwrap();
    // Something else answers in its place, in a language nobody speaks.
    let control = process.dirs(other.id).join("supervisor/control.sock");
    let moved = control.with_extension("moved");
    std::fs::rename(&control, &moved).unwrap();
    let liar = fractal_runtime::socket::listen(&control).unwrap();
    let task = tokio::spawn(async move {
        loop {
            let (mut stream, _) = liar.accept().await.unwrap();
            tokio::io::AsyncWriteExt::write_all(&mut stream, b"{\"protocol\":99,\"pid\":1}\n")
                .await
                .unwrap();
        }
    });
    let class = process.runtime.observe(other.id).await.unwrap_err().class;
    assert_eq!(class, ErrorClass::Unreachable);
    let listed = process.runtime.list().await.unwrap();
    assert_eq!(listed.len(), 2);
    assert!(
        listed
            .iter()
            .all(|seen| matches!(seen.process, ProcessState::Running { .. })),
        "{listed:?}"
    );
    task.abort();
    std::fs::rename(&moved, &control).unwrap();
    for id in [spec.id, other.id] {
        process.runtime.stop(id, GRACE, FENCE).await.unwrap();
    }
}

#[tokio::test]
async fn heartbeats_keep_an_instance_beyond_its_patience() {
    let process = Process::with(|settings| settings.ttl = Duration::from_secs(2));
    let spec = process.prepare(Behaviour::Echo).await;
    process.runtime.start(&spec, FENCE).await.unwrap();
    let began = std::time::Instant::now();
    while began.elapsed() < Duration::from_secs(5) {
        process.runtime.heartbeat().await.unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let seen = process.runtime.observe(spec.id).await.unwrap();
    assert!(
        matches!(seen.process, ProcessState::Running { .. }),
        "{seen:?}"
    );
    process.runtime.stop(spec.id, GRACE, FENCE).await.unwrap();
}

#[tokio::test]
async fn an_instance_that_wants_too_much_memory_is_killed_and_the_reason_says_so() {
    let process = Process::new(Bubblewrap::Auto);
    let capabilities = process.runtime.capabilities();
    if capabilities.memory != Enforcement::Enforced {
        // Without a control group of its own the runtime must say so, and not promise.
        assert!(
            capabilities
                .remarks
                .iter()
                .any(|remark| remark.contains("memory")),
            "{capabilities:?}"
        );
        return;
    }
    let mut spec = process.instance("greedy", document()).await;
    spec.limits.memory_bytes = Some(200 << 20);
    process.runtime.start(&spec, FENCE).await.unwrap();
    let exit = exit_of(&*process.runtime, spec.id).await;
    assert!(exit.out_of_memory && !exit.asked, "{exit:?}");
    assert!(exit.reason.contains("memory"), "{exit:?}");
}

#[tokio::test]
async fn secrets_do_not_reach_the_log() {
    let process = Process::new(Bubblewrap::Auto);
    let mut spec = process.instance("echo", document()).await;
    spec.redact.push("very-private-words".to_owned().into());
    let leak = "very-private-words and sk-abcdefghijklmnop1234";
    spec.env.push(("LEAK".to_owned(), leak.to_owned()));
    let line = line(&process, &spec, "the token is").await;
    assert_eq!(line, "the token is [redacted] and sk-[redacted]");
    process.runtime.stop(spec.id, GRACE, FENCE).await.unwrap();
}

#[tokio::test]
async fn without_a_word_from_the_control_plane_an_instance_stops_by_itself() {
    let process = Process::with(|settings| settings.ttl = Duration::from_secs(2));
    let spec = process.prepare(Behaviour::Echo).await;
    process.runtime.start(&spec, FENCE).await.unwrap();
    // The log is read from files, which the supervisor does not count as contact.
    logged(&process, &spec, "no control plane was heard of").await;
    let exit = exit_of(&*process.runtime, spec.id).await;
    assert!(!exit.asked && exit.code == Some(0), "{exit:?}");
}

#[tokio::test]
async fn a_control_plane_that_comes_later_is_waited_for() {
    let process = Process::new(Bubblewrap::Auto);
    let mut spec = process.instance("echo", document()).await;
    // Another instance, whose listener nobody serves yet.
    spec.id = fractal_clock::new_id(&fractal_clock::SystemClock, &fractal_clock::SystemEntropy);
    process.runtime.start(&spec, FENCE).await.unwrap();
    assert!(process.runtime.dial(spec.id).await.is_err());
    process.serve(&spec, document()).await;
    dialled(&*process.runtime, spec.id).await;
    let stopped = process.runtime.stop(spec.id, GRACE, FENCE).await.unwrap();
    assert_eq!(stopped, Stopped::Gracefully);
}

#[tokio::test]
async fn a_wrong_token_ends_the_start_with_a_readable_reason() {
    let process = Process::new(Bubblewrap::Auto);
    let mut spec = process.instance("echo", document()).await;
    spec.instance_token = "another".to_owned().into();
    process.runtime.start(&spec, FENCE).await.unwrap();
    let exit = exit_of(&*process.runtime, spec.id).await;
    assert_eq!(exit.code, Some(78));
    assert!(exit.reason.contains("403"), "{exit:?}");
}
