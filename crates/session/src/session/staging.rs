//! A statement that is done in several steps, all of them or none.

use std::sync::Arc;

use serval_catalog::Catalog;
use serval_planner::primitive::Primitive;
use serval_planner::{Bound, PlanTable};
use serval_remote::{Backend, SessionState};
use serval_types::{GroupId, MysqlError};
use serval_wire::command::execute::Parameters;
use serval_wire::packet::OkPacket;

use super::{Purpose, Query, Session, Wanted, begin_sql, fixed_timestamp, has_not_run, prepare, rescan};
use crate::answer::{Answer, Outcome, Row};
use crate::failure::{Failure, refused};
use crate::statement::{Learned, telling_group};

/// Marks where the statement began, on all groups of the client's transaction.
const SAVEPOINT: &str = "serval_steps";

/// How many warnings are kept, as a server's max_error_count has it.
const MOST_WARNINGS: usize = 64;

/// The steps of one statement, in a transaction of their own or in the client's.
///
/// Dropped before its [end](Staging::end), which is how a statement is given up, it leaves nothing half done: a
/// transaction of its own is gone, and the client's can only be rolled back.
pub(crate) struct Staging<'a, B: Backend> {
    pub(crate) session: &'a mut Session<B>,
    /// The snapshot that all steps work under.
    pub(crate) catalog: Arc<Catalog>,
    /// The transaction is the statement's own.
    own: bool,
    /// What the client has SET.
    state: SessionState,
    done: bool,
    /// What its steps have said.
    pub(crate) sum: Sum,
    /// How many warnings what was read last has left, and those that its servers have kept.
    warned: (u16, Vec<Row>),
}

impl<B: Backend> Staging<'_, B> {
    /// Whether the transaction is the statement's own, not the client's.
    pub(crate) fn is_own(&self) -> bool {
        self.own
    }
}

/// What the steps of a statement have said so far.
#[derive(Debug, Default)]
pub(crate) struct Sum {
    /// Rows changed.
    pub(crate) affected_rows: u64,
    /// The insert id that the client is told.
    pub(crate) reported_id: u64,
    /// What LAST_INSERT_ID() becomes; 0 where it stays.
    pub(crate) remembered_id: u64,
    warnings: u16,
    messages: Vec<Row>,
    /// The labels and numbers of the last texts for people, added up.
    fields: Vec<(String, u64)>,
}

impl<'a, B: Backend> Staging<'a, B> {
    /// Begins a statement.
    ///
    /// # Errors
    /// 1235 under LOCK TABLES, and whatever a savepoint meets.
    pub(crate) async fn begin(session: &'a mut Session<B>, catalog: Arc<Catalog>) -> Result<Self, Failure> {
        if session.locked.is_some() {
            return Err(refused(
                "A statement that takes several steps over shards would end LOCK TABLES; UNLOCK TABLES first",
            ));
        }
        // All steps happen at one moment.
        let timestamp = fixed_timestamp(session, &catalog).await?;
        session.begin_if_implicit(&catalog);
        let own = !session.transaction.is_open();
        if own {
            session.begin(begin_sql(session.next_transaction.read_only, false), &catalog);
        } else {
            session.transaction.savepoint(SAVEPOINT).await.map_err(|error| error.to_mysql())?;
        }
        let state = session.state.clone();
        if let Some(timestamp) = timestamp {
            session.state = state.with("timestamp", &timestamp);
        }
        Ok(Self { session, catalog, own, state, done: false, sum: Sum::default(), warned: (0, Vec::new()) })
    }

    /// Reads rows, in the binary protocol and each text in its own character set. The rows that are read, and those
    /// that decide which, are locked with `own` where they are of the table `of`, and else for sharing.
    pub(crate) async fn read(
        &mut self,
        sql: &[u8],
        lock: Option<Lock<'_>>,
    ) -> Result<(Outcome, Vec<PlanTable>), Failure> {
        let sql = self.session.with_identity(sql)?.into_owned();
        let scan = rescan(&sql, self.session.options)?;
        let catalog = Arc::clone(&self.catalog);
        let mut ready = prepare(self.session, &catalog, &Query::text(&sql, &scan), Purpose::Run).await?;
        if let Some(lock) = lock.filter(|_| !ready.plan.tables().is_empty()) {
            lock.put(&mut ready.bound);
        }
        let tables = ready.bound.tables.to_vec();
        let state = self.session.effective_state().with("character_set_results", "NULL");
        let parameters = Parameters::none();
        let (outcome, completed) = self.run(&ready.bound, &state, Some(&parameters)).await?;
        let messages = match (completed.warnings, completed.behind) {
            (0, _) => Vec::new(),
            (_, Some(behind)) => behind.warnings,
            (_, None) => self.warnings_of(&ready.bound, state).await,
        };
        self.warned = (completed.warnings, messages);
        Ok((outcome, tables))
    }

    /// How many warnings what was read last has left, and those that its servers have kept.
    pub(crate) fn take_warned(&mut self) -> (u16, Vec<Row>) {
        std::mem::take(&mut self.warned)
    }

    /// Runs a plan of Serval's own into memory.
    pub(crate) async fn run(
        &mut self,
        bound: &Bound,
        state: &SessionState,
        parameters: Option<&Parameters>,
    ) -> Result<(Outcome, serval_executor::Completed), Failure> {
        let catalog = Arc::clone(&self.catalog);
        let limit = catalog.settings.memory_per_query;
        let mut outcome = Outcome::new(limit);
        match self.session.execute(bound, &catalog, state, parameters, &mut outcome).await {
            Ok(completed) => Ok((outcome, completed)),
            // The sink here is memory: it was full.
            Err(serval_executor::ExecuteError::Client(_)) => Err(too_many_rows(limit).into()),
            Err(error) => Err(error.to_mysql().into()),
        }
    }

    /// Runs a statement that changes rows, and adds what it says to the sum.
    pub(crate) async fn change(&mut self, sql: &[u8]) -> Result<OkPacket, Failure> {
        let scan = rescan(sql, self.session.options)?;
        let catalog = Arc::clone(&self.catalog);
        let query = Query::text(sql, &scan);
        let ready = prepare(self.session, &catalog, &query, Purpose::Run).await?;
        let state = self.session.effective_state();
        let learned = Learned::of(self.session, &query, &ready);
        let wanted = Wanted { insert_id: learned == Learned::Asked, ..Wanted::default() };
        let read = telling_group(&catalog, &ready.bound).filter(|_| wanted.insert_id);
        if let Some(group) = read {
            self.session.pin_for(group, &wanted).await?;
        }
        let (outcome, completed) = match (self.run(&ready.bound, &state, None).await, read) {
            (Err(failure), Some(group)) => {
                self.session.abandon(group);
                return Err(failure);
            }
            (result, _) => result?,
        };
        let id = completed.last_insert_id;
        let reported = ready.numbers.map_or(id, |numbers| numbers.reported(id));
        let mut remembered = learned.insert_id(&ready, &completed, read.is_some());
        if let Some(group) = read {
            let asked = self.read_insert_id(group, wanted).await?;
            remembered = if remembered == 0 { asked } else { remembered };
        }
        if remembered != 0 && self.sum.remembered_id == 0 {
            (self.sum.remembered_id, self.sum.reported_id) = (remembered, reported);
        } else if self.sum.remembered_id == 0 && reported != 0 {
            self.sum.reported_id = reported;
        }
        match completed.behind {
            Some(behind) => {
                self.sum.add(&outcome.ok);
                self.sum.tell(behind.warnings);
            }
            None => self.add(&ready.bound, &outcome.ok, state).await,
        }
        Ok(outcome.ok)
    }

    /// What LAST_INSERT_ID() has become on the kept connection of `group`; 0 where it is as it was.
    async fn read_insert_id(&mut self, group: GroupId, wanted: Wanted) -> Result<u64, Failure> {
        let before = self.session.last.insert_id;
        self.session.read_wanted(group, &wanted).await?;
        let after = std::mem::replace(&mut self.session.last.insert_id, before);
        Ok(if after == before { 0 } else { after })
    }

    /// Adds what a plan has said, with its warnings, which the next step would make the servers forget.
    pub(crate) async fn add(&mut self, bound: &Bound, ok: &OkPacket, state: SessionState) {
        self.sum.add(ok);
        if ok.warnings == 0 {
            return;
        }
        let messages = self.warnings_of(bound, state).await;
        self.sum.tell(messages);
    }

    /// The warnings that a plan has left on its servers.
    async fn warnings_of(&mut self, bound: &Bound, state: SessionState) -> Vec<Row> {
        let catalog = Arc::clone(&self.catalog);
        self.session.note_warnings(bound, &catalog, state);
        self.session.last.messages = None;
        self.session.fetch_warnings().await;
        self.session.last.messages.take().map(|messages| messages.rows).unwrap_or_default()
    }

    /// Keeps or undoes what the steps did.
    ///
    /// # Errors
    /// That of the result, or of the COMMIT.
    pub(crate) async fn end<T>(mut self, result: Result<T, Failure>) -> Result<(T, Sum), Failure> {
        let ended = match (&result, self.own) {
            (Ok(_), true) => self.session.transaction.commit().await.map_err(|error| error.to_mysql()),
            (Err(_), true) => {
                self.session.transaction.rollback().await;
                Ok(())
            }
            // A deadlock has ended it.
            (Err(_), false) if !self.session.transaction.is_open() => Ok(()),
            (_, false) => self.leave(result.is_ok()).await,
        };
        if !self.session.transaction.is_open() {
            let characteristics = self.session.next_transaction.clone();
            self.session.transaction_ended();
            let flavour = self.session.proxy.flavour();
            if matches!(&result, Err(Failure::Told(error)) if has_not_run(error, flavour)) && self.own {
                self.session.next_transaction = characteristics;
            }
        }
        self.done = true;
        let sum = std::mem::take(&mut self.sum);
        drop(self);
        let value = result?;
        ended?;
        Ok((value, sum))
    }

    /// Ends the statement inside the client's transaction.
    async fn leave(&mut self, keep: bool) -> Result<(), MysqlError> {
        let transaction = &mut self.session.transaction;
        if !keep {
            transaction.rollback_to(SAVEPOINT).await.map_err(|error| error.to_mysql())?;
        }
        transaction.release(SAVEPOINT).await.map_err(|error| error.to_mysql())
    }
}

impl<B: Backend> Drop for Staging<'_, B> {
    fn drop(&mut self) {
        self.session.state = self.state.clone();
        if self.done {
            return;
        }
        if self.own {
            let sibling = self.session.transaction.sibling();
            self.session.transaction = sibling;
            self.session.transaction_ended();
        } else if let Some(group) = self.session.transaction.groups().first() {
            self.session.transaction.mark_lost(*group);
        }
    }
}

/// How the rows are locked that a statement reads before it writes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lock<'a> {
    /// The table whose rows will be changed.
    pub(crate) own: Option<&'a str>,
}

const UPDATE: &[u8] = b"\nFOR UPDATE";
// Both servers know it, and it waits as their own INSERT … SELECT does.
const SHARE: &[u8] = b"\nLOCK IN SHARE MODE";

impl Lock<'_> {
    fn put(self, bound: &mut Bound) {
        let Bound { root, tables, .. } = bound;
        let words = |at: usize| {
            let is_own =
                |table: &PlanTable| self.own.is_some_and(|own| own.eq_ignore_ascii_case(&table.table.name));
            if tables.get(at).is_some_and(is_own) { UPDATE } else { SHARE }
        };
        match root {
            Primitive::Gather(gather) => {
                for source in &mut gather.sources {
                    append(&mut source.rows, words(source.tables.start));
                }
            }
            root => append(root, words(0)),
        }
    }
}

fn append(root: &mut Primitive, words: &[u8]) {
    if let Some(route) = root.route_mut() {
        route.replica_safe = false;
        route.targets.iter_mut().for_each(|target| target.sql.extend_from_slice(words));
    }
}

impl Sum {
    fn add(&mut self, ok: &OkPacket) {
        self.affected_rows = self.affected_rows.saturating_add(ok.affected_rows);
        self.warnings = self.warnings.saturating_add(ok.warnings);
        for (label, number) in fields(&ok.info) {
            self.count(&label, number);
        }
    }

    /// Adds warnings of rows that were read.
    pub(crate) fn warn(&mut self, count: u16, messages: Vec<Row>) {
        self.warnings = self.warnings.saturating_add(count);
        self.tell(messages);
    }

    fn tell(&mut self, messages: Vec<Row>) {
        self.messages.extend(messages);
        self.messages.truncate(MOST_WARNINGS);
    }

    /// Adds to a number of the texts.
    pub(crate) fn count(&mut self, label: &str, number: u64) {
        match self.fields.iter_mut().find(|(known, _)| known == label) {
            Some((_, sum)) => *sum = sum.saturating_add(number),
            None => self.fields.push((label.to_owned(), number)),
        }
    }

    /// The text for people, where the servers had one.
    pub(crate) fn info(&self) -> Vec<u8> {
        let fields: Vec<String> =
            self.fields.iter().map(|(label, number)| format!("{label}: {number}")).collect();
        fields.join("  ").into_bytes()
    }

    /// How many warnings there were.
    pub(crate) fn warnings(&self) -> u16 {
        self.warnings
    }

    /// A number of the texts.
    pub(crate) fn field(&self, label: &str) -> u64 {
        self.fields.iter().find(|(known, _)| known == label).map_or(0, |(_, number)| *number)
    }

    /// Notes in the session what the statement did, and gives the client's OK.
    pub(crate) fn answer<B: Backend>(self, session: &mut Session<B>, info: Vec<u8>) -> OkPacket {
        let Self { affected_rows, reported_id, remembered_id, warnings, messages, .. } = self;
        session.last.changed(affected_rows, remembered_id, warnings);
        if warnings > 0 {
            let mut answer = Answer::of_text(&["Level", "Code", "Message"]);
            answer.rows = messages;
            session.last.messages = Some(answer);
        }
        OkPacket { affected_rows, last_insert_id: reported_id, warnings, info, ..session.plain_ok() }
    }
}

/// `Rows matched: 3  Changed: 2  Warnings: 0`, taken apart.
fn fields(info: &[u8]) -> Vec<(String, u64)> {
    let text = String::from_utf8_lossy(info);
    let fields = text.split("  ").filter_map(|field| {
        let (label, number) = field.trim().split_once(": ")?;
        Some((label.to_owned(), number.parse().ok()?))
    });
    fields.collect()
}

/// ER_CAPACITY_EXCEEDED.
fn too_many_rows(limit: usize) -> MysqlError {
    MysqlError::new(
        serval_types::ErrorCode::CapacityExceeded,
        format!(
            "Memory capacity of {limit} bytes for this statement (memory_per_query) exceeded by the rows that it reads \
             before it writes; do it in parts, or raise memory_per_query"
        ),
    )
}
