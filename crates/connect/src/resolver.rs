//! Names to addresses, once per connection and judged before anybody connects.

use std::{
    collections::HashMap,
    fmt, io,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex},
};

use crate::{AddressKind, AddressRule, Refusal};

/// What turns a name into addresses.
#[async_trait::async_trait]
pub trait Resolver: Send + Sync + fmt::Debug + 'static {
    /// All addresses of a name.
    ///
    /// # Errors
    /// When the name is unknown or the name service does not answer.
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>>;
}

/// The machine's own name service.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemResolver;

#[async_trait::async_trait]
impl Resolver for SystemResolver {
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        let found = tokio::net::lookup_host((host, 0)).await?;
        Ok(found.map(|address| address.ip()).collect())
    }
}

/// Names for tests. A name with several answers gives one after the other and then keeps the last,
/// which is how a rebinding name service behaves.
#[derive(Debug, Default)]
pub struct FakeResolver(Mutex<HashMap<String, Vec<Vec<IpAddr>>>>);

impl FakeResolver {
    /// Adds an answer for a name.
    #[must_use]
    pub fn with(self, host: &str, addresses: &[IpAddr]) -> Self {
        self.0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .entry(host.to_owned())
            .or_default()
            .push(addresses.to_vec());
        self
    }
}

#[async_trait::async_trait]
impl Resolver for FakeResolver {
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        let mut names = self
            .0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        match names.get_mut(host) {
            Some(answers) if answers.len() > 1 => Ok(answers.remove(0)),
            Some(answers) => Ok(answers.first().cloned().unwrap_or_default()),
            None => Err(io::Error::new(io::ErrorKind::NotFound, "no such name")),
        }
    }
}

/// The resolver the HTTP library sees: what it returns is what is connected to, so there is no gap
/// between judging an address and using it.
#[derive(Debug, Clone)]
pub(crate) struct Judging {
    pub(crate) names: Arc<dyn Resolver>,
    pub(crate) rule: AddressRule,
}

impl reqwest::dns::Resolve for Judging {
    fn resolve(&self, name: reqwest::dns::Name) -> reqwest::dns::Resolving {
        let this = self.clone();
        Box::pin(async move {
            let found = this.names.resolve(name.as_str()).await?;
            // One bad address condemns the name: taking only the good ones would let a name
            // service choose the moment at which the bad one is tried.
            if let Some(bad) = found.iter().find(|address| !this.rule.permits(**address)) {
                return Err(Refusal::Address(AddressKind::of(*bad)).into());
            }
            if found.is_empty() {
                return Err(
                    io::Error::new(io::ErrorKind::NotFound, "the name has no address").into(),
                );
            }
            let addresses = found.into_iter().map(|address| SocketAddr::new(address, 0));
            Ok(Box::new(addresses) as reqwest::dns::Addrs)
        })
    }
}
