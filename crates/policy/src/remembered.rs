//! Answers to whole lists of questions, such as "what may I do?", which a page asks at every load.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use fractal_types::Actor;

use crate::{Action, Circumstances, Resource};

/// More people than are active at a time; beyond it everything is forgotten and asked anew, which costs little.
const MOST: usize = 2_000;

/// Everything a decision depends on besides the policies themselves.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Question {
    actor: Actor,
    asked: Vec<(Action, Resource)>,
    circumstances: Circumstances,
}

#[derive(Debug, Default)]
pub(crate) struct Remembered(Mutex<HashMap<Question, Arc<[Action]>>>);

impl Remembered {
    pub(crate) fn get_or(
        &self,
        actor: &Actor,
        asked: &[(Action, Resource)],
        circumstances: Circumstances,
        decide: impl FnOnce() -> Arc<[Action]>,
    ) -> Arc<[Action]> {
        let question = Question {
            actor: actor.clone(),
            asked: asked.to_vec(),
            circumstances,
        };
        let lock = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = lock().get(&question) {
            return known.clone();
        }
        // Not under the lock: others need not wait for it, and two who ask the same at once get the same.
        let answer = decide();
        let mut known = lock();
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(question, answer.clone());
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_does_not_grow_for_ever() {
        let remembered = Remembered::default();
        let organization = uuid::Uuid::from_u128(1).into();
        let actor = Actor::system(organization);
        for n in 0..3 * MOST as u128 {
            let asked = [(
                Action::UserList,
                Resource::Organization(uuid::Uuid::from_u128(n).into()),
            )];
            let _ = remembered.get_or(&actor, &asked, Circumstances::default(), || [].into());
        }
        assert!(remembered.0.lock().unwrap().len() <= MOST);
    }
}
