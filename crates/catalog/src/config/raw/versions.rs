//! `[versions]`.

use schemars::JsonSchema;
use serde::Deserialize;

/// The history of the config, which `rollback @@config` goes back in. Without it there is none.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct Versions {
    /// The directory of the versions, relative to the config's folder; it is made at the first need.
    pub directory: String,
    /// How many versions are kept; older ones are deleted. Default 100.
    #[serde(default)]
    #[schemars(range(min = 2, max = 10_000))]
    pub keep: Option<u32>,
}
