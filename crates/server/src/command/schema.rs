//! `serval schema`: the JSON Schema of the config file.

use crate::failure::Failure;
use crate::output::say;

/// Prints the schema.
pub fn run() -> Result<(), Failure> {
    say(serval_catalog::json_schema());
    Ok(())
}
