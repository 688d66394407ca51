//! Configs of other proxies, Mycat 1.6, kingshard and Gaea, as Serval's TOML, so that every row stays where it is.
//!
//! What cannot be kept exactly is refused by name: the file, the element and the reason. The rest is converted all
//! the same, with a comment wherever something had to be decided. The crate does no I/O: callers hand over the
//! files' texts.
//!
//! ```
//! let yaml = "nodes: [{name: n1, user: u, password: p, master: 'db:3306'}]\nuser_list: [{user: app, password: x}]\n\
//!             schema_list: [{user: app, nodes: [n1], default: n1, shard: [{db: shop, table: t, key: id, \
//!             nodes: [n1], type: hash, locations: [4]}]}]";
//! let imported = serval_import::kingshard("ks.yaml", yaml);
//! assert!(imported.refused.is_empty());
//! assert!(imported.toml.contains("function = \"crc32_mod\""));
//! ```

mod draft;
mod gaea;
mod kingshard;
mod kingshard_rules;
mod mycat;
mod windows;

pub use gaea::gaea;
pub use kingshard::kingshard;
pub use mycat::mycat;

/// What became of a config.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// The config in Serval's terms, without what is refused.
    pub toml: String,
    /// What could not be kept exactly.
    pub refused: Vec<Refusal>,
}

/// Something that Serval cannot do as the other proxy did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The file it stands in.
    pub file: String,
    /// The element, for example `<function name="latest">`.
    pub element: String,
    /// Why, and what to do instead.
    pub reason: String,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}: {}", self.file, self.element, self.reason)
    }
}

/// Gives the text of a file of the other proxy's directory, by its path there; the error says why there is none.
pub type ReadFile<'a> = &'a dyn Fn(&str) -> Result<String, String>;
