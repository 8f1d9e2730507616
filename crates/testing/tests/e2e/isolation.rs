//! What an agent reaches with its own command tool, and what the host says about its processes.

use std::{
    fs,
    net::{TcpListener, TcpStream},
    os::unix::{fs::PermissionsExt as _, net::UnixStream},
    path::{Path, PathBuf},
};

use fractal_testing::{
    fake_provider::Behaviour,
    serve::{Peers, gateway_of, processes},
    skipped,
};
use serde_json::{Value, json};

use crate::people::{Resident, Story};

/// Runs inside: tries every path, address and socket it is given. It must not hold a single quote.
const PROBE: &str = r#"
const fs = require("fs"), net = require("net");
const ask = JSON.parse(Buffer.from(process.argv[1], "base64").toString());
const look = (path) => { try { return fs.statSync(path).isDirectory() ? "listed " + fs.readdirSync(path).length : "read " + fs.readFileSync(path).length; } catch (error) { return error.code; } };
const reach = (to) => new Promise((done) => {
  const socket = net.connect({ ...to, timeout: 4000 });
  socket.on("connect", () => { socket.destroy(); done("open"); });
  socket.on("timeout", () => { socket.destroy(); done("timeout"); });
  socket.on("error", (error) => done(error.code || "error"));
});
(async () => {
  const answer = { paths: {}, reached: {}, processes: [] };
  for (const path of ask.paths) answer.paths[path] = look(path);
  for (const to of ask.reach) answer.reached[to.path || to.host + ":" + to.port] = await reach(to);
  answer.listener = await fetch("http://127.0.0.1:" + ask.listener + "/api/internal/agent-config/nobody").then((r) => r.status, (e) => String(e));
  for (const pid of fs.readdirSync("/proc").filter((name) => /^[0-9]+$/.test(name))) try { answer.processes.push(fs.readFileSync("/proc/" + pid + "/cmdline").toString().split("\0").join(" ").slice(0, 300)); } catch {}
  answer.uid = process.getuid();
  console.log("PROBE" + JSON.stringify(answer) + "EBORP");
})();
"#;

/// The port inside that leads to the instance listener (`fractal_runtime::layout`).
const LISTENER_PORT: u16 = 18_790;

pub async fn from_inside_nothing_of_others_is_reached(story: &Story) {
    let (ada, bob, server) = (&story.ada, &story.bob, &story.server);
    let assets = ada.person.get("/api/v1/assets").await;
    let capabilities = &assets["items"][0]["capabilities"];
    if capabilities["isolation"] != "sandboxed" {
        return skipped(&format!(
            "no sandbox on this machine: {}",
            capabilities["remarks"]
        ));
    }
    let other = server.instance_dir(&bob.instance);
    let own = server.instance_dir(&ada.instance);
    // The claim removed it; here it lies as before the claim, and open to everybody.
    let setup_token = server.data_dir().join("setup-token");
    fs::write(&setup_token, "not the real one").unwrap();
    fs::set_permissions(&setup_token, fs::Permissions::from_mode(0o644)).unwrap();
    let mut paths = vec![
        server.data_dir(),
        server.config_dir(),
        setup_token.clone(),
        other.clone(),
        other.join("home"),
        other.join("home/openclaw.json"),
        other.join("listener/listener.sock"),
        own.join("supervisor"),
        "/etc/shadow".into(),
        "/root".into(),
    ];
    let mut files = files_of(&server.data_dir());
    assert!(
        !files.is_empty(),
        "the database is a file of the data folder"
    );
    let keys = files_of(&server.config_dir().join("keys"));
    assert!(!keys.is_empty(), "the secret key is a file");
    files.extend(keys);
    paths.extend(files);
    for path in &paths {
        assert!(path.exists(), "{}: nothing to be kept from", path.display());
    }
    let closed: Vec<String> = paths
        .iter()
        .map(|path| path.to_string_lossy().into_owned())
        .collect();

    // Things that do answer on the host, so that "unreachable" is not just "nobody home".
    let fake = ada.fake.root_url();
    let fake: u16 = fake.rsplit(':').next().unwrap().parse().unwrap();
    let mut reach = vec![
        json!({"host": "127.0.0.1", "port": server.port()}),
        json!({"host": "127.0.0.1", "port": fake}),
        json!({"host": "1.1.1.1", "port": 443}),
        json!({"host": "example.com", "port": 443}),
        json!({"host": "169.254.169.254", "port": 80}),
    ];
    for socket in [
        other.join("supervisor/gateway.sock"),
        other.join("listener/listener.sock"),
        own.join("supervisor/control.sock"),
    ] {
        UnixStream::connect(&socket).unwrap();
        reach.push(json!({"path": socket}));
    }
    // The machine's own address, where somebody listens.
    let mut listening = Vec::new();
    for address in host_addresses() {
        let listener = TcpListener::bind((address.as_str(), 0)).unwrap();
        let at = listener.local_addr().unwrap();
        TcpStream::connect(at).unwrap();
        reach.push(json!({"host": address, "port": at.port()}));
        listening.push(listener);
    }
    let wanted = reach.len();
    let mut ask = closed.clone();
    ask.push("/home/agent/openclaw.json".to_owned());
    let seen = probe(
        ada,
        &json!({"paths": ask, "reach": reach, "listener": LISTENER_PORT}),
    )
    .await;

    for path in &closed {
        let found = seen["paths"][path].as_str().unwrap();
        assert!(found == "ENOENT" || found == "EACCES", "{path}: {found}");
    }
    let own = seen["paths"]["/home/agent/openclaw.json"].as_str().unwrap();
    assert!(
        own.starts_with("read"),
        "the probe does see what is its own: {own}"
    );
    let reached = seen["reached"].as_object().unwrap();
    assert_eq!(reached.len(), wanted);
    for (to, how) in reached {
        assert_ne!(how, "open", "{to} is reached from inside");
    }
    assert!(
        matches!(seen["listener"].as_u64(), Some(400..=404)),
        "the instance listener answers and refuses: {}",
        seen["listener"]
    );
    fs::remove_file(setup_token).unwrap();
    for process in seen["processes"].as_array().unwrap() {
        let process = process.as_str().unwrap();
        assert!(!process.contains(&bob.instance), "{process}");
        assert!(!process.contains("fractal serve"), "{process}");
    }
}

fn files_of(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.path())
        .filter(|path| path.is_file())
        .collect()
}

/// Lets the agent run the probe with its command tool and reads what came of it at the provider.
async fn probe(resident: &Resident, ask: &Value) -> Value {
    let command = format!(
        "/opt/engine/node_modules/node/bin/node -e '{PROBE}' {}",
        base64(ask.to_string().as_bytes())
    );
    resident.fake.next(Behaviour::ToolThenAnswer {
        tool: "exec".to_owned(),
        args: json!({"command": command, "timeoutSeconds": 60}),
        answer: "unused".to_owned(),
    });
    resident.fake.next(Behaviour::Answer("looked".to_owned()));
    let reply = resident.say("probe", "Please look around.").await;
    assert_eq!(reply.text.as_deref(), Some("looked"), "{reply:?}");
    assert!(reply.tools.contains(&"exec".to_owned()), "{reply:?}");
    let call = resident.calls_about("Please look around.").pop().unwrap();
    let messages = call.body["messages"].as_array().unwrap();
    let result = messages
        .iter()
        .rfind(|message| message["role"] == "tool")
        .expect("the tool's result went to the model");
    let text = match &result["content"] {
        Value::String(text) => text.clone(),
        parts => parts[0]["text"].as_str().unwrap_or_default().to_owned(),
    };
    let inside = text
        .split_once("PROBE{")
        .and_then(|(_, rest)| rest.split_once("}EBORP"))
        .unwrap_or_else(|| panic!("the probe did not run: {text}"))
        .0;
    serde_json::from_str(&format!("{{{inside}}}")).unwrap()
}

/// Addresses of the host besides loopback.
fn host_addresses() -> Vec<String> {
    // The address a packet to the outside would carry; no packet is sent.
    let socket = std::net::UdpSocket::bind("0.0.0.0:0").unwrap();
    let outward = socket
        .connect("192.0.2.1:9")
        .and_then(|()| socket.local_addr());
    outward.map_or_else(|_| Vec::new(), |address| vec![address.ip().to_string()])
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let group = chunk
            .iter()
            .fold(0_u32, |sum, byte| sum << 8 | u32::from(*byte))
            << (8 * (3 - chunk.len()));
        for at in 0..4 {
            let letter = LETTERS[(group >> (18 - 6 * at) & 63) as usize];
            out.push(if at <= chunk.len() {
                char::from(letter)
            } else {
                '='
            });
        }
    }
    out
}

pub fn each_gateway_has_a_host_user_of_its_own(story: &Story, peers: &Peers) {
    let uid = |instance: &str| gateway_of(instance).expect("its gateway runs").uid;
    let (ada, bob) = (uid(&story.ada.instance), uid(&story.bob.instance));
    if !peers.is_root() {
        return skipped("only root can give each instance a host user of its own");
    }
    let server = processes()
        .into_iter()
        .find(|process| process.pid == story.server.pid())
        .expect("the server runs");
    assert_ne!(ada, bob);
    assert_ne!(ada, server.uid);
    assert_ne!(bob, server.uid);
}
