//! The function behind a mapping, in any of the four spellings that Lambda's API takes.

use serde::{Deserialize, Serialize};

/// A function as a call or a mapping names it. Fields that are not known hold `""`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct FunctionRef {
    /// The full ARN, with the qualifier where one was named.
    pub arn: String,
    /// The bare name, without account or qualifier.
    pub name: String,
    /// The alias or version, `""` where none was named (`$LATEST` counts as none).
    pub qualifier: String,
    /// The twelve-digit account that owns the function.
    pub account: String,
}
