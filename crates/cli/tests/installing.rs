//! `fractal serve` while its engine is being installed, with an npm that does what a test allows and no more.

mod machine;

use std::{fs, process::Command};

use machine::{FRACTAL, Machine, Running, executable};

#[test]
fn a_service_logs_a_line_per_phase_and_what_to_do_when_it_fails() {
    let machine = Machine::new();
    let mut command = machine.command(FRACTAL);
    command.arg("serve");
    let running = Running::start(command, None);
    running.until_said("Installing the engine: downloading, 0 of 3");
    machine.allow("unpack");
    let said = running.until_said("Installing the engine: unpacking, 1 of 3");
    assert!(said.contains("of 736 MiB"), "{said}");
    machine.allow("end");
    let said = running.until_said("npm cannot reach its registry");
    assert!(said.contains("check network, proxy"), "{said}");
    assert!(!said.contains('\r'), "no line moves in a log: {said}");
    let lines = said.matches("Installing the engine: downloading").count();
    assert_eq!(lines, 1, "one line per phase: {said}");
}

#[test]
fn on_a_terminal_one_line_moves() {
    if Command::new("script").arg("--version").output().is_err() {
        return fractal_testing::skipped("there is no `script` to make a terminal with");
    }
    let machine = Machine::new();
    let pid_file = machine.path("pid");
    let mut command = machine.command("script");
    command.args([
        "-qefc",
        &format!("echo $$ > {}; exec {FRACTAL} serve", pid_file.display()),
        "/dev/null",
    ]);
    let running = Running::start(command, Some(pid_file));
    running.until_said("\r\u{1b}[2KInstalling the engine: downloading, 0 of 3");
    machine.allow("unpack");
    running.until_said("\r\u{1b}[2KInstalling the engine: unpacking, 1 of 3");
    machine.allow("end");
    let said = running.until_said("npm cannot reach its registry");
    let before = said.split("npm cannot reach").next().unwrap_or_default();
    let moving = before.rfind("Installing the engine").unwrap();
    assert!(
        before[moving..].contains("\r\u{1b}[2K"),
        "the log line takes the place of the moving one: {said:?}"
    );
}

#[test]
fn a_named_engine_with_a_wrong_node_is_refused_by_both_versions() {
    let machine = Machine::new();
    let root = machine.path("own");
    let arch = if cfg!(target_arch = "aarch64") {
        "arm64"
    } else {
        "x64"
    };
    let bin = root.join(format!("node_modules/node-linux-{arch}/bin"));
    fs::create_dir_all(&bin).unwrap();
    fs::create_dir_all(root.join("node_modules/openclaw")).unwrap();
    fs::write(root.join("node_modules/openclaw/openclaw.mjs"), "").unwrap();
    executable(&bin.join("node"), "#!/bin/sh\necho v25.2.0\n");
    for by_flag in [true, false] {
        let mut command = machine.command(FRACTAL);
        command.arg("serve");
        if by_flag {
            command.arg("--engine").arg(&root);
        } else {
            command.env("FRACTAL_ENGINE", &root);
        }
        let said =
            Running::start(command, None).until_said("there is no engine to start agents with");
        for words in [
            "needs Node >=24.16.0 <25 || >=26.1.0",
            "is Node 25.2.0",
            "name another engine, or none",
        ] {
            assert!(said.contains(words), "{words}: {said}");
        }
    }
}
