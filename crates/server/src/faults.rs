//! Faults on purpose in the steps of operations, for tests that kill the real program. Builds for release have none of this.
//!
//! `FRACTAL_TEST_FAULTS` lists them, separated by commas, each as `KIND/STEP/GOING/FAULT`: `GOING` is `forward` or `back`, `FAULT` is one of
//! `dies-before` and `dies-after` (this process, as by `kill -9`) and `fails-after` (what the step did is there, and it says that it failed).

use std::{ffi::OsStr, sync::Arc, time::Duration};

use async_trait::async_trait;
use fractal_app::{App, operation};
use fractal_background::{
    JobHandler,
    operation::{At, Kind, Limits, Progress, Step, Trouble},
};
use fractal_store::{Operation, Tx};
use rustix::process::{Signal, getpid, kill_process};

const VARIABLE: &str = "FRACTAL_TEST_FAULTS";

/// Who carries operations out: with the faults that are asked for, if any are.
pub fn work(app: &App) -> Arc<dyn JobHandler> {
    let Some(asked) = std::env::var_os(VARIABLE) else {
        return operation::work(app);
    };
    let faults = parse(&asked).unwrap_or_else(|wrong| panic!("{VARIABLE}: {wrong}"));
    tracing::warn!("operations fail on purpose: {VARIABLE} is set");
    let faults: Arc<[Fault]> = faults.into();
    let kinds = operation::kinds(app).into_iter();
    let kinds = kinds.map(|kind| -> Arc<dyn Kind> {
        Arc::new(Faulty {
            kind,
            faults: Arc::clone(&faults),
        })
    });
    Arc::new(operation::work_with(
        app,
        kinds.collect(),
        Limits::default(),
    ))
}

/// How long others wait for one that dies of it: its next life should go on at once.
pub fn lease(usual: Duration) -> Duration {
    if std::env::var_os(VARIABLE).is_some() {
        return Duration::from_millis(500);
    }
    usual
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Going {
    Forward,
    Back,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    DiesBefore,
    DiesAfter,
    FailsAfter,
}

#[derive(Debug, PartialEq, Eq)]
struct Fault {
    kind: String,
    step: String,
    going: Going,
    what: What,
}

fn parse(asked: &OsStr) -> Result<Vec<Fault>, String> {
    let text = asked.to_str().ok_or("it is not UTF-8")?;
    let one = |one: &str| {
        let parts: Vec<&str> = one.split('/').collect();
        let [kind, step, going, what] = parts[..] else {
            return Err(format!("{one} is not KIND/STEP/GOING/FAULT"));
        };
        Ok(Fault {
            kind: kind.to_owned(),
            step: step.to_owned(),
            going: match going {
                "forward" => Going::Forward,
                "back" => Going::Back,
                _ => return Err(format!("{going} is neither forward nor back")),
            },
            what: match what {
                "dies-before" => What::DiesBefore,
                "dies-after" => What::DiesAfter,
                "fails-after" => What::FailsAfter,
                _ => {
                    return Err(format!(
                        "{what} is none of dies-before, dies-after, fails-after"
                    ));
                }
            },
        })
    };
    text.split(',').map(one).collect()
}

/// A kind with its faults.
#[derive(Debug)]
struct Faulty {
    kind: Arc<dyn Kind>,
    faults: Arc<[Fault]>,
}

impl Faulty {
    fn has(&self, step: &str, going: Going, what: What) -> bool {
        let name = self.kind.name();
        self.faults.iter().any(|one| {
            one.kind == name && one.step == step && one.going == going && one.what == what
        })
    }

    async fn go(&self, step: &'static str, going: Going, at: At<'_>) -> Result<Progress, Trouble> {
        if self.has(step, going, What::DiesBefore) {
            die();
        }
        let progress = match going {
            Going::Forward => self.kind.run(step, at).await?,
            Going::Back => self.kind.undo(step, at).await?,
        };
        if matches!(progress, Progress::Done(_)) {
            if self.has(step, going, What::DiesAfter) {
                die();
            }
            if self.has(step, going, What::FailsAfter) {
                return Err(Trouble::Lasting("a fault on purpose".into()));
            }
        }
        Ok(progress)
    }
}

/// Ends this process at once, with nothing done on the way out.
fn die() -> ! {
    let _ = kill_process(getpid(), Signal::KILL);
    loop {
        std::thread::park();
    }
}

#[async_trait]
impl Kind for Faulty {
    fn name(&self) -> &'static str {
        self.kind.name()
    }

    fn steps(&self) -> &'static [Step] {
        self.kind.steps()
    }

    fn takes_a_turn(&self) -> bool {
        self.kind.takes_a_turn()
    }

    async fn run(&self, step: &'static str, at: At<'_>) -> Result<Progress, Trouble> {
        self.go(step, Going::Forward, at).await
    }

    async fn undo(&self, step: &'static str, at: At<'_>) -> Result<Progress, Trouble> {
        self.go(step, Going::Back, at).await
    }

    async fn settle(&self, tx: &Tx, operation: &Operation) -> fractal_store::Result<()> {
        self.kind.settle(tx, operation).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_read_and_what_is_wrong_is_named() {
        let found = parse(OsStr::new(
            "key.rotate/move/forward/dies-after,instance.delete/stop/back/dies-before",
        ))
        .unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!(
            (found[0].going, found[0].what),
            (Going::Forward, What::DiesAfter)
        );
        assert_eq!(
            (found[1].kind.as_str(), found[1].step.as_str()),
            ("instance.delete", "stop")
        );
        for (text, named) in [
            ("key.rotate/move", "KIND/STEP/GOING/FAULT"),
            ("key.rotate/move/up/dies-after", "up"),
            ("key.rotate/move/back/sleeps", "sleeps"),
        ] {
            assert!(parse(OsStr::new(text)).unwrap_err().contains(named));
        }
    }
}
