//! Questions to providers that are under way: who asks the same meanwhile gets the same answer.
//!
//! Nothing is kept beyond the answer. Asking a provider takes two requests of up to seconds, and a sign-in can be begun by anybody, so
//! without this a flood of beginnings would be a flood at the provider, in our name.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use fractal_connect::AddressRule;
use futures::{
    FutureExt,
    future::{BoxFuture, Shared, WeakShared},
};
use openidconnect::core::CoreProviderMetadata;

use super::OidcError;

type Answer = Result<CoreProviderMetadata, OidcError>;
type Question = Shared<BoxFuture<'static, Answer>>;
type Open = HashMap<(String, AddressRule), WeakShared<BoxFuture<'static, Answer>>>;

/// Questions under way. Cheap to clone; clones share them.
#[derive(Clone, Default)]
pub struct Discoveries(Arc<Mutex<Open>>);

impl fmt::Debug for Discoveries {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Discoveries").finish_non_exhaustive()
    }
}

impl Discoveries {
    /// Waits for the question that is under way, or asks this one. It is dropped with the last who waits for it.
    pub(super) async fn join(
        &self,
        issuer: &str,
        rule: AddressRule,
        ask: BoxFuture<'static, Answer>,
    ) -> Answer {
        let question: Question = {
            let mut open = self.lock();
            // What was answered or given up is forgotten here.
            open.retain(|_, one| one.upgrade().is_some_and(|one| one.peek().is_none()));
            let key = (issuer.to_owned(), rule);
            match open.get(&key).and_then(WeakShared::upgrade) {
                Some(question) => question,
                None => {
                    let question = ask.shared();
                    if let Some(weak) = question.downgrade() {
                        open.insert(key, weak);
                    }
                    question
                }
            }
        };
        question.await
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn those_who_ask_at_the_same_time_share_one_question_and_the_next_asks_anew() {
        let (discoveries, asked) = (Discoveries::default(), Arc::new(AtomicUsize::new(0)));
        let ask = |rule| {
            let asked = asked.clone();
            let question = async move {
                asked.fetch_add(1, Ordering::SeqCst);
                tokio::task::yield_now().await;
                Err(OidcError::Description)
            };
            discoveries.join("https://id.example.org", rule, question.boxed())
        };
        let strict = AddressRule::default();
        let lax = AddressRule {
            allow_private: true,
        };
        let (one, two, three) = tokio::join!(ask(strict), ask(strict), ask(lax));
        for answer in [one, two, three] {
            assert!(matches!(answer, Err(OidcError::Description)));
        }
        assert_eq!(
            asked.load(Ordering::SeqCst),
            2,
            "who may reach less does not share with who may reach more"
        );
        drop(ask(strict).await);
        assert_eq!(asked.load(Ordering::SeqCst), 3);
        assert_eq!(discoveries.lock().len(), 1);
        let _ = ask(lax).await;
        assert_eq!(discoveries.lock().len(), 1, "what was answered is gone");
    }
}
