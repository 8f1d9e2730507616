//! TLS of the main listener: a certificate from two files, taken over anew when they change.

mod files;
mod stream;
#[cfg(test)]
mod tests;

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::Duration,
};

use anyhow::Result;
use fractal_clock::SharedClock;
use fractal_config::TlsFiles;
use fractal_types::Timestamp;
use rustls::{
    ServerConfig,
    crypto::{CryptoProvider, ring},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use tokio::signal::unix::Signal;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use files::{Facts, Pair, day};
pub use stream::TlsListener;

/// How often the certificate file is looked at.
const LOOK: Duration = Duration::from_secs(10);

/// The certificate in force, and how to replace it.
#[derive(Debug)]
pub struct Tls {
    files: TlsFiles,
    clock: SharedClock,
    provider: Arc<CryptoProvider>,
    config: Arc<ServerConfig>,
    shown: Arc<Shown>,
    /// What the log has heard already.
    said: Mutex<Vec<String>>,
}

/// What handshakes show.
struct Shown(RwLock<Pair>);

impl fmt::Debug for Shown {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Shown")
    }
}

impl Shown {
    fn with<T>(&self, look: impl FnOnce(&Pair) -> T) -> T {
        look(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl ResolvesServerCert for Shown {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.with(|pair| pair.certified.clone()))
    }
}

impl Tls {
    /// Reads certificate and key.
    ///
    /// # Errors
    ///
    /// Names the file, what is wrong with it and the remedy.
    pub fn load(files: TlsFiles, clock: SharedClock) -> Result<Self> {
        let provider = Arc::new(ring::default_provider());
        let shown = Arc::new(Shown(RwLock::new(files::read(&files, &provider)?)));
        let mut config = ServerConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(shown.clone());
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let tls = Self {
            files,
            clock,
            provider,
            config: Arc::new(config),
            shown,
            said: Mutex::default(),
        };
        tls.measure();
        Ok(tls)
    }

    /// Shakes hands with the certificate in force at that moment.
    #[must_use]
    pub fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.config.clone())
    }

    /// What an operator should mend.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let now = self.clock.now();
        self.shown
            .with(|pair| pair.facts.warnings(&self.files, now))
    }

    /// Takes over a new certificate when its file has changed, or at once when the process is told to (SIGHUP). Connections go on as
    /// they are. One that cannot be used is refused, and the earlier one stays in force.
    pub async fn watch(self: Arc<Self>, mut hangup: Signal, stop: CancellationToken) {
        for warning in self.warnings() {
            self.say(warning);
        }
        loop {
            let told = tokio::select! {
                received = hangup.recv() => received.is_some(),
                () = self.clock.sleep(LOOK) => false,
                () = stop.cancelled() => return,
            };
            let tls = self.clone();
            let look = move || tls.look(told);
            if let Err(error) = tokio::task::spawn_blocking(look).await {
                tracing::warn!("the TLS certificate could not be looked at: {error}");
            }
        }
    }

    fn look(&self, told: bool) {
        if told {
            self.said
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clear();
        }
        match self.take_over(told) {
            Ok(true) => {
                tracing::info!(
                    certificate = %self.files.certificate.display(),
                    "the TLS certificate was read anew; connections go on"
                );
                self.measure();
            }
            Ok(false) => {}
            Err(error) => self.say(format!(
                "the earlier TLS certificate stays in force: {error:#}"
            )),
        }
        for warning in self.warnings() {
            self.say(warning);
        }
    }

    /// Reads the files when the certificate is another one, or when forced. Whether they were read.
    fn take_over(&self, forced: bool) -> Result<bool> {
        let text = files::content(&self.files.certificate, "certificate", "tls.certificate")?;
        if !forced && self.shown.with(|pair| pair.text == text) {
            return Ok(false);
        }
        let pair = files::read(&self.files, &self.provider)?;
        *self.shown.0.write().unwrap_or_else(PoisonError::into_inner) = pair;
        Ok(true)
    }

    /// Warns of something once.
    fn say(&self, what: String) {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if !said.contains(&what) {
            tracing::warn!("{what}");
            said.push(what);
        }
    }

    fn measure(&self) {
        if let Some(end) = self.shown.with(|pair| pair.facts.not_after) {
            // A gauge is a float; exact to the second until far beyond any certificate's end.
            let seconds = (end.as_millis() / 1000) as f64;
            metrics::gauge!("fractal_tls_certificate_ends_seconds").set(seconds);
        }
    }
}

/// What `fractal doctor` says about the certificate.
#[derive(Debug, Clone)]
pub struct TlsReport {
    /// The certificate of the server, in DER.
    pub certificate: Vec<u8>,
    /// For whom and until when it is, in words.
    pub finding: String,
    /// What an operator should mend.
    pub warnings: Vec<String>,
}

/// Looks at certificate and key without serving.
///
/// # Errors
///
/// As [`Tls::load`].
pub fn inspect_tls(files: &TlsFiles, now: Timestamp) -> Result<TlsReport> {
    let pair = files::read(files, &ring::default_provider())?;
    let Facts {
        names, not_after, ..
    } = &pair.facts;
    let names = if names.is_empty() {
        "no host name".to_owned()
    } else {
        names.join(", ")
    };
    let until = not_after.map_or_else(String::new, |end| format!(", until {}", day(end)));
    Ok(TlsReport {
        certificate: pair
            .certified
            .cert
            .first()
            .map(|first| first.to_vec())
            .unwrap_or_default(),
        finding: format!("the main listener serves HTTPS for {names}{until}"),
        warnings: pair.facts.warnings(files, now),
    })
}
