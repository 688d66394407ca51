//! `[recovery]`.

use schemars::JsonSchema;
use serde::Deserialize;

/// How transactions over several groups are finished when whoever ran them is gone.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub(crate) struct Recovery {
    /// How often the groups are asked for transactions in doubt. Default "5s".
    pub interval: Option<String>,
    /// How long a transaction of another proxy may be in doubt before this one decides it. Default "10s".
    pub patience: Option<String>,
    /// How long the records of decisions are kept. Default "1h".
    pub keep: Option<String>,
}
