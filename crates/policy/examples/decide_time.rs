//! How long one decision takes: `cargo run --release -p fractal-policy --example decide_time`.
//! The target is 20 microseconds (design section 12).

use std::{hint::black_box, time::Instant};

use fractal_policy::{Action, PolicySet, Resource};
use fractal_types::{Actor, InstanceId, OrganizationId, Principal, Role, UserId, Via};
use uuid::Uuid;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let id = Uuid::from_u128;
    let policies = PolicySet::builtin()?;
    let organization = OrganizationId::from_uuid(id(1));
    let actor = Actor {
        principal: Principal::User(UserId::from_uuid(id(2))),
        organization_id: organization,
        role: Some(Role::Member),
        via: Via::Browser,
        scopes: None,
    };
    let own = Resource::Instance {
        id: Some(InstanceId::from_uuid(id(3))),
        owner: UserId::from_uuid(id(2)),
        organization,
    };
    for (label, action) in [("allowed", Action::ChatSend), ("refused", Action::ModelUse)] {
        let mut nanos: Vec<u128> = (0..20_000)
            .map(|_| {
                let began = Instant::now();
                black_box(policies.decide(black_box(&actor), action, &own));
                began.elapsed().as_nanos()
            })
            .collect();
        nanos.sort_unstable();
        println!(
            "{label}: p50 {} ns, p99 {} ns",
            nanos[10_000], nanos[19_800]
        );
    }
    Ok(())
}
