//! What follows what, for whatever may come out of steps and whatever people choose.

use fractal_background::operation::{
    Event, Step,
    machine::{Choice, Machine, Outcome, TRIES},
};
use fractal_store::{Operation, OperationStep};
use fractal_types::{
    OperationId, OperationState, OrganizationId, StepId, StepState, Timestamp, UserId,
};
use proptest::prelude::*;
use serde_json::{Value, json};
use uuid::Uuid;

const fn step(name: &'static str, is_final: bool) -> Step {
    Step {
        name,
        limit: std::time::Duration::from_secs(60),
        is_final,
        asks: false,
    }
}

/// With one that asks when it fails, and a last one that has no way back.
const KIND: [Step; 4] = [
    step("a", false),
    step("b", false).asking(),
    step("c", false),
    step("d", true),
];

struct Rows {
    row: Operation,
    steps: Vec<OperationStep>,
    now: i64,
}

impl Rows {
    fn new() -> Self {
        let id = OperationId::from_uuid(Uuid::from_u128(1));
        let steps = KIND.iter().zip(0..).map(|(kind, number)| OperationStep {
            id: StepId::from_uuid(Uuid::from_u128(u128::from(number))),
            operation_id: id,
            number,
            name: kind.name.to_owned(),
            state: StepState::Pending,
            output: Value::Null,
            error: None,
            attempts: 0,
            started_at: None,
            ended_at: None,
            undone_at: None,
        });
        Self {
            row: Operation {
                id,
                organization_id: OrganizationId::from_uuid(Uuid::from_u128(2)),
                user_id: UserId::from_uuid(Uuid::from_u128(3)),
                kind: "test".into(),
                resource_kind: "instance".into(),
                resource_id: "one".into(),
                runtime_asset_id: None,
                actor: Value::Null,
                proposal_id: None,
                request_id: None,
                input: Value::Null,
                state: OperationState::Pending,
                stuck_undoing: false,
                step: 0,
                fence: 0,
                cancelled_by: None,
                reason: None,
                created_at: Timestamp::from_micros(0),
                started_at: None,
                settled_at: None,
            },
            steps: steps.collect(),
            now: 0,
        }
    }

    fn machine(&mut self) -> Machine<'_> {
        self.now += 1;
        Machine {
            row: &mut self.row,
            steps: &mut self.steps,
            kind: &KIND,
            now: Timestamp::from_micros(self.now),
        }
    }

    fn states(&self) -> Vec<StepState> {
        self.steps.iter().map(|step| step.state).collect()
    }

    fn check(&self, before: OperationState) {
        use StepState::{Done, Failed, Pending, Running, Skipped, Undoing, Undone};

        let (state, steps) = (self.row.state, self.states());
        if state != before {
            // One call may go through a state: a skip goes on, and that may be the end.
            let direct = before.may_become(state);
            assert!(direct, "{before} -> {state}");
        }
        assert_eq!(state.is_settled(), self.row.settled_at.is_some());
        let (worked, current) = steps.split_at(self.row.step as usize);
        match state {
            OperationState::Pending => assert!(steps.iter().all(|one| *one == Pending)),
            OperationState::Done => {
                assert!(steps.iter().all(|one| matches!(one, Done | Skipped)));
            }
            OperationState::Undone => {
                let gone = |one: &StepState| matches!(one, Pending | Undone | Skipped);
                assert!(steps.iter().all(gone), "{steps:?}");
                assert!(self.row.reason.is_some());
            }
            OperationState::Running => {
                assert!(worked.iter().all(|one| matches!(one, Done | Skipped)));
                assert_eq!(current[0], Running);
                assert!(current[1..].iter().all(|one| *one == Pending));
            }
            OperationState::Undoing => {
                assert!(worked.iter().all(|one| matches!(one, Done | Skipped)));
                assert_eq!(current[0], Undoing);
                let gone = |one: &StepState| matches!(one, Pending | Undone | Skipped);
                assert!(current[1..].iter().all(gone), "{steps:?}");
                assert_eq!(steps[3], Pending, "what has no way back is not taken back");
            }
            OperationState::Stuck => assert_eq!(current[0], Failed),
        }
    }
}

#[derive(Debug, Clone)]
enum Act {
    Outcome(Outcome),
    Choice(Choice),
    HeedCancel,
}

fn acts() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => Just(Act::Outcome(Outcome::Done(json!({"n": 1})))),
        3 => Just(Act::Outcome(Outcome::Passing("busy".into()))),
        2 => Just(Act::Outcome(Outcome::Lasting("broken".into()))),
        1 => Just(Act::Choice(Choice::Cancel { by: "ada".into() })),
        2 => Just(Act::HeedCancel),
        2 => Just(Act::Choice(Choice::Retry)),
        1 => Just(Act::Choice(Choice::Skip)),
        1 => Just(Act::Choice(Choice::Undo)),
    ]
}

proptest! {
    #[test]
    fn whatever_happens_the_rows_make_sense(acts in proptest::collection::vec(acts(), 1..60)) {
        let mut rows = Rows::new();
        rows.check(OperationState::Pending);
        let mut ends = 0;
        for act in acts {
            let before = rows.row.state;
            let was = (rows.row.clone(), rows.steps.clone());
            let events = match act {
                Act::Outcome(outcome) => match before {
                    OperationState::Pending => {
                        rows.machine().begin();
                        Vec::new()
                    }
                    OperationState::Running | OperationState::Undoing => rows.machine().advance(outcome),
                    _ => continue,
                },
                Act::HeedCancel => rows.machine().heed_cancel(),
                Act::Choice(choice) => {
                    let chosen = rows.machine().choose(&choice);
                    if chosen.is_err() {
                        prop_assert_eq!((&rows.row, &rows.steps), (&was.0, &was.1), "a refusal changes nothing");
                    }
                    chosen.unwrap_or_default()
                }
            };
            rows.check(before);
            ends += events.iter().filter(|event| matches!(event, Event::Done | Event::Undone)).count();
            prop_assert_eq!(ends, usize::from(rows.row.state.is_settled()), "it ends once");
        }
    }

    #[test]
    fn every_operation_ends_when_nothing_goes_wrong_any_more(acts in proptest::collection::vec(acts(), 0..40)) {
        let mut rows = Rows::new();
        for act in acts {
            match (act, rows.row.state) {
                (_, OperationState::Pending) => rows.machine().begin(),
                (Act::Outcome(outcome), OperationState::Running | OperationState::Undoing) => {
                    rows.machine().advance(outcome);
                }
                (Act::Choice(choice), _) => {
                    let _ = rows.machine().choose(&choice);
                }
                _ => {}
            }
        }
        for _ in 0..2 * KIND.len() + 2 {
            match rows.row.state {
                OperationState::Pending => rows.machine().begin(),
                OperationState::Stuck => {
                    rows.machine().choose(&Choice::Retry).unwrap();
                }
                OperationState::Running | OperationState::Undoing => {
                    rows.machine().heed_cancel();
                    rows.machine().advance(Outcome::Done(Value::Null));
                }
                _ => {}
            }
        }
        prop_assert!(rows.row.state.is_settled(), "{:?} {:?}", rows.row.state, rows.states());
    }
}

#[test]
fn what_may_pass_is_tried_a_few_times_and_then_taken_back() {
    let mut rows = Rows::new();
    rows.machine().begin();
    for n in 1..TRIES {
        let events = rows.machine().advance(Outcome::Passing("busy".into()));
        assert_eq!((events.len(), rows.steps[0].attempts), (0, n));
    }
    let events = rows.machine().advance(Outcome::Passing("busy".into()));
    assert!(
        matches!(&events[..], [Event::StepFailed { .. }, Event::Undoing { why }] if why == "busy")
    );
}

#[test]
fn after_a_step_without_a_way_back_it_gets_stuck_and_is_not_cancelled() {
    let mut rows = Rows::new();
    rows.machine().begin();
    for _ in 0..3 {
        rows.machine().advance(Outcome::Done(Value::Null));
    }
    let cancel = Choice::Cancel { by: "ada".into() };
    assert!(rows.machine().choose(&cancel).is_err());
    rows.machine().advance(Outcome::Lasting("broken".into()));
    assert_eq!(rows.row.state, OperationState::Stuck);
    assert!(rows.machine().choose(&Choice::Undo).is_err());
    rows.machine().choose(&Choice::Skip).unwrap();
    assert_eq!(rows.row.state, OperationState::Done);
}
