//! A definition as it will be behind the statement.

use serval_types::ColumnType;

use super::super::charset::Charset;
use super::super::column::{Column, set_collation};
use super::super::{ForeignKey, TableDefinition, UniqueKey};
use super::{Alteration, Change};

impl Alteration {
    /// The definition as the statement makes it.
    #[must_use]
    pub fn applied(&self, definition: &TableDefinition) -> TableDefinition {
        let mut altered = definition.clone();
        let mut charset = Charset::of(definition.charset.clone(), definition.collation.as_ref());
        for change in &self.changes {
            if let Change::Convert(new) = change {
                charset = new.clone();
            }
        }
        if self.charset.is_given() {
            charset = self.charset.clone();
        }
        for change in &self.changes {
            change.apply(&mut altered, &charset);
        }
        for column in &mut altered.columns {
            if altered.primary_key.iter().any(|name| name.eq_ignore_ascii_case(&column.name)) {
                column.nullable = false;
            }
        }
        altered
    }

    /// Whether a column of this name goes, or gets another name. Another may get its name in the same statement.
    #[must_use]
    pub fn displaces(&self, name: &str) -> bool {
        self.changes.iter().any(|change| match change {
            Change::Drop(column) | Change::Rename(column, _) => column.eq_ignore_ascii_case(name),
            Change::Replace(column, new) => {
                column.eq_ignore_ascii_case(name) && !new.definition.name.eq_ignore_ascii_case(name)
            }
            _ => false,
        })
    }

    /// What a column of this name was called before; `None` if the statement makes another of its name.
    #[must_use]
    pub fn former<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        let renamed = self.changes.iter().find_map(|change| match change {
            Change::Rename(from, to) if to.eq_ignore_ascii_case(name) => Some(from),
            Change::Replace(from, column) if column.definition.name.eq_ignore_ascii_case(name) => Some(from),
            _ => None,
        });
        renamed.map(String::as_str).or((!self.displaces(name)).then_some(name))
    }

    /// The foreign keys that it adds.
    #[must_use]
    pub fn foreign_keys(&self) -> Vec<ForeignKey> {
        let of_change = |change: &Change| match change {
            Change::Foreign(key) => Some(key.clone()),
            Change::Add(column) | Change::Replace(_, column) => column.references.clone(),
            _ => None,
        };
        self.changes.iter().filter_map(of_change).collect()
    }
}

impl Change {
    fn apply(&self, altered: &mut TableDefinition, charset: &Charset) {
        let place = |altered: &TableDefinition, name: &str| {
            altered.columns.iter().position(|column| column.name.eq_ignore_ascii_case(name))
        };
        match self {
            Self::Add(column) if altered.column(&column.definition.name).is_some() => {}
            Self::Add(column) => {
                altered.columns.push(column.clone().define(charset, &[]));
                add_keys(altered, column);
            }
            Self::Replace(name, column) => {
                let defined = column.clone().define(charset, &[]);
                rename(altered, name, &defined.name);
                match place(altered, &defined.name) {
                    Some(at) => altered.columns[at] = defined,
                    None => altered.columns.push(defined),
                }
                add_keys(altered, column);
            }
            Self::Drop(name) => {
                altered.columns.retain(|column| !column.name.eq_ignore_ascii_case(name));
                for columns in keys(altered) {
                    columns.retain(|column| !column.eq_ignore_ascii_case(name));
                }
                altered.unique_keys.retain(|key| !key.columns.is_empty() || !key.whole);
            }
            Self::Rename(from, to) => rename(altered, from, to),
            Self::Default(name, text) => {
                if let Some(at) = place(altered, name) {
                    altered.columns[at].default.clone_from(text);
                }
            }
            Self::Primary(parts) => {
                altered.primary_key.clone_from(&parts.named);
                if !parts.whole {
                    altered.unique_keys.push(UniqueKey::of("PRIMARY".to_owned(), parts.clone()));
                }
            }
            Self::Unique(key) => altered.unique_keys.push(key.clone()),
            Self::Foreign(key) => altered.foreign_keys.push(key.clone()),
            Self::DropPrimary => altered.primary_key.clear(),
            Self::DropKey(name) => {
                altered.unique_keys.retain(|key| !key.name.eq_ignore_ascii_case(name));
                altered.foreign_keys.retain(|key| !key.name.eq_ignore_ascii_case(name));
            }
            Self::Convert(_) => {
                for column in &mut altered.columns {
                    convert(&mut column.column_type, charset);
                }
            }
        }
    }
}

fn keys(altered: &mut TableDefinition) -> impl Iterator<Item = &mut Vec<String>> {
    altered
        .unique_keys
        .iter_mut()
        .map(|key| &mut key.columns)
        .chain([&mut altered.primary_key])
        .chain(altered.foreign_keys.iter_mut().map(|key| &mut key.columns))
}

fn rename(altered: &mut TableDefinition, from: &str, to: &str) {
    for column in altered.columns.iter_mut().filter(|column| column.name.eq_ignore_ascii_case(from)) {
        to.clone_into(&mut column.name);
    }
    for columns in keys(altered) {
        for column in columns.iter_mut().filter(|column| column.eq_ignore_ascii_case(from)) {
            to.clone_into(column);
        }
    }
}

/// The keys that a column's own words make.
fn add_keys(altered: &mut TableDefinition, column: &Column) {
    let columns = vec![column.definition.name.clone()];
    if column.primary {
        altered.primary_key.clone_from(&columns);
    }
    if column.unique {
        altered.unique_keys.push(UniqueKey { name: String::new(), columns, whole: true });
    }
    altered.foreign_keys.extend(column.references.clone());
}

/// A column's type under CONVERT TO.
fn convert(column_type: &mut ColumnType, charset: &Charset) {
    let collation = charset.collation();
    if let ColumnType::Text { length, .. } = *column_type
        && collation.as_ref().is_some_and(|collation| collation.name() == "binary")
    {
        *column_type = ColumnType::Binary { length, fixed: false };
    }
    set_collation(column_type, collation);
}
