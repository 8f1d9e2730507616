//! Looking at rules, putting them in force, and going back.

use std::sync::Arc;

use async_trait::async_trait;
use fractal_api_types::{
    CheckPolicy, FieldError, PolicyCheck, PolicyFinding, PolicyTest, PolicyTestResult, PolicyView,
    ProblemCode, UpdatePolicy,
};
use fractal_policy::{
    Action, FindingSeverity, Outcome, PolicySet, Question, Resource, check as checked,
};
use fractal_store::{PageRequest, PolicyVersion, Tx, policy_versions, users};
use fractal_types::Role;

use super::{InForce, decision_view, sketch, tests_of, view};
use crate::{
    App, Context, Error, Result,
    approval::meet,
    change::{Change, Door, submit},
};

/// The longest text of rules, in bytes.
const LONGEST_TEXT: usize = 200_000;

/// The most tests.
const MOST_TESTS: usize = 200;

/// The longest comment, in characters.
const LONGEST_COMMENT: usize = 500;

/// Says what rules are worth, and how their tests go.
///
/// # Errors
///
/// Names a test that makes no sense; see [`App::require`].
pub async fn check(app: &App, cx: &Context, body: CheckPolicy) -> Result<PolicyCheck> {
    app.require(cx, Action::PolicyView, &Resource::Settings)?;
    let tests = match body.tests {
        Some(tests) => tests,
        None => present_tests(app).await?,
    };
    Ok(examined(app, body.text, tests).await?.0)
}

/// Puts rules in force. They must be sound, pass their tests, and let their author change them again.
///
/// # Errors
///
/// Names what is wrong and where; `conflict` when another version is in force than the one they were written over; see [`submit`].
pub async fn update(app: &App, cx: &Context, body: UpdatePolicy) -> Result<PolicyView> {
    let tests = match body.tests {
        Some(tests) => tests,
        None => present_tests(app).await?,
    };
    let comment = body.comment.unwrap_or_default();
    if comment.chars().count() > LONGEST_COMMENT {
        return Err(Error::field("/comment", "is longer than 500 characters"));
    }
    // Rules of somebody who may not change them are not looked at; the door refuses and records it.
    let allowed = app.may(cx, Action::PolicyUpdate, &Resource::Settings);
    let set = if allowed {
        let (found, set) = examined(app, body.text.clone(), tests.clone()).await?;
        let Some(set) = set.filter(|_| found.ok) else {
            return Err(refused(&found));
        };
        for action in [Action::PolicyUpdate, Action::PolicyView] {
            let again = set.decide_in(&cx.actor, action, &Resource::Settings, cx.circumstances());
            let possible = match &again.outcome {
                Outcome::Allow => true,
                // Only if there is somebody to approve it.
                Outcome::NeedsApproval(demands) => meet(demands, &others(app, cx).await?),
                Outcome::Deny(_) => false,
            };
            if !possible {
                return Err(Error::field(
                    "/text",
                    format!(
                        "would lock you out: {} would keep you from reading or changing the rules again; except owners from it",
                        again.determining.join(", ")
                    ),
                ));
            }
        }
        Some(set)
    } else {
        None
    };
    let change = Put {
        action: Action::PolicyUpdate,
        base: Some(body.base_version),
        examined: set.is_some(),
        text: body.text,
        tests,
        comment,
    };
    let version = submit(app, cx, change).await?;
    if let Some(set) = set {
        app.policies.put(Arc::new(InForce { version, set }));
    }
    view(app, cx).await
}

/// The roles of everybody else who may act.
async fn others(app: &App, cx: &Context) -> Result<Vec<Role>> {
    let (mut request, mut roles) = (PageRequest::default(), Vec::new());
    loop {
        let page = users::list(&app.store.read(), app.organization_id, &request).await?;
        let others = (page.items.into_iter())
            .filter(|user| user.active && Some(user.id) != cx.actor.user_id());
        roles.extend(others.map(|user| user.role));
        request.after = page.next_cursor;
        if request.after.is_none() {
            return Ok(roles);
        }
    }
}

/// Goes back to the built-in rules; how the rules stand then.
///
/// # Errors
///
/// See [`submit`].
pub async fn reset(app: &App, cx: &Context) -> Result<PolicyView> {
    let change = Put {
        action: Action::PolicyReset,
        base: None,
        examined: true,
        text: String::new(),
        tests: Vec::new(),
        comment: "reset".to_owned(),
    };
    let version = submit(app, cx, change).await?;
    let set = PolicySet::builtin().map_err(Error::internal)?;
    app.policies.put(Arc::new(InForce { version, set }));
    view(app, cx).await
}

/// The tests of the version in force.
async fn present_tests(app: &App) -> Result<Vec<PolicyTest>> {
    let row = policy_versions::find_latest(&app.store.read(), app.organization_id).await?;
    Ok(row.as_ref().map_or_else(Vec::new, tests_of))
}

/// Refuses a text that would take long to compile.
pub(super) fn bounded(text: &str) -> Result<()> {
    if text.len() > LONGEST_TEXT {
        return Err(Error::field("/text", "is longer than 200000 bytes"));
    }
    Ok(())
}

/// What rules are worth, and the compiled rules when they are sound. Compiling takes milliseconds, so it is done aside.
async fn examined(
    app: &App,
    text: String,
    tests: Vec<PolicyTest>,
) -> Result<(PolicyCheck, Option<PolicySet>)> {
    bounded(&text)?;
    if tests.len() > MOST_TESTS {
        return Err(Error::field("/tests", "are more than 200"));
    }
    let mut questions = Vec::new();
    for (number, test) in tests.iter().enumerate() {
        let at = format!("/tests/{number}");
        if !(1..=200).contains(&test.name.chars().count()) {
            return Err(Error::field(
                format!("{at}/name"),
                "must be 1 to 200 characters",
            ));
        }
        questions.push(sketch::question(
            app.organization_id,
            &format!("{at}/request"),
            &test.request,
            &sketch::Known::default(),
        )?);
    }
    let examine = move || examine(&text, &tests, &questions);
    tokio::task::spawn_blocking(examine)
        .await
        .map_err(Error::internal)?
}

fn examine(
    text: &str,
    tests: &[PolicyTest],
    questions: &[Question],
) -> Result<(PolicyCheck, Option<PolicySet>)> {
    let found = checked(text).map_err(Error::internal)?;
    let mut check = PolicyCheck {
        ok: found.is_sound(),
        policies: found.policies,
        findings: found
            .findings
            .into_iter()
            .map(|finding| PolicyFinding {
                severity: match finding.severity {
                    FindingSeverity::Error => "error",
                    FindingSeverity::Warning => "warning",
                }
                .to_owned(),
                line: finding.line as u64,
                column: finding.column as u64,
                policy: finding.policy,
                message: finding.message,
                help: finding.help,
            })
            .collect(),
        tests: Vec::new(),
    };
    if !check.ok {
        return Ok((check, None));
    }
    let set = PolicySet::with_extra(text).map_err(Error::internal)?;
    for (test, question) in tests.iter().zip(questions) {
        let decision = decision_view(&set.answer(question));
        check.tests.push(PolicyTestResult {
            name: test.name.clone(),
            ok: decision.outcome == test.expect,
            expect: test.expect,
            decision,
        });
    }
    check.ok = check.tests.iter().all(|test| test.ok);
    Ok((check, Some(set)))
}

/// Every finding and failed test, each at its place.
fn refused(check: &PolicyCheck) -> Error {
    let mut error = Error::new(ProblemCode::InvalidFields);
    for finding in check.findings.iter().filter(|one| one.severity == "error") {
        let help = finding
            .help
            .as_ref()
            .map_or_else(String::new, |help| format!("; {help}"));
        error.fields.push(FieldError {
            field: "/text".into(),
            message: format!(
                "line {}, column {}: {}{help}",
                finding.line, finding.column, finding.message
            ),
        });
    }
    for (number, test) in check.tests.iter().enumerate().filter(|(_, test)| !test.ok) {
        error.fields.push(FieldError {
            field: format!("/tests/{number}"),
            message: format!(
                "\"{}\" expects {:?}, but the answer is {:?} by {}",
                test.name,
                test.expect,
                test.decision.outcome,
                if test.decision.policies.is_empty() {
                    "no rule".to_owned()
                } else {
                    test.decision.policies.join(", ")
                }
            ),
        });
    }
    error
}

struct Put {
    action: Action,
    /// The version it was written over; none for going back, which is right over any.
    base: Option<u64>,
    /// Whether the text was found sound.
    examined: bool,
    text: String,
    tests: Vec<PolicyTest>,
    comment: String,
}

#[async_trait]
impl Change for Put {
    type Output = u64;

    fn action(&self) -> Action {
        self.action
    }

    async fn resource(&self, _tx: &Tx, _cx: &Context) -> Result<Resource> {
        Ok(Resource::Settings)
    }

    async fn apply(&self, door: &Door<'_>) -> Result<u64> {
        let app = door.app;
        if !self.examined {
            // The door decides by what is true now: their role, or the rules, have changed since it was asked before.
            return Err(
                Error::conflict("your permission to change access rules has just changed")
                    .remedy("try again"),
            );
        }
        let latest = policy_versions::latest_number(door.tx, app.organization_id).await?;
        if self.base.is_some_and(|base| base != latest) {
            return Err(Error::conflict(format!(
                "version {latest} of the access rules was put in force meanwhile"
            ))
            .remedy("read it, and make your change over it"));
        }
        let number = latest + 1;
        let row = PolicyVersion {
            id: app.new_id(),
            organization_id: app.organization_id,
            number,
            text: self.text.clone(),
            tests: serde_json::to_value(&self.tests).map_err(Error::internal)?,
            comment: self.comment.clone(),
            author: door.cx.actor.user_id(),
            created_at: app.clock.now(),
        };
        policy_versions::insert(door.tx, &row).await?;
        door.note("version", number);
        door.note("text", self.text.as_str());
        door.note("tests", self.tests.len());
        door.note("comment", self.comment.as_str());
        Ok(number)
    }
}
