//! Where the rows of a file go, and what each node is told.

use serval_catalog::{Catalog, Placement, TableDefinition};
use serval_executor::load::{FileText, Format, FormatError, Numbering};
use serval_planner::primitive::{Tally, Target};
use serval_planner::{PlanTable, unequal_default};
use serval_sql::{Edit, LoadColumn, LoadData, splice};
use serval_types::MysqlError;

/// Where the rows of a file go.
#[derive(Debug)]
pub(super) struct Placing {
    /// Each with the part of the rows that it gets; in the order of their groups.
    pub(super) targets: Vec<(Target, usize)>,
    /// The target that is asked where there are no rows.
    pub(super) first: Option<(Target, usize)>,
    pub(super) format: Format,
    /// How many fields a row has.
    pub(super) columns: usize,
    /// The field of each sharding column; none for one that the sequence fills.
    pub(super) keys: Vec<Option<usize>>,
    pub(super) numbering: Numbering,
    /// Every target gets all rows.
    copies: bool,
}

impl Placing {
    pub(super) fn of(
        table: &PlanTable,
        text: &str,
        load: &LoadData,
        catalog: &Catalog,
    ) -> Result<Self, MysqlError> {
        let format = format(load);
        let mut placing = Self {
            targets: Vec::new(),
            first: None,
            format,
            columns: 0,
            keys: Vec::new(),
            numbering: Numbering::None,
            copies: matches!(table.table.placement, Placement::Global(_)),
        };
        let places: Vec<_> = match &table.table.placement {
            Placement::Node(node) => vec![(*node, None, &*table.table.name, 0)],
            Placement::Global(nodes) => {
                nodes.iter().map(|node| (*node, None, &*table.table.name, 0)).collect()
            }
            Placement::Sharded(sharding) => {
                let shards = sharding.shards.iter().enumerate();
                shards.map(|(at, shard)| (shard.node, Some(at), &*shard.table, at)).collect()
            }
        };
        let mut edits = Vec::new();
        if places.len() > 1 || table.table.sequence.is_some() {
            placing.columns_of(table, load)?;
            if let Some((_, span)) = load.ignored_lines {
                edits.push(Edit { at: span, text: String::new() });
            }
            edits.extend(placing.column_before(table, load));
        }
        for (node, shard, name, part) in places {
            let mut edits = edits.clone();
            edits.push(Edit { at: load.table.span(), text: format!("`{}`", name.replace('`', "``")) });
            placing.targets.push((Target::new(node, shard, splice(text.as_bytes(), &edits)), part));
        }
        placing.targets.sort_by_key(|(target, part)| (catalog.node(target.node).group, target.node, *part));
        placing.first = placing.targets.first().cloned();
        Ok(placing)
    }

    /// Has a part loaded as the last of its group, so that its connection is left with the variables of the last row.
    pub(super) fn put_last(&mut self, last: usize, catalog: &Catalog) {
        self.targets.sort_by_key(|(target, part)| (catalog.node(target.node).group, *part == last));
    }

    /// Whether the file can pass to its one node as it comes.
    pub(super) fn is_direct(&self) -> bool {
        self.targets.len() == 1 && self.numbering == Numbering::None
    }

    /// How many parts the rows are divided into.
    pub(super) fn parts(&self) -> usize {
        self.targets.iter().map(|(_, part)| part + 1).max().unwrap_or(1)
    }

    pub(super) fn tally(&self) -> Tally {
        if self.copies { Tally::First } else { Tally::Sum }
    }

    /// What a file in a character set is, if it can be divided into rows.
    pub(super) fn text(&self, charset: &str) -> Result<FileText, MysqlError> {
        let text = FileText::of(charset);
        match self.format.check(text) {
            Ok(()) => Ok(text),
            Err(FormatError::Charset) => Err(MysqlError::refused(format!(
                "A file in {charset} cannot be divided among several nodes; write it in utf8mb4 and say CHARACTER SET utf8mb4"
            ))),
            Err(error) => Err(MysqlError::refused(format!(
                "The table is on several nodes, and a file with {error} cannot be divided among them; separate fields and \
                 lines by ASCII characters"
            ))),
        }
    }

    /// Which fields decide where a row goes.
    fn columns_of(&mut self, table: &PlanTable, load: &LoadData) -> Result<(), MysqlError> {
        let name = &table.table.name;
        let Some(definition) = table.table.definition.as_deref() else {
            return Err(MysqlError::refused(format!(
                "The definition of table '{name}' is not known yet, so its rows cannot be placed; see SHOW CREATE TABLE"
            )));
        };
        let names = field_names(definition, load)?;
        self.columns = names.len();
        let position = |column: &str| {
            names
                .iter()
                .position(|name| name.as_deref().is_some_and(|name| name.eq_ignore_ascii_case(column)))
        };
        let assigned =
            |column: &str| load.set.iter().any(|(name, _)| name.value.eq_ignore_ascii_case(column));
        if self.copies && !load.set.is_empty() {
            return Err(MysqlError::refused(format!(
                "LOAD DATA with SET into the global table '{name}' is not supported: its copies might come to differ; put the \
                 values into the file"
            )));
        }
        if let Some(problem) =
            unequal_default(definition, name, |column| position(column).is_some()).filter(|_| self.copies)
        {
            return Err(MysqlError::refused(problem));
        }
        check_set(load)?;
        if let Some(column) = definition.auto_increment() {
            if assigned(&column.name) {
                return Err(through_expression(&column.name));
            }
            self.numbering = match position(&column.name) {
                Some(field) => Numbering::Field(field),
                None => Numbering::Before,
            };
        }
        let Some(sharding) = table.table.sharding() else { return Ok(()) };
        for column in sharding.columns.iter().map(|column| &column.name) {
            if assigned(column) {
                return Err(through_expression(column));
            }
            let field = position(column);
            let numbered =
                definition.auto_increment().is_some_and(|auto| auto.name.eq_ignore_ascii_case(column));
            if field.is_none() && !(numbered && self.numbering == Numbering::Before) {
                return Err(MysqlError::refused(format!(
                    "LOAD DATA must fill the sharding column '{column}' from a field of its own; name it in the list of columns, \
                     not through a variable"
                )));
            }
            self.keys.push(field);
        }
        Ok(())
    }

    /// The list of columns with the one before it that the sequence fills.
    fn column_before(&self, table: &PlanTable, load: &LoadData) -> Option<Edit> {
        let definition = table.table.definition.as_deref()?;
        let column = definition.auto_increment().filter(|_| self.numbering == Numbering::Before)?;
        // Without a list the column has a field of its own, so there is one.
        let comma = if load.columns.is_empty() { "" } else { ", " };
        Some(Edit { at: load.list, text: format!("`{}`{comma}", column.name.replace('`', "``")) })
    }
}

/// The column of each field; none for a variable.
fn field_names(definition: &TableDefinition, load: &LoadData) -> Result<Vec<Option<String>>, MysqlError> {
    if load.columns.is_empty() {
        if definition.columns.iter().any(|column| column.generated || column.invisible) {
            return Err(MysqlError::refused(
                "The table has generated or invisible columns: name the columns that the file has, in parentheses",
            ));
        }
        return Ok(definition.columns.iter().map(|column| Some(column.name.clone())).collect());
    }
    let name = |column: &LoadColumn| match column {
        LoadColumn::Column(name) => Some(name.value.clone()),
        LoadColumn::Variable(_) => None,
    };
    Ok(load.columns.iter().map(name).collect())
}

/// SET may compute from a row, and from nothing that is not the same on every node.
fn check_set(load: &LoadData) -> Result<(), MysqlError> {
    if load.reads_tables {
        return Err(MysqlError::refused(
            "LOAD DATA with a subquery in SET is not supported for a table on several nodes; load the file, then UPDATE",
        ));
    }
    Ok(())
}

fn through_expression(column: &str) -> MysqlError {
    MysqlError::refused(format!(
        "LOAD DATA cannot compute column '{column}' in SET: it decides where a row goes; put its value into the file and name \
         it in the list of columns"
    ))
}

fn format(load: &LoadData) -> Format {
    let serval_sql::LoadFormat { field_end, quote, escape, line_start, line_end } = load.format.clone();
    Format { field_end, quote, escape, line_start, line_end }
}
