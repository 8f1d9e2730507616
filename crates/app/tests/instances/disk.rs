//! What an instance's files take beside what they may.

use fractal_api_types::{CreateUser, InstanceView, ProblemCode, SetInstanceLimits};
use fractal_app::{Context, instance, user};
use fractal_testing::house::{PASSWORD, name};
use fractal_types::{DiskPressure, InstanceId, Role, SeenState, StopReason, WantedState};

use crate::support::{Home, home};

const GIB: u64 = 1 << 30;

impl Home {
    /// The limit is five GiB, so that a twentieth of it is a quarter of one.
    async fn takes(&self, id: InstanceId, bytes: u64) {
        self.house.runtime.set_disk(id, Some(bytes));
        // Longer than the pause between two looks at sizes.
        self.house.pass(20);
        self.go_on().await;
    }

    async fn view(&self, id: InstanceId) -> InstanceView {
        instance::view(&self.house.app, &self.cx, id).await.unwrap()
    }

    /// The marks that were passed, as the log has them.
    async fn marks(&self) -> Vec<String> {
        let log = self.house.log("instance.disk").await;
        log.iter()
            .map(|one| {
                format!(
                    "{} -> {}",
                    one.values["from"].as_str().unwrap(),
                    one.values["disk_pressure"].as_str().unwrap()
                )
            })
            .collect()
    }
}

#[tokio::test]
async fn nine_tenths_are_told_once_and_forgotten_only_when_there_is_clearly_room_again() {
    let home = home().await;
    let id = home.ready("ada").await;
    assert_eq!(home.view(id).await.disk_pressure, DiskPressure::Ok);
    for part in [46, 44, 46] {
        home.takes(id, GIB * part / 10).await;
        let view = home.view(id).await;
        assert_eq!(view.disk_pressure, DiskPressure::Near);
        assert!(view.seen.answers(), "it goes on");
        let reason = view.reason.unwrap();
        for words in ["of the 5.0 GiB", "delete", "administrator raise the limit"] {
            assert!(reason.contains(words), "{reason}");
        }
    }
    assert!(home.view(id).await.reason.unwrap().contains("4.5 GiB"));
    home.takes(id, GIB * 4).await;
    let view = home.view(id).await;
    assert_eq!((view.disk_pressure, view.reason), (DiskPressure::Ok, None));
    assert_eq!(home.marks().await, ["ok -> near", "near -> ok"]);
}

#[tokio::test]
async fn at_its_limit_an_instance_is_stopped_with_reason_and_remedy_and_no_message_wakes_it() {
    let home = home().await;
    let id = home.ready("ada").await;
    home.takes(id, GIB * 5).await;
    home.until_seen(id, SeenState::Stopped).await;
    let row = home.row(id).await;
    assert_eq!(
        (row.wanted, row.stop_reason),
        (WantedState::Stopped, Some(StopReason::Disk))
    );
    let view = home.view(id).await;
    assert_eq!(view.disk_pressure, DiskPressure::Full);
    let reason = view.reason.unwrap();
    for words in [
        "it was stopped, because its files take 5.0 GiB of the 5.0 GiB",
        "administrator raise the limit",
        "delete files",
    ] {
        assert!(reason.contains(words), "{reason}");
    }
    assert_eq!(home.marks().await, ["ok -> full"]);
    let stop = home.house.log("instance.stop").await;
    assert_eq!(stop.last().unwrap().values["cause"], "disk");
    let (chat, _) = home.chat(id);
    home.go_on().await;
    assert_eq!(chat.await.unwrap().unwrap_err(), "instance-stopped");
    assert_eq!(home.starts(id), 1);
}

#[tokio::test]
async fn a_running_turn_ends_before_its_instance_is_stopped() {
    let home = home().await;
    let id = home.ready("ada").await;
    let busy = instance::note_use(&home.house.app, id);
    home.takes(id, GIB * 51 / 10).await;
    assert!(home.view(id).await.seen.answers());
    drop(busy);
    home.house.app.wake_instance(id);
    home.until_seen(id, SeenState::Stopped).await;
    assert_eq!(home.marks().await, ["ok -> near", "near -> full"]);
    // Far beyond is stopped whatever it does.
    let other = home.ready("bob").await;
    let _busy = instance::note_use(&home.house.app, other);
    home.takes(other, GIB * 6).await;
    home.until_seen(other, SeenState::Stopped).await;
}

#[tokio::test]
async fn whoever_starts_it_again_has_a_tenth_to_clean_up_in() {
    let home = home().await;
    let id = home.ready("ada").await;
    home.takes(id, GIB * 5).await;
    home.until_seen(id, SeenState::Stopped).await;
    let start = async || {
        instance::start(&home.house.app, &home.cx, id)
            .await
            .unwrap();
    };
    start().await;
    home.until_seen(id, SeenState::Ready).await;
    home.takes(id, GIB * 54 / 10).await;
    let view = home.view(id).await;
    assert!(view.seen.answers());
    assert!(view.reason.unwrap().contains("it is stopped again"));
    home.takes(id, GIB * 56 / 10).await;
    home.until_seen(id, SeenState::Stopped).await;
    start().await;
    home.house.runtime.set_disk(id, Some(GIB * 4));
    home.until_seen(id, SeenState::Ready).await;
    home.takes(id, GIB * 4).await;
    assert_eq!(home.view(id).await.disk_pressure, DiskPressure::Ok);
    assert_eq!(home.marks().await, ["ok -> full", "full -> ok"]);
}

#[tokio::test]
async fn administrators_raise_the_limit_and_members_do_not() {
    let home = home().await;
    let app = &home.house.app;
    let body = CreateUser {
        username: name("bob"),
        display_name: None,
        role: Some(Role::Member),
        password: PASSWORD.into(),
    };
    user::create(app, &home.cx, body).await.unwrap();
    let bob: Context = home.house.sign_in("bob").await;
    let id = home.ready("ada").await;
    home.takes(id, GIB * 5).await;
    home.until_seen(id, SeenState::Stopped).await;
    let raise = |gib: u64| SetInstanceLimits {
        disk_bytes: gib * GIB,
    };
    let own = fractal_api_types::CreateInstance {
        name: "own".parse().unwrap(),
        engine_id: None,
        start: Some(false),
    };
    let own = instance::create(app, &bob, own).await.unwrap().0.id;
    for (whose, code) in [(own, ProblemCode::Forbidden), (id, ProblemCode::NotFound)] {
        let refused = instance::set_limits(app, &bob, whose, raise(10)).await;
        assert_eq!(refused.unwrap_err().code, code);
    }
    let wrong = instance::set_limits(app, &home.cx, id, raise(0)).await;
    assert_eq!(wrong.unwrap_err().fields[0].field, "/disk_bytes");
    let view = instance::set_limits(app, &home.cx, id, raise(10))
        .await
        .unwrap();
    assert_eq!(view.limits.disk_bytes, Some(10 * GIB));
    assert_eq!(view.disk_pressure, DiskPressure::Ok, "told at once");
    assert_eq!(view.reason, None);
    assert_eq!(home.marks().await, ["ok -> full", "full -> ok"]);
    let log = home.house.log("instance.set_limits").await;
    let outcomes: Vec<&str> = log.iter().map(|one| one.entry.outcome.as_str()).collect();
    assert_eq!(outcomes, ["refused", "refused", "done"]);
    // A raised limit starts nothing by itself: it is not known whether somebody still wants it.
    home.go_on().await;
    assert_eq!(home.row(id).await.seen, SeenState::Stopped);
    instance::start(app, &home.cx, id).await.unwrap();
    home.until_seen(id, SeenState::Ready).await;
}

#[tokio::test]
async fn a_run_that_has_not_measured_yet_keeps_what_was_known() {
    let home = home().await;
    let id = home.ready("ada").await;
    home.takes(id, GIB * 46 / 10).await;
    home.house.runtime.set_disk(id, None);
    home.house.pass(20);
    home.go_on().await;
    let view = home.view(id).await;
    assert_eq!(view.disk_bytes, Some(GIB * 46 / 10));
    assert_eq!(view.disk_pressure, DiskPressure::Near);
}
