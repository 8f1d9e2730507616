//! Signatures of webhooks, as Standard Webhooks 1.0 spells them, so that receivers verify with a library they have.
//!
//! Signed are the message's id, the second of the attempt and the body, joined by dots; the secret is `whsec_` and base64.

use base64::{Engine, engine::general_purpose::STANDARD};
use fractal_clock::{Entropy, random};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use zeroize::Zeroizing;

const PREFIX: &str = "whsec_";

/// A new secret of 256 bits.
#[must_use]
pub fn webhook_secret(entropy: &dyn Entropy) -> SecretString {
    let bytes = Zeroizing::new(random::<32>(entropy));
    format!("{PREFIX}{}", STANDARD.encode(*bytes)).into()
}

/// The value of the header `webhook-signature`; `None` when the secret is not one.
#[must_use]
pub fn webhook_signature(
    secret: &SecretString,
    id: &str,
    second: i64,
    body: &[u8],
) -> Option<String> {
    let key = secret.expose_secret().strip_prefix(PREFIX)?;
    let key = Zeroizing::new(STANDARD.decode(key).ok()?);
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).ok()?;
    mac.update(format!("{id}.{second}.").as_bytes());
    mac.update(body);
    Some(format!(
        "v1,{}",
        STANDARD.encode(mac.finalize().into_bytes())
    ))
}

#[cfg(test)]
mod tests {
    use fractal_clock::SeededEntropy;

    use super::*;

    /// The example of the specification's reference libraries.
    #[test]
    fn the_signature_is_the_one_other_libraries_compute() {
        let secret = SecretString::from("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let signature = webhook_signature(
            &secret,
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            br#"{"test": 2432232314}"#,
        );
        assert_eq!(
            signature.as_deref(),
            Some("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
        );
    }

    #[test]
    fn a_new_secret_signs_and_something_else_does_not() {
        let secret = webhook_secret(&SeededEntropy::new(1));
        assert!(webhook_signature(&secret, "a", 1, b"x").is_some());
        assert_eq!(
            webhook_signature(&"other".to_owned().into(), "a", 1, b"x"),
            None
        );
    }
}
