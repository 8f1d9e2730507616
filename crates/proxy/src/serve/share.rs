//! How many of a listener's connections one client may have.

use std::{
    collections::HashMap,
    fmt,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

use fractal_connect::network;

use super::Said;

/// A client's share is never less than this: a browser opens half a dozen, and a household has several.
const LEAST: usize = 16;

/// What one client may take: a quarter of the places.
#[derive(Clone)]
pub struct Share {
    exempt: Arc<dyn Fn(IpAddr) -> bool + Send + Sync>,
}

impl fmt::Debug for Share {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Share")
    }
}

impl Share {
    /// Bounds everybody but this machine, and whom `exempt` names: behind a reverse proxy's address are many people.
    #[must_use]
    pub fn new(exempt: impl Fn(IpAddr) -> bool + Send + Sync + 'static) -> Self {
        Self {
            exempt: Arc::new(move |address| address.is_loopback() || exempt(address)),
        }
    }

    /// Counts for a listener with so many places.
    pub(super) fn of(self, places: usize, name: &'static str) -> Shares {
        Shares {
            exempt: self.exempt,
            most: (places / 4).max(LEAST),
            taken: Arc::default(),
            name,
            said: Said::default(),
        }
    }
}

/// How many connections are open, by network.
type Taken = Arc<Mutex<HashMap<IpAddr, usize>>>;

/// Who has how many.
pub(super) struct Shares {
    exempt: Arc<dyn Fn(IpAddr) -> bool + Send + Sync>,
    most: usize,
    taken: Taken,
    name: &'static str,
    said: Said,
}

impl Shares {
    /// One more for this client, unless it has its share already.
    pub(super) fn take(&mut self, peer: IpAddr) -> Option<Part> {
        let peer = peer.to_canonical();
        if (self.exempt)(peer) {
            return Some(Part(None));
        }
        let network = network(peer);
        {
            let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
            let open = taken.entry(network).or_default();
            if *open < self.most {
                *open += 1;
                return Some(Part(Some((Arc::clone(&self.taken), network))));
            }
        }
        if self.said.is_due() {
            tracing::warn!(
                listener = self.name,
                %network,
                connections = self.most,
                "one client has a quarter of this listener's connections open and gets no more; if it is a reverse proxy, \
                 name it as a trusted one"
            );
        }
        None
    }
}

/// A connection that counts as long as this lives.
#[derive(Debug)]
pub(super) struct Part(Option<(Taken, IpAddr)>);

impl Drop for Part {
    fn drop(&mut self) {
        let Some((taken, network)) = self.0.take() else {
            return;
        };
        let mut taken = taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(open) = taken.get_mut(&network) {
            *open -= 1;
            if *open == 0 {
                taken.remove(&network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_network_gets_a_quarter_and_what_it_gives_back_it_may_take_again() {
        let mut shares = Share::new(|_| false).of(400, "test");
        let mut parts: Vec<_> = (0..100)
            .map(|n| shares.take(address(&format!("2001:db8::{n}"))).unwrap())
            .collect();
        assert!(shares.take(address("2001:db8::ffff")).is_none());
        assert!(shares.take(address("2001:db8:0:1::1")).is_some());
        assert!(shares.take(address("203.0.113.1")).is_some());
        parts.pop();
        assert!(shares.take(address("2001:db8::ffff")).is_some());
        parts.clear();
        assert!(
            shares.taken.lock().unwrap().is_empty(),
            "who left is not remembered"
        );
    }

    #[test]
    fn who_carries_everybody_is_not_bounded() {
        let proxy = address("10.0.0.1");
        let mut shares = Share::new(move |peer| peer == proxy).of(4, "test");
        for peer in ["127.0.0.1", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1"] {
            let parts: Vec<_> = (0..100).map(|_| shares.take(address(peer))).collect();
            assert!(parts.iter().all(Option::is_some), "{peer}");
        }
        let parts: Vec<_> = (0..17).map(|_| shares.take(address("10.0.0.2"))).collect();
        assert_eq!(parts.iter().flatten().count(), 16);
    }
}
