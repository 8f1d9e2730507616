//! Writes the configuration document and the workspace files into the home.
//!
//! The home belongs to the instance and its agents may have put anything there, so nothing here follows
//! a link, and a document that makes no sense is replaced instead of feared.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    os::{fd::OwnedFd, unix::fs::OpenOptionsExt as _},
    path::{Component, Path},
};

use rustix::fs::{AtFlags, Mode, OFlags};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

const DOCUMENT: &str = "openclaw.json";

/// What the control plane answers to `GET /api/internal/agent-config/{id}`.
#[derive(Serialize, Deserialize)]
pub struct AgentConfig {
    /// The revision, for the log.
    #[serde(default)]
    pub revision: Value,
    /// The part of the document that we own.
    pub config: Value,
    /// JSON pointers of what we own. They tell the control plane what to compare; the relay enforces all
    /// of `config`.
    #[serde(default)]
    pub owned: Vec<String>,
    /// JSON pointers of objects in which only what `config` names may be; the rest of the document is kept.
    #[serde(default)]
    pub exclusive: Vec<String>,
    /// Files of the workspaces.
    #[serde(default)]
    pub files: Vec<AgentFile>,
    /// The port the document tells the gateway to listen on.
    #[serde(default)]
    pub gateway_port: Option<u16>,
}

/// A file below the home.
#[derive(Serialize, Deserialize)]
pub struct AgentFile {
    /// Relative to the home.
    pub path: String,
    /// Its text.
    pub content: String,
    /// Whether an existing one is overwritten.
    #[serde(default)]
    pub replace: bool,
}

/// Writes everything. `localise` may put texts of the document right for this place.
///
/// # Errors
/// When a path leads out of the home or the disk refuses.
pub fn write_all(
    home: &Path,
    mut config: AgentConfig,
    localise: &dyn Fn(&str) -> Option<String>,
) -> io::Result<()> {
    for_each_text(&mut config.config, localise);
    write_document(home, config.config, &config.exclusive)?;
    for file in &config.files {
        write_file(home, file).map_err(|error| {
            io::Error::new(error.kind(), format!("cannot write {}: {error}", file.path))
        })?;
    }
    Ok(())
}

fn for_each_text(value: &mut Value, change: &dyn Fn(&str) -> Option<String>) {
    match value {
        Value::String(text) => {
            if let Some(changed) = change(text) {
                *text = changed;
            }
        }
        Value::Array(items) => items
            .iter_mut()
            .for_each(|item| for_each_text(item, change)),
        Value::Object(map) => map
            .values_mut()
            .for_each(|item| for_each_text(item, change)),
        _ => {}
    }
}

fn write_document(home: &Path, ours: Value, exclusive: &[String]) -> io::Result<()> {
    let path = home.join(DOCUMENT);
    let mut document = read_existing(&path).unwrap_or_else(|| Value::Object(Map::new()));
    for pointer in exclusive {
        keep_only(&mut document, &ours, pointer);
    }
    merge(&mut document, ours);
    // A gateway prefers an older copy of its own to a document it cannot read (`openclaw.md` section 8.1), and a copy keeps
    // variables of skills that were taken away since.
    forget_copies(home)?;
    let fresh = home.join(".openclaw.json.new");
    remove_if_there(&fresh)?;
    let mut file = File::options()
        .create_new(true)
        .write(true)
        .mode(0o600)
        .open(&fresh)?;
    file.write_all(&serde_json::to_vec_pretty(&document)?)?;
    file.sync_all()?;
    fs::rename(&fresh, &path)
}

/// The document that is there, if it is one. The gateway reads JSON5, but writes JSON.
fn read_existing(path: &Path) -> Option<Value> {
    let is_file = fs::symlink_metadata(path).is_ok_and(|meta| meta.is_file());
    let bytes = is_file.then(|| fs::read(path).ok())??;
    let value: Value = serde_json::from_slice(&bytes).ok()?;
    value.is_object().then_some(value)
}

fn forget_copies(home: &Path) -> io::Result<()> {
    for entry in fs::read_dir(home)? {
        let entry = entry?;
        let name = entry.file_name();
        let copy = name
            .to_str()
            .and_then(|name| name.strip_prefix(DOCUMENT))
            .is_some_and(|rest| rest.starts_with(".bak") || rest.starts_with(".last-good"));
        if copy {
            remove_if_there(&entry.path())?;
        }
    }
    Ok(())
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Removes from the object at `pointer` what `ours` does not name.
fn keep_only(document: &mut Value, ours: &Value, pointer: &str) {
    if let Some(Value::Object(there)) = document.pointer_mut(pointer) {
        let ours = ours.pointer(pointer).and_then(Value::as_object);
        there.retain(|key, _| ours.is_some_and(|ours| ours.contains_key(key)));
    }
}

/// Merges as RFC 7396 says: what `patch` names is enforced, the rest is kept, `null` removes.
fn merge(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(target) = target else {
        return;
    };
    for (key, value) in patch {
        if value.is_null() {
            target.shift_remove(&key);
        } else {
            merge(target.entry(key).or_insert(Value::Null), value);
        }
    }
}

/// Writes a file below the home; every folder on the way is opened without following links.
fn write_file(home: &Path, file: &AgentFile) -> io::Result<()> {
    let mut names = Vec::new();
    for component in Path::new(&file.path).components() {
        match component {
            Component::Normal(name) => names.push(name),
            Component::CurDir => {}
            _ => return Err(leads_out()),
        }
    }
    let Some(name) = names.pop() else {
        return Err(leads_out());
    };
    let folder = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::RDONLY;
    let mut place: OwnedFd = rustix::fs::open(home, folder, Mode::empty())?;
    for step in names {
        match rustix::fs::mkdirat(&place, step, Mode::from_raw_mode(0o700)) {
            Ok(()) | Err(rustix::io::Errno::EXIST) => {}
            Err(error) => return Err(error.into()),
        }
        place = rustix::fs::openat(&place, step, folder, Mode::empty())?;
    }
    let there = rustix::fs::statat(&place, name, AtFlags::SYMLINK_NOFOLLOW).is_ok();
    if there && !file.replace {
        return Ok(());
    }
    let fresh = format!(".{}.new", name.to_string_lossy());
    let _ = rustix::fs::unlinkat(&place, fresh.as_str(), AtFlags::empty());
    let create = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC;
    let opened = rustix::fs::openat(&place, fresh.as_str(), create, Mode::from_raw_mode(0o600))?;
    File::from(opened).write_all(file.content.as_bytes())?;
    Ok(rustix::fs::renameat(&place, fresh.as_str(), &place, name)?)
}

fn leads_out() -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidInput,
        "the path leads out of the home",
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn write(home: &Path, config: Value, files: Vec<AgentFile>) -> io::Result<()> {
        let config = AgentConfig {
            revision: Value::Null,
            config,
            owned: Vec::new(),
            exclusive: Vec::new(),
            files,
            gateway_port: None,
        };
        write_all(home, config, &|_| None)
    }

    fn file(path: &str, content: &str, replace: bool) -> AgentFile {
        AgentFile {
            path: path.to_owned(),
            content: content.to_owned(),
            replace,
        }
    }

    fn document(home: &Path) -> Value {
        serde_json::from_slice(&fs::read(home.join(DOCUMENT)).unwrap()).unwrap()
    }

    #[test]
    fn our_keys_are_enforced_and_all_others_are_kept() {
        let home = tempfile::tempdir().unwrap();
        let before = json!({"meta": {"v": 1}, "gateway": {"port": 1, "x": 2}, "agents": {"entries": {"theirs": {}}}});
        fs::write(home.path().join(DOCUMENT), before.to_string()).unwrap();
        let ours = json!({"gateway": {"port": 3}, "agents": {"entries": {"main": {}}}});
        write(home.path(), ours, Vec::new()).unwrap();
        assert_eq!(
            document(home.path()),
            json!({"meta": {"v": 1}, "gateway": {"port": 3, "x": 2}, "agents": {"entries": {"theirs": {}, "main": {}}}})
        );
    }

    #[test]
    fn where_only_ours_may_be_the_rest_goes() {
        let home = tempfile::tempdir().unwrap();
        let before = json!({
            "skills": {"entries": {"old": {"env": {"A": "secret"}}, "kept": {"env": {"B": "secret", "C": "old"}}}, "load": {}},
            "other": {"x": 1}
        });
        let with = |config: Value| AgentConfig {
            revision: Value::Null,
            config,
            owned: Vec::new(),
            exclusive: ["/skills/entries", "/skills/entries/kept/env", "/nowhere"]
                .map(str::to_owned)
                .to_vec(),
            files: Vec::new(),
            gateway_port: None,
        };
        fs::write(home.path().join(DOCUMENT), before.to_string()).unwrap();
        let ours = with(json!({"skills": {"entries": {"kept": {"env": {"C": "new"}}}}}));
        write_all(home.path(), ours, &|_| None).unwrap();
        assert_eq!(
            document(home.path()),
            json!({"skills": {"entries": {"kept": {"env": {"C": "new"}}}, "load": {}}, "other": {"x": 1}})
        );
        write_all(home.path(), with(json!({})), &|_| None).unwrap();
        assert_eq!(
            document(home.path()),
            json!({"skills": {"entries": {}, "load": {}}, "other": {"x": 1}})
        );
    }

    #[test]
    fn an_unreadable_document_is_replaced_together_with_its_copies() {
        let home = tempfile::tempdir().unwrap();
        for name in [DOCUMENT, "openclaw.json.bak.1", "openclaw.json.last-good"] {
            fs::write(home.path().join(name), "{ torn").unwrap();
        }
        write(home.path(), json!({"a": 1}), Vec::new()).unwrap();
        assert_eq!(document(home.path()), json!({"a": 1}));
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1);
    }

    #[test]
    fn the_gateways_copies_of_its_document_do_not_outlive_a_start() {
        let home = tempfile::tempdir().unwrap();
        for name in [DOCUMENT, "openclaw.json.bak", "openclaw.json.bak.2"] {
            fs::write(home.path().join(name), "{\"old\": \"secret\"}").unwrap();
        }
        write(home.path(), json!({"a": 1}), Vec::new()).unwrap();
        assert_eq!(document(home.path()), json!({"old": "secret", "a": 1}));
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_document_that_is_a_link_is_replaced_and_its_target_left_alone() {
        let home = tempfile::tempdir().unwrap();
        let other = home.path().join("other");
        fs::write(&other, "{\"b\": 1}").unwrap();
        std::os::unix::fs::symlink(&other, home.path().join(DOCUMENT)).unwrap();
        write(home.path(), json!({"a": 1}), Vec::new()).unwrap();
        assert_eq!(fs::read_to_string(&other).unwrap(), "{\"b\": 1}");
        assert_eq!(document(home.path()), json!({"a": 1}));
    }

    #[test]
    fn a_workspace_file_is_written_once_unless_it_is_to_be_replaced() {
        let home = tempfile::tempdir().unwrap();
        for (content, replace) in [("one", false), ("two", false)] {
            write(
                home.path(),
                json!({}),
                vec![file("ws/SOUL.md", content, replace)],
            )
            .unwrap();
        }
        assert_eq!(
            fs::read_to_string(home.path().join("ws/SOUL.md")).unwrap(),
            "one"
        );
        write(
            home.path(),
            json!({}),
            vec![file("ws/SOUL.md", "three", true)],
        )
        .unwrap();
        assert_eq!(
            fs::read_to_string(home.path().join("ws/SOUL.md")).unwrap(),
            "three"
        );
    }

    #[test]
    fn a_path_out_of_the_home_is_refused() {
        let home = tempfile::tempdir().unwrap();
        let inside = home.path().join("home");
        fs::create_dir(&inside).unwrap();
        std::os::unix::fs::symlink(home.path(), inside.join("link")).unwrap();
        for path in ["../x", "/x", "a/../../x", "link/x", ""] {
            assert!(
                write(&inside, json!({}), vec![file(path, "x", true)]).is_err(),
                "{path}"
            );
        }
        assert!(!home.path().join("x").exists());
    }

    fn documents() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            any::<i32>().prop_map(Value::from),
            "[a-z]{0,3}".prop_map(Value::from)
        ];
        leaf.prop_recursive(3, 20, 4, |inner| {
            prop::collection::hash_map("[a-c]", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect()))
        })
    }

    proptest! {
        #[test]
        fn merging_twice_changes_nothing_more(mut target in documents(), patch in documents()) {
            merge(&mut target, patch.clone());
            let once = target.clone();
            merge(&mut target, patch);
            prop_assert_eq!(target, once);
        }
    }
}
