//! Keys, encryption at rest, tokens, passwords, commitments and redaction.
//!
//! Everything cryptographic in the house is here and nothing else is, so that one small crate can be
//! reviewed. Nothing here does I/O except reading and writing the key file; time and randomness are arguments.

mod cipher;
mod commit;
mod keyfile;
mod master;
mod owner;
mod passphrase;
mod password;
mod redact;
mod sign;
mod swap;
mod token;
mod webhook;
mod witness;

pub use cipher::{OpenError, Place};
pub use commit::{canonical_json, commit};
pub use keyfile::{KeyFileError, load_or_create, read_key_file, write_key_file};
pub use master::{MasterKey, MasterKeyError};
pub use owner::{OwnerKey, WrappedKey, decrypt, encrypt, key_version_of, reencrypt};
pub use passphrase::{PassphraseError, export_master_key, import_master_key};
pub use password::{PasswordError, check_password_rule, hash_password, verify_password};
pub use redact::redact;
pub use sign::{SignKey, SignKeyError, VerifyKey};
pub use swap::{
    drop_staged_key, find_key, finish_key_swap, replace_key_file, settle_key_file, stage_key_file,
};
pub use token::{Token, TokenError, TokenHash, TokenKind};
pub use webhook::{webhook_secret, webhook_signature};
pub use witness::{WitnessKey, WitnessKeyError};
