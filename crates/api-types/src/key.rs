//! The secret key of the installation.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How the secret keys are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KeyStatus {
    /// Which key of the installation is in force, counted from 1.
    pub generation: u32,
    /// How many older keys of owners still seal something. After a rotation it falls to 0 by itself.
    pub waiting: u64,
}
