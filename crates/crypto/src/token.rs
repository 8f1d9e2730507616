//! Bearer tokens: recognisable, checked for typos, hashed at rest.
//!
//! `frk_<kind>_<43 base62 digits><6 base62 digits of checksum>`. The prefix lets secret scanners find a leaked
//! token, the checksum tells a typo from a wrong token without a database look-up. A token holds 256 random bits,
//! so a plain SHA-256 is enough at rest and gives an exact look-up key; a slow hash would only cost time.

use std::fmt;

use fractal_clock::{Entropy, random};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// 62^43 > 2^256.
const RANDOM_DIGITS: usize = 43;
/// 62^6 > 2^32.
const CHECK_DIGITS: usize = 6;

/// What a token opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TokenKind {
    /// A program's access to the HTTP API.
    Api,
    /// An instance's access to its own listener.
    Instance,
    /// The control plane's access to one gateway.
    Gateway,
    /// The one-time claim of a new installation.
    Setup,
    /// An invitation to join.
    Invitation,
    /// A signed-in browser.
    Session,
}

impl TokenKind {
    /// Every kind.
    pub const ALL: [Self; 6] = [
        Self::Api,
        Self::Instance,
        Self::Gateway,
        Self::Setup,
        Self::Invitation,
        Self::Session,
    ];

    /// The word inside the token.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Instance => "inst",
            Self::Gateway => "gw",
            Self::Setup => "setup",
            Self::Invitation => "invite",
            Self::Session => "session",
        }
    }
}

/// Text that is not a token of the house. Never repeats the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// No known prefix.
    #[error("this is not a fractal token; one looks like frk_api_…")]
    Shape,
    /// Right shape, wrong checksum.
    #[error("the token is mistyped or cut off; copy it again")]
    Checksum,
    /// A token for something else.
    #[error("this token is for something else; a frk_{expected}_… token is needed here")]
    Kind {
        /// The word of the kind that was expected.
        expected: &'static str,
    },
}

/// A token in the clear. Lives only between its making or arrival and its hashing.
pub struct Token {
    kind: TokenKind,
    text: SecretString,
}

impl Token {
    /// Makes a new token.
    #[must_use]
    pub fn generate(kind: TokenKind, entropy: &dyn Entropy) -> Self {
        let bytes = Zeroizing::new(random::<32>(entropy));
        let mut text = String::with_capacity(64);
        text.push_str("frk_");
        text.push_str(kind.as_str());
        text.push('_');
        push_base62(&mut text, bytes.as_slice(), RANDOM_DIGITS);
        let check = crc32fast::hash(text.as_bytes());
        push_base62(&mut text, &check.to_be_bytes(), CHECK_DIGITS);
        Self {
            kind,
            text: text.into(),
        }
    }

    /// Reads a token of any kind.
    ///
    /// # Errors
    /// [`TokenError::Shape`] or [`TokenError::Checksum`].
    pub fn parse(text: &str) -> Result<Self, TokenError> {
        let rest = text.strip_prefix("frk_").ok_or(TokenError::Shape)?;
        let (word, digits) = rest.split_once('_').ok_or(TokenError::Shape)?;
        let kind = TokenKind::ALL
            .into_iter()
            .find(|kind| kind.as_str() == word)
            .ok_or(TokenError::Shape)?;
        if !digits.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(TokenError::Shape);
        }
        if digits.len() != RANDOM_DIGITS + CHECK_DIGITS {
            return Err(TokenError::Checksum);
        }
        // All ASCII, as checked above, so the cut is on a character.
        let (body, check) = text.split_at(text.len() - CHECK_DIGITS);
        let mut expected = String::with_capacity(CHECK_DIGITS);
        push_base62(
            &mut expected,
            &crc32fast::hash(body.as_bytes()).to_be_bytes(),
            CHECK_DIGITS,
        );
        if expected != check {
            return Err(TokenError::Checksum);
        }
        Ok(Self {
            kind,
            text: text.into(),
        })
    }

    /// Reads a token that must be of one kind.
    ///
    /// # Errors
    /// As [`Token::parse`], and [`TokenError::Kind`] for a token of another kind.
    pub fn parse_kind(text: &str, kind: TokenKind) -> Result<Self, TokenError> {
        let token = Self::parse(text)?;
        if token.kind == kind {
            Ok(token)
        } else {
            Err(TokenError::Kind {
                expected: kind.as_str(),
            })
        }
    }

    /// What it opens.
    #[must_use]
    pub const fn kind(&self) -> TokenKind {
        self.kind
    }

    /// What is stored and looked up.
    #[must_use]
    pub fn hash(&self) -> TokenHash {
        TokenHash::of(self.text.expose_secret())
    }

    /// The text, to be shown once or stored encrypted.
    #[must_use]
    pub const fn secret(&self) -> &SecretString {
        &self.text
    }

    /// Gives the text away.
    #[must_use]
    pub fn into_secret(self) -> SecretString {
        self.text
    }

    /// The last four characters, for people to tell their tokens apart.
    #[must_use]
    pub fn hint(&self) -> String {
        let text = self.text.expose_secret();
        format!("…{}", &text[text.len() - 4..])
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Token(frk_{}_…)", self.kind.as_str())
    }
}

/// The SHA-256 of a token. Comparison takes constant time.
#[derive(Clone, Copy)]
pub struct TokenHash([u8; 32]);

impl TokenHash {
    /// Hashes a token's text.
    #[must_use]
    pub fn of(text: &str) -> Self {
        Self(Sha256::digest(text.as_bytes()).into())
    }

    /// From stored bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes to store.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The hash as 64 hex digits, for places that hold text.
    #[must_use]
    pub fn to_hex(&self) -> String {
        use std::fmt::Write;
        self.0
            .iter()
            .fold(String::with_capacity(64), |mut out, byte| {
                // Writing to a string cannot fail.
                let _ = write!(out, "{byte:02x}");
                out
            })
    }

    /// Reads what [`TokenHash::to_hex`] wrote; `None` for anything else.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let mut bytes = [0; 32];
        for (byte, at) in bytes.iter_mut().zip((0..64).step_by(2)) {
            *byte = u8::from_str_radix(&text[at..at + 2], 16).ok()?;
        }
        Some(Self(bytes))
    }

    /// Whether this is the hash of `text`, in constant time.
    #[must_use]
    pub fn verify(&self, text: &str) -> bool {
        *self == Self::of(text)
    }
}

impl PartialEq for TokenHash {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for TokenHash {}

impl std::hash::Hash for TokenHash {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl fmt::Debug for TokenHash {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "TokenHash({:02x}{:02x}…)", self.0[0], self.0[1])
    }
}

/// Appends `bytes` as a big-endian number in base 62, padded to `digits`.
fn push_base62(out: &mut String, bytes: &[u8], digits: usize) {
    let mut number = Zeroizing::new(bytes.to_vec());
    let mut reversed = Zeroizing::new(Vec::with_capacity(digits));
    for _ in 0..digits {
        let mut remainder = 0_u32;
        for byte in number.iter_mut() {
            let value = (remainder << 8) | u32::from(*byte);
            // `value` is below 62 * 256, so the quotient fits a byte.
            *byte = u8::try_from(value / 62).unwrap_or(u8::MAX);
            remainder = value % 62;
        }
        reversed.push(ALPHABET[remainder as usize]);
    }
    out.extend(reversed.iter().rev().map(|byte| char::from(*byte)));
}

#[cfg(test)]
mod tests {
    use fractal_clock::SeededEntropy;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_new_token_parses_as_its_kind_and_no_other() {
        let entropy = SeededEntropy::new(1);
        for kind in TokenKind::ALL {
            let token = Token::generate(kind, &entropy);
            let text = token.secret().expose_secret();
            assert!(text.starts_with(&format!("frk_{}_", kind.as_str())));
            assert_eq!(Token::parse(text).unwrap().kind(), kind);
            assert_eq!(Token::parse(text).unwrap().hash(), token.hash());
            for other in TokenKind::ALL.into_iter().filter(|other| *other != kind) {
                assert!(matches!(
                    Token::parse_kind(text, other),
                    Err(TokenError::Kind { .. })
                ));
            }
        }
    }

    #[test]
    fn every_single_mistyped_character_is_noticed() {
        let token = Token::generate(TokenKind::Api, &SeededEntropy::new(2));
        let text = token.secret().expose_secret().to_owned();
        for place in "frk_api_".len()..text.len() {
            let mut wrong = text.clone().into_bytes();
            wrong[place] = if wrong[place] == b'x' { b'y' } else { b'x' };
            let wrong = String::from_utf8(wrong).unwrap();
            assert_eq!(Token::parse(&wrong).unwrap_err(), TokenError::Checksum);
        }
        assert_eq!(
            Token::parse(&text[..text.len() - 1]).unwrap_err(),
            TokenError::Checksum
        );
    }

    #[test]
    fn printing_a_token_or_its_hash_reveals_nothing() {
        let token = Token::generate(TokenKind::Session, &SeededEntropy::new(3));
        assert_eq!(format!("{token:?}"), "Token(frk_session_…)");
        assert!(format!("{:?}", token.hash()).len() < 20);
        assert!(token.hash().verify(token.secret().expose_secret()));
        assert!(!token.hash().verify("frk_session_other"));
        assert_eq!(
            TokenHash::from_hex(&token.hash().to_hex()),
            Some(token.hash())
        );
        assert_eq!(TokenHash::from_hex("ä"), None);
    }

    proptest! {
        #[test]
        fn arbitrary_text_never_panics(text: String) {
            let _ = Token::parse(&text);
            let _ = Token::parse(&format!("frk_api_{text}"));
        }
    }
}
