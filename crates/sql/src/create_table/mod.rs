//! CREATE TABLE as a definition: what SHOW CREATE TABLE prints, and what users write.

mod alteration;
mod charset;
mod column;
mod column_type;
mod definition;
mod key;

use serval_types::{Collation, ColumnType};

pub use alteration::Alteration;

use crate::{LexOptions, ParseError};

/// A table's definition, as far as routing and merging need it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableDefinition {
    /// The table's name, without its schema.
    pub name: String,
    /// The columns in order.
    pub columns: Vec<ColumnDef>,
    /// The columns of PRIMARY KEY; empty where there is none. Where a part of it is a prefix, the key is also among
    /// [`unique_keys`](Self::unique_keys), as `PRIMARY` and not whole.
    pub primary_key: Vec<String>,
    /// The UNIQUE keys, without the primary one.
    pub unique_keys: Vec<UniqueKey>,
    /// The foreign keys.
    pub foreign_keys: Vec<ForeignKey>,
    /// The default character set in lower case, where given.
    pub charset: Option<String>,
    /// The default collation, where given.
    pub collation: Option<Collation>,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnDef {
    /// The name.
    pub name: String,
    /// The type.
    pub column_type: ColumnType,
    /// Whether NULL is allowed.
    pub nullable: bool,
    /// The text of DEFAULT's value, quotes included.
    pub default: Option<String>,
    /// ON UPDATE CURRENT_TIMESTAMP: an UPDATE that does not assign the column changes it.
    pub on_update: bool,
    /// AUTO_INCREMENT.
    pub auto_increment: bool,
    /// GENERATED ALWAYS AS, virtual or stored.
    pub generated: bool,
    /// INVISIBLE: not in `SELECT *`, and not among the columns of an INSERT without a list.
    pub invisible: bool,
    /// The type as written, with its character set and collation where the column names them; empty where it is not
    /// understood.
    pub declared: String,
    /// CHECK (json_valid(…)) of the column itself, by which MariaDB tells JSON from other text.
    pub json_checked: bool,
}

impl ColumnDef {
    /// A column that may be NULL, of which nothing more is said.
    #[must_use]
    pub fn new(name: String, column_type: ColumnType) -> Self {
        Self {
            name,
            column_type,
            nullable: true,
            default: None,
            on_update: false,
            auto_increment: false,
            generated: false,
            invisible: false,
            declared: String::new(),
            json_checked: false,
        }
    }
}

/// A UNIQUE key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UniqueKey {
    /// Its name; empty where the statement leaves it to the server.
    pub name: String,
    /// Its columns; a part that is an expression or a prefix is not among them.
    pub columns: Vec<String>,
    /// Whether every part is a whole column.
    pub whole: bool,
}

impl UniqueKey {
    fn of(name: String, parts: key::Parts) -> Self {
        Self { name, columns: parts.columns, whole: parts.whole }
    }
}

/// A foreign key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignKey {
    /// Its name; empty where the statement leaves it to the server.
    pub name: String,
    /// Its columns.
    pub columns: Vec<String>,
    /// The referenced schema, where given.
    pub schema: Option<String>,
    /// The referenced table.
    pub table: String,
    /// The referenced columns.
    pub referenced: Vec<String>,
    /// What a DELETE of the referenced row does to these.
    pub on_delete: ReferentialAction,
    /// What an UPDATE of the referenced columns does to these.
    pub on_update: ReferentialAction,
}

/// What a server does to the rows that reference one which is deleted or changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ReferentialAction {
    /// RESTRICT or NO ACTION, which is also the default: it refuses the change.
    #[default]
    Restrict,
    /// CASCADE: it deletes them, or changes them likewise.
    Cascade,
    /// SET NULL.
    SetNull,
    /// SET DEFAULT.
    SetDefault,
}

impl TableDefinition {
    /// A table of which only the name is known.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            columns: Vec::new(),
            primary_key: Vec::new(),
            unique_keys: Vec::new(),
            foreign_keys: Vec::new(),
            charset: None,
            collation: None,
        }
    }

    /// The column of this name; names compare without case.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&ColumnDef> {
        self.columns.iter().find(|column| column.name.eq_ignore_ascii_case(name))
    }

    /// The AUTO_INCREMENT column.
    #[must_use]
    pub fn auto_increment(&self) -> Option<&ColumnDef> {
        self.columns.iter().find(|column| column.auto_increment)
    }
}

/// Reads a CREATE TABLE statement.
///
/// A column whose type is not understood becomes [`ColumnType::Other`]; attributes and options that are not
/// understood are passed over.
///
/// ```
/// use serval_sql::{LexOptions, create_table};
/// let table = create_table::parse("CREATE TABLE t (id INT PRIMARY KEY, s TEXT)", LexOptions::default())?;
/// assert_eq!((table.columns.len(), table.primary_key), (2, vec!["id".to_owned()]));
/// # Ok::<(), serval_sql::ParseError>(())
/// ```
///
/// # Errors
/// Where the text is not a CREATE TABLE with a list of columns: LIKE, a query alone, another statement.
pub fn parse(sql: &str, options: LexOptions) -> Result<TableDefinition, ParseError> {
    definition::parse(sql, options)
}
