//! Turns outlive the browser that began them, but not the person's right to them.

use std::sync::Arc;

use fractal_app::{App, chat, session::Revoked};
use fractal_proxy::chat::ChatHub;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

/// Stops the turns of people who are suspended, deleted or given a new password, and those that a new role does not allow.
///
/// A turn that begins after its person was looked up and before this hears of them is refused on its own way: it is known to the
/// hub before it asks [`fractal_app::instance::ensure_ready`].
pub async fn stop_turns(app: App, chat: Arc<ChatHub>, stop: CancellationToken) {
    let mut revocations = app.revocations();
    let may_go_on = |actor, instance| {
        let app = app.clone();
        async move {
            chat::may_go_on(&app, &actor, instance)
                .await
                .unwrap_or_else(|error| {
                    tracing::warn!("whether a turn may go on could not be looked up: {error}");
                    true
                })
        }
    };
    loop {
        let revoked = tokio::select! {
            revoked = revocations.recv() => revoked,
            () = stop.cancelled() => return,
        };
        match revoked {
            Ok(Revoked::User(id)) => chat.stop_all_of(id),
            Ok(Revoked::Changed(id)) => chat.stop_unless(Some(id), may_go_on).await,
            // Signing one browser out leaves the turn to the person's others.
            Ok(Revoked::Session(_) | Revoked::Token(_)) => {}
            Err(RecvError::Lagged(_)) => chat.stop_unless(None, may_go_on).await,
            Err(RecvError::Closed) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use fractal_api_types::{
        ChatEvent, ChatRequest, CreateInstance, CreateUser, ResetPassword, UpdateUser,
    };
    use fractal_app::{Context, instance, user};
    use fractal_proxy::chat::RunHandle;
    use fractal_testing::{
        data_plane,
        house::{House, PASSWORD, house, name},
    };
    use fractal_types::{Role, UserId};
    use futures::StreamExt;

    use super::*;

    struct Office {
        house: House,
        root: Context,
        chat: Arc<ChatHub>,
    }

    async fn office() -> Office {
        let house = house().await;
        let root = house.claim().await;
        let root = house.context(&root).await;
        data_plane::installed_engine(&house.app).await;
        let chat = data_plane::chat_hub(&house.app);
        let stop = CancellationToken::new();
        let watch = stop_turns(house.app.clone(), chat.clone(), stop);
        tokio::spawn(watch);
        // It listens before anything happens.
        tokio::task::yield_now().await;
        Office { house, root, chat }
    }

    impl Office {
        async fn person(&self, who: &str) -> (UserId, Context) {
            let body = CreateUser {
                username: name(who),
                display_name: None,
                role: Some(Role::Admin),
                password: PASSWORD.into(),
            };
            let made = user::create(&self.house.app, &self.root, body).await;
            (made.unwrap().id, self.house.sign_in(who).await)
        }

        /// A turn that waits for its agent for ever.
        async fn turn(&self, cx: &Context) -> RunHandle {
            let body = CreateInstance {
                name: "agent".parse().unwrap(),
                engine_id: None,
                start: None,
            };
            let (agent, _) = instance::create(&self.house.app, cx, body).await.unwrap();
            let request = ChatRequest {
                message: Some("hello".into()),
                ..ChatRequest::default()
            };
            let run = self.chat.start(cx.actor.clone(), agent.id, request);
            run.unwrap()
        }

        async fn update(&self, id: UserId, body: UpdateUser) {
            user::update(&self.house.app, &self.root, id, body)
                .await
                .unwrap();
        }
    }

    /// The last event of a turn that ends.
    async fn last(run: &RunHandle) -> ChatEvent {
        let all = run.events().collect::<Vec<_>>();
        let patience = std::time::Duration::from_secs(20);
        let all = tokio::time::timeout(patience, all).await;
        all.expect("the turn ends").pop().unwrap().1
    }

    fn is_running(office: &Office, run: &RunHandle) -> bool {
        let instance = office.chat.instance_of(run.id()).unwrap();
        office.chat.active(instance) == 1
    }

    #[tokio::test]
    async fn a_turn_ends_with_the_suspension_deletion_or_reset_of_its_person_and_no_others_does() {
        let office = office().await;
        let (_, bystander) = office.person("eve").await;
        let others = office.turn(&bystander).await;
        for (who, how) in [("ada", "suspended"), ("bob", "deleted"), ("cyn", "reset")] {
            let (id, cx) = office.person(who).await;
            let run = office.turn(&cx).await;
            match how {
                "suspended" => {
                    let body = UpdateUser {
                        active: Some(false),
                        ..UpdateUser::default()
                    };
                    office.update(id, body).await;
                }
                "deleted" => user::delete(&office.house.app, &office.root, id)
                    .await
                    .unwrap(),
                _ => {
                    let password = "another good password".into();
                    let body = ResetPassword { password };
                    user::reset_password(&office.house.app, &office.root, id, body)
                        .await
                        .unwrap();
                }
            }
            let end = last(&run).await;
            assert!(
                matches!(
                    end,
                    ChatEvent::Final { aborted: true, .. } | ChatEvent::Error { .. }
                ),
                "{how}: {end:?}"
            );
        }
        assert!(is_running(&office, &others));
    }

    #[tokio::test]
    async fn a_turn_goes_on_when_the_new_role_of_its_person_allows_it() {
        let office = office().await;
        let (id, cx) = office.person("ada").await;
        let run = office.turn(&cx).await;
        let body = UpdateUser {
            role: Some(Role::Member),
            ..UpdateUser::default()
        };
        office.update(id, body).await;
        // Told after the other, so this one's end means that the other was looked at.
        let (second, cx) = office.person("bob").await;
        let ends = office.turn(&cx).await;
        let body = UpdateUser {
            active: Some(false),
            ..UpdateUser::default()
        };
        office.update(second, body).await;
        last(&ends).await;
        assert!(is_running(&office, &run));
    }
}
