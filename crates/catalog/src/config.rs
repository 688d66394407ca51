//! From TOML text to the parts of a catalog.
//!
//! [`raw`] is the config's shape: serde reads it, and schemars makes the editors' JSON Schema of it. [`shape`] holds
//! the parsed text against that same schema, so that every unknown key and wrong type is found at once, and cuts
//! out what is wrong; what remains is read and resolved by one file per section. All report into one [`Sink`].

mod children;
mod client_tls;
mod document;
mod engines;
mod expand;
mod groups;
mod inside;
mod nodes;
pub(crate) mod raw;
mod recovery;
mod rules;
mod schemas;
mod scratch;
mod server_tls;
mod settings;
mod shape;
mod sink;
mod tables;
mod units;
mod users;
mod welcome;

pub(crate) use client_tls::client_tls;
pub(crate) use document::Document;
pub(crate) use engines::engines;
pub(crate) use groups::groups;
pub(crate) use nodes::{NodeNames, nodes};
pub(crate) use rules::rules;
pub(crate) use schemas::{Located, schemas};
pub(crate) use scratch::scratch;
pub(crate) use settings::settings;
pub(crate) use shape::read;
pub(crate) use sink::{Sink, did_you_mean};
pub(crate) use users::users;
