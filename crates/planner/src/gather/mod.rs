//! Gathering: the plan of a statement that needs rows of several nodes in one place.
//!
//! Each mention of a table becomes a temporary table on the scratch server, typed as the real one is, with the columns
//! that the statement names and the rows that its own predicates leave. The statement itself then runs there, in the
//! client's own words, so that joins, subqueries, windows and functions are computed by a real server. What reads the
//! rows is planned like any other statement: it is routed, pruned and scattered.

mod columns;
mod derived;
mod filter;
pub(crate) mod lock;
mod nested;
mod own;
mod reduce;
mod segments;
mod semi_join;
pub(crate) mod shown;
mod source;
mod temporary;
mod terms;
mod top;
mod total;
mod zones;

use serval_sql::{Edit, Modifier, Scan, Span, Token, TokenKind, is_call, splice, tokens};
use sqlparser::ast::Statement;

use crate::analysis::{Analysis, TableRef};
use crate::bound::{Bound, Note};
use crate::error::PlanError;
use crate::operand::Values;
use crate::physical::{SELECT_ALL, quote};
use crate::plan::{Gathers, Kind, Plan};
use crate::planner::dml;
use crate::primitive::{Gather, GatherSource, Primitive, Target};
use crate::statement::{Planning, changes_rows, set_var};
use derived::{Asked, Outcome, Results, Tables, Text};
use segments::Segments;
use serval_types::NodeId;
use temporary::{Temporary, quoted};

/// What temporary tables are called, before their numbers.
const PREFIX: &str = "serval_g";

type Result<T> = std::result::Result<T, PlanError>;

/// Functions of a server's own session or host, which the scratch server must not answer.
const NOT_THERE: [&str; 11] = [
    "FOUND_ROWS",
    "GET_LOCK",
    "RELEASE_LOCK",
    "RELEASE_ALL_LOCKS",
    "IS_FREE_LOCK",
    "IS_USED_LOCK",
    "ROWNUM",
    "LOAD_FILE",
    "MASTER_POS_WAIT",
    "NEXTVAL",
    "LASTVAL",
];

/// Why a statement that could not be routed cannot be gathered either; `None` where it can.
pub(crate) fn obstacle(planning: Planning<'_>) -> Option<&'static str> {
    let Statement::Query(query) = &planning.parsed.ast else { return Some("it changes rows") };
    if changes_rows(query) {
        return Some("it changes rows");
    }
    if planning.catalog.scratch.is_none() {
        return Some("the config has no [scratch] server");
    }
    if planning.parsed.into_variables.is_some() {
        return Some("it sets variables");
    }
    let sql = planning.sql;
    let Ok(mut tokens) = tokens(sql, planning.options) else { return Some("it cannot be read") };
    if set_var::is_said(planning, &tokens) {
        return Some("a hint of it sets variables");
    }
    tokens.retain(|token| !token.kind.is_comment());
    if lock::is_entangled(planning, &query.body, &tokens) {
        return Some("it locks rows of a part of it");
    }
    let local = |at: usize| NOT_THERE.iter().any(|name| is_call(sql, &tokens, at, name));
    if (0..tokens.len()).any(local) {
        return Some("it asks for what belongs to one server's session");
    }
    let is = |at: usize, word: &str| tokens.get(at).is_some_and(|token: &Token| token.is_word(sql, word));
    let numbers = |at: usize| (is(at, "NEXT") || is(at, "PREVIOUS")) && is(at + 1, "VALUE");
    if (0..tokens.len()).any(numbers) {
        return Some("it takes a number of a sequence");
    }
    if (0..tokens.len()).any(|at| is(at, "SKIP") && is(at + 1, "LOCKED")) && query.limit_clause.is_some() {
        return Some("it would lock rows that it does not return");
    }
    if (0..tokens.len()).any(|at| is(at, "FOR") && is(at + 1, "SYSTEM_TIME")) {
        return Some("it reads the history of a table");
    }
    None
}

/// The plan of a statement that may be routed, and is gathered where its values do not allow that.
pub(crate) fn or_gathered(planning: Planning<'_>, plan: Plan) -> Plan {
    let examined = |(modifier, _): &(Modifier, Span)| *modifier == Modifier::RowsExamined;
    if planning.parsed.modifiers.iter().any(examined) || obstacle(planning).is_some() {
        return plan;
    }
    Plan { gathers: Some(Gathers { schema: planning.schema.map(str::to_owned) }), ..plan }
}

/// The plan of a statement that can only be gathered, because of `reason`.
///
/// # Errors
/// `reason`, where it cannot be gathered.
pub(crate) fn plan(planning: Planning<'_>, reason: String) -> Result<Plan> {
    if obstacle(planning).is_some() {
        return Err(PlanError::Refused(reason));
    }
    let analysis = planning.analyse().map_err(|error| match error {
        PlanError::Refused(_) => PlanError::Refused(reason.clone()),
        error => error,
    })?;
    // Nothing is kept of the text but which tables it names.
    let plan = planning.planned(&analysis, Vec::new(), Kind::Gathered(reason));
    Ok(Plan { gathers: Some(Gathers { schema: planning.schema.map(str::to_owned) }), ..plan })
}

/// The gathering of a statement, with its values.
///
/// # Errors
/// Why it cannot be gathered, with `reason` before it: why it could not be routed.
pub(crate) fn bind(plan: &Plan, gathers: &Gathers, values: &Values<'_>, reason: &str) -> Result<Bound> {
    let asked = Asked { plan, schema: gathers.schema.as_deref(), values };
    let text = derived::pushed(asked)?;
    if let Some(bound) = derived::routed(asked, &text) {
        return Ok(bound);
    }
    // What is planned serves all literals, and these are some.
    if zones::are_named(values.sql, plan.options) {
        return Err(PlanError::refused(format!(
            "{reason}; and it cannot be finished on the [scratch] server, which need not know the time zones that CONVERT_TZ names: \
             write offsets such as '+02:00'"
        )));
    }
    let Results { text, catalog, outcomes } = derived::results(asked, text)?;
    let (mut gather, tables) = derived::with(asked, &text, &catalog, |gathering| {
        let gathering = Gathering { outcomes: &outcomes, ..gathering };
        gathering.gather(false).map_err(|error| error.because(reason))
    })?;
    let parameters = &mut gather.statement.parameters;
    *parameters = parameters.iter().filter_map(|at| text.numbers.get(usize::from(*at)).copied()).collect();
    let mut notes = vec![Note { rewrite: "gather", reason: reason.to_owned() }];
    for note in text.notes.iter().chain(gather.sources.iter().flat_map(|source| &source.rewrites)) {
        if !notes.contains(note) {
            notes.push(note.clone());
        }
    }
    Ok(Bound { root: Primitive::Gather(gather), tables, notes: notes.into() })
}

/// The gathering of a statement that has no values yet, of which only the columns are asked.
///
/// # Errors
/// As [`bind`].
pub(crate) fn sample(plan: &Plan, gathers: &Gathers, values: &Values<'_>, reason: &str) -> Result<Gather> {
    of(plan, gathers, values, reason, false)
}

/// The gathering of a statement of which only the types are asked: its tables stay empty, and their columns have the
/// defaults of the real ones, which a table that is made of them takes over.
///
/// # Errors
/// As [`bind`].
pub(crate) fn typed(plan: &Plan, gathers: &Gathers, values: &Values<'_>, reason: &str) -> Result<Gather> {
    let mut gather = of(plan, gathers, values, reason, true)?;
    for source in &mut gather.sources {
        // The copy of one that is not there has no rows.
        source.copy_of = Some(usize::MAX);
        source.reductions.clear();
    }
    Ok(gather)
}

fn of(plan: &Plan, gathers: &Gathers, values: &Values<'_>, reason: &str, defaults: bool) -> Result<Gather> {
    let asked = Asked { plan, schema: gathers.schema.as_deref(), values };
    let text = Text::of(values);
    derived::with(asked, &text, &plan.catalog, |gathering| {
        let (gather, _) = gathering.gather(defaults).map_err(|error| error.because(reason))?;
        Ok(gather)
    })
}

/// A statement being gathered.
struct Gathering<'a> {
    planning: Planning<'a>,
    analysis: &'a Analysis,
    values: &'a Values<'a>,
    /// Without comments.
    tokens: Vec<Token>,
    segments: Segments,
    terms: Vec<filter::Term>,
    /// The results that stand for queries.
    outcomes: &'a [Outcome],
    /// What temporary tables are called, before their numbers.
    prefix: &'a str,
}

impl<'a> Gathering<'a> {
    fn new(planning: Planning<'a>, analysis: &'a Analysis, values: &'a Values<'a>) -> Result<Self> {
        let mut tokens = tokens(planning.sql, planning.options)
            .map_err(|_| PlanError::refused("The statement cannot be read"))?;
        tokens.retain(|token| !token.kind.is_comment());
        let segments = Segments::find(planning.sql, &tokens);
        let (outcomes, prefix) = (&[], PREFIX);
        let mut gathering =
            Self { planning, analysis, values, tokens, segments, terms: Vec::new(), outcomes, prefix };
        gathering.terms = gathering.terms();
        Ok(gathering)
    }

    /// The same with other names for its temporary tables.
    fn called(self, prefix: &'a str) -> Self {
        Self { prefix, ..self }
    }

    fn temporary_name(&self, index: usize) -> String {
        format!("{}{index}", self.prefix)
    }

    /// The result that a reference is.
    fn outcome_of(&self, index: usize) -> Option<&Outcome> {
        Outcome::named(self.outcomes, &self.analysis.refs[index].table.table.name)
    }

    /// Its temporary tables, by name and CREATE TEMPORARY TABLE.
    fn empty_tables(&self) -> Result<Vec<(String, String)>> {
        let names = columns::Named::of(self)?;
        let refs = self.analysis.refs.iter().enumerate();
        let tables = refs.map(|(index, found)| {
            let definition = found.table.table.definition.as_deref();
            let definition = definition.ok_or_else(|| PlanError::refused("A table is not known"))?;
            let columns = names.columns(index, &definition.columns);
            let name = self.temporary_name(index);
            let table = Temporary { name: name.clone(), found, definition, columns: &columns, named: &names };
            Ok((quoted(&name), table.create()?))
        });
        tables.collect()
    }

    /// The gathering, and the tables that its rows are read from.
    fn gather(&self, defaults: bool) -> Result<(Gather, Tables)> {
        let names = columns::Named::of(self)?.with_defaults(defaults);
        let sources = self.analysis.refs.iter().enumerate();
        let sources = sources.map(|(index, found)| self.source(index, found, &names, Vec::new()));
        let mut sources = sources.collect::<Result<Vec<_>>>()?;
        self.copies(&mut sources);
        let order = self.reduce(&names, &mut sources)?;
        let tables = self.tables(&mut sources);
        let (statement, sets_variables) = (self.statement()?, self.sets_variables());
        Ok((Gather { sources, order, statement, then: None, sets_variables }, tables))
    }

    /// The tables that all sources read.
    fn tables(&self, sources: &mut [GatherSource]) -> Tables {
        let mut tables = Vec::with_capacity(sources.len());
        for (index, source) in sources.iter_mut().enumerate() {
            let first = tables.len();
            match self.outcome_of(index) {
                Some(outcome) => tables.extend(outcome.tables.iter().cloned()),
                None => tables.push(self.analysis.refs[index].table.clone()),
            }
            source.tables = first..tables.len();
        }
        tables.into()
    }

    /// Has rows that are already there copied there: a table that is mentioned twice is read once, and looks the same
    /// in both places.
    fn copies(&self, sources: &mut [GatherSource]) {
        let refs = &self.analysis.refs;
        let same_table = |one: usize, two: usize| {
            let (one, two) = (&refs[one].table, &refs[two].table);
            one.schema == two.schema && one.table.name == two.table.name
        };
        // The text that reads them is then no longer that of the table alone.
        let own = self.has_locks() || refs.iter().any(|found| self.partitions(found).is_some());
        for index in 1..sources.len() {
            let (before, source) = (&sources[..index], &sources[index]);
            let both_reached =
                |other: usize| self.is_reachable(sources, index) && self.is_reachable(sources, other);
            let is_like = |other: &GatherSource| {
                // With predicates in it the text has the reference's own name.
                let filtered =
                    (own || other.is_filtered() || source.is_filtered()) && other.rows != source.rows;
                !filtered && other.names == source.names
            };
            let found = before
                .iter()
                .enumerate()
                .position(|(at, other)| other.copy_of.is_none() && same_table(at, index) && is_like(other));
            // A few rows of each are less than all rows once.
            sources[index].copy_of = found.filter(|other| !both_reached(*other));
        }
    }

    /// The client's text with temporary tables in the place of its own.
    fn statement(&self) -> Result<Target> {
        let mut edits: Vec<Edit> = Vec::new();
        for (index, found) in self.analysis.refs.iter().enumerate() {
            edits.push(Edit { at: found.name, text: name_in_text(&self.temporary_name(index), found) });
        }
        edits
            .extend(self.analysis.schema_prefixes.iter().map(|span| Edit { at: *span, text: String::new() }));
        let words = self.analysis.table_words.iter();
        edits.extend(words.map(|word| Edit { at: *word, text: SELECT_ALL.to_owned() }));
        edits.extend(self.index_hints().into_iter().map(|at| Edit { at, text: String::new() }));
        let done = self.done_at_source();
        edits.retain(|edit| !done.iter().any(|done| done.at.covers(edit.at)));
        let parameters = self.parameters_beside(&done)?;
        edits.extend(done);
        self.refuse_left(&edits)?;
        edits.extend(shown::names(self.planning.sql, &self.tokens, &self.segments, &edits));
        edits.sort_by_key(|edit| edit.at);
        edits.dedup();
        let end = self.tokens.iter().rev().find(|token| !token.is_symbol(b';'));
        let end = end.map_or(self.planning.sql.len(), |token| token.span.end as usize);
        let sql = splice(&self.planning.sql[..end], &edits);
        Ok(Target { node: NodeId::SCRATCH, shard: None, sql, parameters })
    }

    /// Whether it leaves values in user variables.
    fn sets_variables(&self) -> bool {
        let sql = self.planning.sql;
        self.tokens.iter().any(|token| token.kind == TokenKind::Operator && token.span.of(sql) == b":=")
    }

    /// `USE INDEX (…)` and the like: the temporary tables have other keys.
    fn index_hints(&self) -> Vec<serval_sql::Span> {
        let (sql, tokens) = (self.planning.sql, &self.tokens);
        let is = |at: usize, word: &str| tokens.get(at).is_some_and(|token: &Token| token.is_word(sql, word));
        let begins = |at: usize| {
            (is(at, "USE") || is(at, "FORCE") || is(at, "IGNORE"))
                && (is(at + 1, "INDEX") || is(at + 1, "KEY"))
        };
        let hints = (0..tokens.len()).filter(|&at| begins(at));
        let ended = hints.filter_map(|at| {
            let close = (at + 2..tokens.len()).find(|&close| tokens[close].is_symbol(b')'))?;
            Some(serval_sql::Span { start: tokens[at].span.start, end: tokens[close].span.end })
        });
        ended.collect()
    }
}

fn name_in_text(name: &str, found: &TableRef) -> String {
    let mut text = Vec::new();
    quote(name, &mut text);
    if !found.aliased {
        text.extend_from_slice(b" AS ");
        quote(&found.exposed, &mut text);
    }
    String::from_utf8_lossy(&text).into_owned()
}

/// Plans and binds a statement of our own that reads one table.
fn read(planning: Planning<'_>, schema: &str, sql: &str, values: &Values<'_>) -> Result<Primitive> {
    read_under(planning, Some(schema), sql, values)
}

/// The same, where names without a schema are those of another one, or of none.
fn read_under(
    planning: Planning<'_>,
    schema: Option<&str>,
    sql: &str,
    values: &Values<'_>,
) -> Result<Primitive> {
    let scan: Scan = serval_sql::scan(sql.as_bytes(), planning.options)
        .map_err(|_| PlanError::refused("The statement cannot be read"))?;
    let parsed = dml(sql, planning.options)?;
    let own = Planning {
        moves: false,
        schema,
        sql: sql.as_bytes(),
        readable: sql,
        scan: &scan,
        parsed: &parsed,
        ..planning
    };
    let plan = own.plan()?;
    let request = crate::plan::BindRequest {
        now: values.now,
        text: values.text,
        zone: values.zone,
        variables: values.variables,
        ..crate::plan::BindRequest::of(sql.as_bytes(), &scan)
    };
    Ok(plan.bind(&request)?.root)
}
