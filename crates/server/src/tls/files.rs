//! The certificate and its key as files: what is wrong with them, and what they say.

use std::{fs, io::ErrorKind, os::unix::fs::PermissionsExt, path::Path, sync::Arc, time::Duration};

use anyhow::{Context, Result, anyhow};
use fractal_config::TlsFiles;
use fractal_types::Timestamp;
use rustls::{crypto::CryptoProvider, sign::CertifiedKey};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use x509_cert::{
    Certificate,
    der::Decode,
    ext::pkix::{SubjectAltName, name::GeneralName},
};

/// How long before its end a certificate is spoken of.
const SOON: Duration = Duration::from_secs(14 * 24 * 60 * 60);

/// A certificate that can be served with.
pub struct Pair {
    /// For handshakes.
    pub certified: Arc<CertifiedKey>,
    /// The certificate file as it was read, to tell whether it has changed.
    pub text: Vec<u8>,
    /// What it says.
    pub facts: Facts,
}

/// What a certificate says, and how well its key is kept.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Facts {
    /// The host names and addresses it is for.
    pub names: Vec<String>,
    /// From when it is valid.
    pub not_before: Option<Timestamp>,
    /// Until when it is valid.
    pub not_after: Option<Timestamp>,
    /// Whether every user of the machine can read the key.
    pub open_key: bool,
}

/// Reads both files and checks that they belong together.
///
/// # Errors
///
/// Names the file, what is wrong with it and the remedy.
pub fn read(files: &TlsFiles, provider: &CryptoProvider) -> Result<Pair> {
    let text = content(&files.certificate, "certificate", "tls.certificate")?;
    let shown = files.certificate.display();
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&text)
        .collect::<Result<_, _>>()
        .with_context(|| {
            format!("the TLS certificate {shown} is damaged; name a PEM file with tls.certificate")
        })?;
    let Some(first) = chain.first() else {
        return Err(anyhow!(
            "the TLS certificate {shown} holds no certificate in PEM form (-----BEGIN CERTIFICATE-----); `openssl x509` converts others"
        ));
    };
    let facts = Facts {
        open_key: fs::metadata(&files.key).is_ok_and(|file| file.permissions().mode() & 0o004 != 0),
        ..facts_of(first)
    };
    let key = content(&files.key, "key", "tls.key")?;
    let key = PrivateKeyDer::from_pem_slice(&key).map_err(|_| {
        anyhow!(
            "the TLS key {0} holds no private key in PEM form; one under a passphrase cannot be used, \
             `openssl pkey -in {0} -out FILE` writes it without",
            files.key.display()
        )
    })?;
    let certified = CertifiedKey::from_der(chain, key, provider).map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => anyhow!(
            "the TLS key {} does not belong to the certificate {shown}; name a pair that was issued together, the certificate of this \
             server first in its file",
            files.key.display()
        ),
        error => anyhow!(error).context(format!(
            "the TLS certificate {shown} cannot be used with the key {}; have it issued again",
            files.key.display()
        )),
    })?;
    Ok(Pair {
        certified: Arc::new(certified),
        text,
        facts,
    })
}

/// The bytes of one of the files.
pub fn content(path: &Path, what: &str, setting: &str) -> Result<Vec<u8>> {
    fs::read(path).map_err(|error| {
        let shown = path.display();
        match error.kind() {
            ErrorKind::NotFound => anyhow!(
                "the TLS {what} {shown} does not exist; correct {setting}, or leave out both tls.certificate and tls.key to serve plain \
                 HTTP"
            ),
            ErrorKind::PermissionDenied => anyhow!(
                "the TLS {what} {shown} cannot be read by this user; let the user that Fractal runs as read it"
            ),
            _ => anyhow!(error).context(format!(
                "the TLS {what} {shown} cannot be read; name a PEM file with {setting}"
            )),
        }
    })
}

/// What stands in a certificate; nothing where it cannot be understood, which handshakes need not mind.
fn facts_of(certificate: &CertificateDer<'_>) -> Facts {
    let Ok(certificate) = Certificate::from_der(certificate) else {
        return Facts::default();
    };
    let certificate = certificate.tbs_certificate;
    let at = |time: x509_cert::time::Time| {
        let micros = time.to_unix_duration().as_micros();
        i64::try_from(micros).ok().map(Timestamp::from_micros)
    };
    let names = certificate
        .get::<SubjectAltName>()
        .ok()
        .flatten()
        .map(|(_, names)| names.0.iter().filter_map(name).collect())
        .unwrap_or_default();
    Facts {
        names,
        not_before: at(certificate.validity.not_before),
        not_after: at(certificate.validity.not_after),
        open_key: false,
    }
}

fn name(name: &GeneralName) -> Option<String> {
    match name {
        GeneralName::DnsName(name) => Some(name.to_string()),
        GeneralName::IpAddress(bytes) => {
            let bytes = bytes.as_bytes();
            <[u8; 4]>::try_from(bytes)
                .map(std::net::IpAddr::from)
                .or_else(|_| <[u8; 16]>::try_from(bytes).map(std::net::IpAddr::from))
                .ok()
                .map(|address| address.to_string())
        }
        _ => None,
    }
}

impl Facts {
    /// What an operator should mend. None of it keeps the listener from serving: an old certificate is better than no service.
    #[must_use]
    pub fn warnings(&self, files: &TlsFiles, now: Timestamp) -> Vec<String> {
        let shown = files.certificate.display();
        let mut out = Vec::new();
        match (self.not_before, self.not_after) {
            (_, Some(end)) if end <= now => out.push(format!(
                "the TLS certificate {shown} expired on {}, so that browsers refuse it; renew it, a new one is taken over without a restart",
                day(end)
            )),
            (Some(begin), _) if begin > now => out.push(format!(
                "the TLS certificate {shown} is valid only from {} on, so that browsers refuse it; check the clock of this machine",
                day(begin)
            )),
            (_, Some(end)) if end.before(SOON) <= now => out.push(format!(
                "the TLS certificate {shown} expires on {}; renew it, a new one is taken over without a restart",
                day(end)
            )),
            _ => {}
        }
        if self.open_key {
            out.push(format!(
                "the TLS key {} can be read by every user of this machine; run `chmod o-r` on it",
                files.key.display()
            ));
        }
        out
    }
}

/// The day of a point in time, in UTC.
#[must_use]
pub fn day(at: Timestamp) -> String {
    at.to_string().chars().take(10).collect()
}
