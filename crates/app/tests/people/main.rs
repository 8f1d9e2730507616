//! The rules about people: who gets in, how often they may try, who stays, and what ends when.

mod accounts;
mod erasure;
mod permissions;
mod sessions;
mod sign_in;
mod tokens;

use fractal_api_types::{CreateApiToken, CreateUser, Login, UpdateUser};
use fractal_app::{Context, user};
use fractal_testing::house::{House, PASSWORD, house, name};
use fractal_types::{Role, Scope, UserId};

const DAY: u64 = 24 * 60 * 60;

async fn claimed() -> (House, Context) {
    let house = house().await;
    let root = house.claim().await;
    let cx = house.context(&root).await;
    (house, cx)
}

fn person(who: &str, role: Role) -> CreateUser {
    CreateUser {
        username: name(who),
        display_name: None,
        role: Some(role),
        password: PASSWORD.into(),
    }
}

async fn add(house: &House, cx: &Context, who: &str, role: Role) -> UserId {
    user::create(&house.app, cx, person(who, role))
        .await
        .unwrap()
        .id
}

fn login(who: &str, password: &str) -> Login {
    Login {
        username: name(who),
        password: password.into(),
    }
}

fn role(role: Role) -> UpdateUser {
    UpdateUser {
        role: Some(role),
        ..UpdateUser::default()
    }
}

fn active(active: bool) -> UpdateUser {
    UpdateUser {
        active: Some(active),
        ..UpdateUser::default()
    }
}

fn script(scopes: Option<Vec<Scope>>) -> CreateApiToken {
    CreateApiToken {
        name: "script".parse().unwrap(),
        scopes,
        expires_in_days: Some(1),
    }
}
