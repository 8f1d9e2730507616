//! `fractal keys export`: the master key under a passphrase, as text that survives paper and mail.

use argon2::{Algorithm, Argon2, Params, Version};
use base64::{Engine, engine::general_purpose::STANDARD};
use fractal_clock::{Entropy, random};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use crate::{MasterKey, cipher};

const BEGIN: &str = "-----BEGIN FRACTAL KEY-----";
const END: &str = "-----END FRACTAL KEY-----";
const FORMAT: u8 = 1;
const SALT: usize = 16;
const MIN_PASSPHRASE: usize = 12;
/// Format 1 is Argon2id with 64 MiB, 3 passes, 1 lane (RFC 9106 section 4, second choice, with one lane): an export may be
/// attacked offline for years, so it costs more than a login.
const MEMORY_KIB: u32 = 64 * 1024;
const PASSES: u32 = 3;

/// An export that cannot be made or read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PassphraseError {
    /// Too short.
    #[error("the passphrase must have at least 12 characters")]
    TooShort,
    /// Not an export, or one cut off.
    #[error(
        "this is not an exported key; it begins with -----BEGIN FRACTAL KEY----- and ends with -----END FRACTAL KEY-----"
    )]
    Format,
    /// Wrong passphrase or changed text.
    #[error("the exported key does not open; the passphrase is wrong or the text was changed")]
    Refused,
}

/// Wraps the master key under a passphrase. Takes about a tenth of a second and 64 MiB: call it off the async threads.
///
/// # Errors
/// [`PassphraseError::TooShort`].
pub fn export_master_key(
    key: &MasterKey,
    passphrase: &SecretString,
    entropy: &dyn Entropy,
) -> Result<String, PassphraseError> {
    if passphrase.expose_secret().chars().count() < MIN_PASSPHRASE {
        return Err(PassphraseError::TooShort);
    }
    let mut head = vec![FORMAT];
    head.extend_from_slice(&key.generation().to_be_bytes());
    head.extend_from_slice(&random::<SALT>(entropy));
    let wrapping = derive(passphrase, &head[5..])?;
    let sealed = cipher::seal(&wrapping, &associated_data(&head), key.bytes(), entropy);
    head.extend(sealed);
    let text = STANDARD.encode(head);
    let mut out = format!("{BEGIN}\n");
    for line in text.as_bytes().chunks(64) {
        // Base64 is ASCII, so every cut is on a character.
        out.push_str(&String::from_utf8_lossy(line));
        out.push('\n');
    }
    out.push_str(END);
    out.push('\n');
    Ok(out)
}

/// Opens an exported master key.
///
/// # Errors
/// [`PassphraseError::Format`] or [`PassphraseError::Refused`].
pub fn import_master_key(
    text: &str,
    passphrase: &SecretString,
) -> Result<MasterKey, PassphraseError> {
    let (_, rest) = text.split_once(BEGIN).ok_or(PassphraseError::Format)?;
    let (body, _) = rest.split_once(END).ok_or(PassphraseError::Format)?;
    let body: String = body.split_whitespace().collect();
    let bytes = STANDARD.decode(body).map_err(|_| PassphraseError::Format)?;
    let (head, sealed) = bytes
        .split_at_checked(5 + SALT)
        .ok_or(PassphraseError::Format)?;
    if head[0] != FORMAT {
        return Err(PassphraseError::Format);
    }
    let generation = u32::from_be_bytes([head[1], head[2], head[3], head[4]]);
    let wrapping = derive(passphrase, &head[5..])?;
    let plain =
        cipher::open(&wrapping, &associated_data(head), sealed).map_err(|error| match error {
            cipher::OpenError::Format => PassphraseError::Format,
            _ => PassphraseError::Refused,
        })?;
    let bytes = plain
        .as_slice()
        .try_into()
        .map_err(|_| PassphraseError::Format)?;
    Ok(MasterKey::from_bytes(bytes, generation))
}

fn associated_data(head: &[u8]) -> Vec<u8> {
    [b"fractal key export 1".as_slice(), head].concat()
}

fn derive(passphrase: &SecretString, salt: &[u8]) -> Result<Zeroizing<[u8; 32]>, PassphraseError> {
    let params =
        Params::new(MEMORY_KIB, PASSES, 1, Some(32)).map_err(|_| PassphraseError::Format)?;
    let mut out = Zeroizing::new([0; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(passphrase.expose_secret().as_bytes(), salt, &mut *out)
        .map_err(|_| PassphraseError::Format)?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use fractal_clock::SeededEntropy;

    use super::*;

    #[test]
    fn an_exported_key_comes_back_only_with_its_passphrase() {
        let entropy = SeededEntropy::new(1);
        let key = MasterKey::generate(4, &entropy);
        let passphrase = "correct horse battery".into();
        let text = export_master_key(&key, &passphrase, &entropy).unwrap();
        assert!(text.lines().all(|line| line.len() <= 64));
        // Mail clients indent and re-wrap.
        let mangled = format!("hello\n> ignored\n{}", text.replace('\n', "\r\n  "));
        let back = import_master_key(&mangled, &passphrase).unwrap();
        assert_eq!(back.bytes(), key.bytes());
        assert_eq!(back.generation(), 4);
        assert_eq!(
            import_master_key(&text, &"wrong horse battery".into()).unwrap_err(),
            PassphraseError::Refused
        );
    }

    #[test]
    fn what_is_no_export_is_refused() {
        let passphrase: SecretString = "correct horse battery".into();
        for bad in [
            "",
            BEGIN,
            &format!("{BEGIN}{END}"),
            &format!("{BEGIN}\nAAAA\n{END}"),
            &format!("{BEGIN}\n*\n{END}"),
        ] {
            assert_eq!(
                import_master_key(bad, &passphrase).unwrap_err(),
                PassphraseError::Format
            );
        }
        let entropy = SeededEntropy::new(1);
        let key = MasterKey::generate(1, &entropy);
        assert_eq!(
            export_master_key(&key, &"short".into(), &entropy).unwrap_err(),
            PassphraseError::TooShort
        );
    }
}
