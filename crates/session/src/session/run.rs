//! Running plans: between a statement file and the executor.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Instant;

use serval_catalog::{Catalog, Consistency};
use serval_executor::{Completed, Context, ExecuteError, ResultSink, Watch, query_rows_under};
use serval_planner::primitive::{Primitive, Route, Target};
use serval_planner::{Bound, PlanTable};
use serval_remote::{Backend, SessionState};
use serval_sql::{HintedServer, LexOptions, may_call_stored};
use serval_transaction::Transaction;
use serval_types::{MysqlError, NodeId};
use serval_wire::command::execute::Parameters;

use super::warnings::targets;
use super::{Effects, Purpose, Query, Session, has_not_run, prepare};
use crate::answer::{Answer, Collect};
use crate::charset;
use crate::failure::{Failure, no_schema};
use crate::identity::{self, Replaced, Style};
use crate::statement::{named_locks, one_group};

impl<B: Backend> Session<B> {
    /// Runs a bound plan under `state` and in the session's transaction; with parameters, in the binary protocol.
    pub(crate) async fn execute<S: ResultSink>(
        &mut self,
        bound: &Bound,
        catalog: &Catalog,
        state: &SessionState,
        parameters: Option<&Parameters>,
        sink: &mut S,
    ) -> Result<Completed, ExecuteError> {
        self.execute_watched(bound, catalog, state, parameters, sink, None).await
    }

    /// [`Session::execute`], with what each part of it does noted.
    pub(crate) async fn execute_watched<S: ResultSink>(
        &mut self,
        bound: &Bound,
        catalog: &Catalog,
        state: &SessionState,
        parameters: Option<&Parameters>,
        sink: &mut S,
        watch: Option<Watch<'_>>,
    ) -> Result<Completed, ExecuteError> {
        self.check_locked(bound)?;
        let was_open = self.transaction.is_open();
        self.last.nodes = targets(&bound.root).len();
        let schema = self.current_schema(catalog);
        let consistency = schema.is_some_and(|schema| schema.consistency == Consistency::Any);
        let replicas = match self.asked {
            _ if self.at_primary => false,
            Some(HintedServer::Primary) => false,
            Some(HintedServer::Replica) => true,
            None => !was_open && consistency,
        };
        let mode = self.transaction_mode(schema);
        let mut outside = None;
        let transaction = if self.stays_outside(bound, catalog) {
            outside.insert(Transaction::new())
        } else {
            &mut self.transaction
        };
        let mut context = Context {
            backend: &self.backend,
            catalog,
            deadline: Instant::now() + catalog.settings.acquire_timeout,
            memory_limit: catalog.settings.memory_per_query,
            replicas,
            transaction,
            mode,
            state,
            parameters,
            watch,
            share: 1,
        };
        let result = serval_executor::execute(bound, &mut context, sink).await;
        let flavour = self.proxy.flavour();
        let kept = result.as_ref().is_err_and(|error| has_not_run(&error.to_mysql(), flavour));
        if !self.transaction.is_open() && !bound.tables.is_empty() && !kept {
            // A deadlock or a DDL ended it, or the characteristics were for this one statement.
            self.transaction_ended();
        }
        result
    }

    /// Under LOCK TABLES only locked tables may be used, and temporary ones, which may also be made.
    pub(crate) fn check_locked(&self, bound: &Bound) -> Result<(), ExecuteError> {
        let Some(locked) = &self.locked else { return Ok(()) };
        if bound.notes.iter().any(|note| note.rewrite == "temporary") {
            return Ok(());
        }
        let is_temporary = |table: &PlanTable| self.temporary.has(&table.schema, &table.table.name);
        locked.check(bound.tables.iter(), is_temporary).map_err(ExecuteError::Server)
    }

    /// Plans and runs a query of Serval's own making, under the client's state, into memory.
    pub(crate) async fn collect(&mut self, sql: &[u8]) -> Result<Answer, Failure> {
        let catalog = self.catalog();
        let sql = self.with_identity(sql)?;
        let scan = serval_sql::scan(&sql, self.options)
            .map_err(|_| MysqlError::refused("The expression is no SQL"))?;
        let query = Query::text(&sql, &scan);
        let mut ready = prepare(self, &catalog, &query, Purpose::Run).await?;
        let placed = named_locks::place(self, &catalog, &query, &mut ready).await?;
        self.begin_for(&catalog, &ready, &sql);
        let effects = Effects::of(&query, self.options);
        let read = one_group(&catalog, &ready.bound).filter(|_| !effects.wanted.is_nothing());
        if let Some(group) = read {
            self.pin_for(group, &effects.wanted).await?;
        }
        let answer = self.collect_bound(&ready.bound, &catalog).await;
        if let Some(placed) = placed {
            named_locks::settle(self, &catalog, placed, answer.is_ok()).await;
        }
        if let Some(group) = read {
            self.read_wanted(group, &effects.wanted).await?;
        }
        answer
    }

    /// Runs a bound plan into memory.
    pub(crate) async fn collect_bound(
        &mut self,
        bound: &Bound,
        catalog: &Catalog,
    ) -> Result<Answer, Failure> {
        let state = self.effective_state();
        self.collect_under(bound, catalog, &state).await
    }

    /// Runs a bound plan into memory, under a state that need not be the session's.
    pub(crate) async fn collect_under(
        &mut self,
        bound: &Bound,
        catalog: &Catalog,
        state: &SessionState,
    ) -> Result<Answer, Failure> {
        let (answer, _) =
            self.collect_completed(bound, catalog, state).await.map_err(|error| error.to_mysql())?;
        Ok(answer)
    }

    /// [`Session::collect_under`], and what else is known when it has run.
    pub(crate) async fn collect_completed(
        &mut self,
        bound: &Bound,
        catalog: &Catalog,
        state: &SessionState,
    ) -> Result<(Answer, Completed), ExecuteError> {
        let mut sink = Collect::new(catalog.settings.memory_per_query);
        match self.execute(bound, catalog, state, None, &mut sink).await {
            Ok(completed) => Ok((sink.into_answer(), completed)),
            // The sink here is memory: it was full.
            Err(ExecuteError::Client(_)) => {
                Err(ExecuteError::Memory { limit: catalog.settings.memory_per_query })
            }
            Err(error) => Err(error),
        }
    }

    /// Runs one statement on one node, as it is, into memory.
    pub(crate) async fn ask(&mut self, node: NodeId, sql: &str) -> Result<Answer, Failure> {
        let catalog = self.catalog();
        let bound = on_node(Target::new(node, None, sql.as_bytes().to_vec()));
        self.collect_bound(&bound, &catalog).await
    }

    /// [`Session::ask`] for what Serval reads itself, whatever characters the client has chosen for what it reads.
    pub(crate) async fn ask_readably(&mut self, node: NodeId, sql: &str) -> Result<Answer, Failure> {
        let catalog = self.catalog();
        let bound = on_node(Target::new(node, None, sql.as_bytes().to_vec()));
        let state = charset::readable(self.effective_state());
        self.collect_under(&bound, &catalog, &state).await
    }

    /// Asks a node under a state of Serval's own, so that answers are in UTF-8.
    pub(crate) async fn ask_in_utf8(
        &mut self,
        catalog: &Catalog,
        node: NodeId,
        sql: &str,
    ) -> Result<Answer, Failure> {
        let target = Target::new(node, None, sql.as_bytes().to_vec());
        self.collect_under(&on_node(target), catalog, &SessionState::default()).await
    }

    /// Runs one statement of Serval's own on one node under a state of its own, apart from the session's connections and
    /// its transaction, which a definition would commit.
    pub(crate) async fn ask_apart(
        &mut self,
        catalog: &Catalog,
        node: NodeId,
        sql: &str,
        state: &SessionState,
    ) -> Result<Answer, Failure> {
        let (servers, node) = (&*self.proxy.backend, catalog.node(node));
        let rows = query_rows_under(servers, node.group, Some(&node.database), state, sql).await;
        let rows = rows.map_err(|error| error.to_mysql())?;
        Ok(Answer { rows, ..Answer::default() })
    }

    /// The statement with its views expanded, where it reads or changes rows, and with what belongs to the session filled
    /// in.
    pub(crate) fn with_identity<'a>(&self, sql: &'a [u8]) -> Result<Cow<'a, [u8]>, MysqlError> {
        if let Some(expanded) = self.expand_text(sql)? {
            let replaced = self.replace_identity(&expanded.sql, self.options, Style::Literals)?;
            return Ok(replaced.map_or(expanded.sql, |replaced| replaced.sql).into());
        }
        let replaced = self.replace_identity(sql, self.options, Style::Literals)?;
        Ok(replaced.map_or_else(|| sql.into(), |replaced| replaced.sql.into()))
    }

    /// The statement with what belongs to the session replaced; `None` where there is nothing to replace.
    pub(crate) fn replace_identity(
        &self,
        sql: &[u8],
        options: LexOptions,
        style: Style,
    ) -> Result<Option<Replaced>, MysqlError> {
        if !identity::may_mention(sql) {
            return Ok(None);
        }
        identity::replace(sql, options, &self.facts(), style)
    }

    /// The node that answers what belongs to no table: the current schema's default, or the first there is.
    pub(crate) fn home(&self, catalog: &Catalog) -> Result<NodeId, MysqlError> {
        let schema = self.schema.as_deref().and_then(|name| catalog.schema(name));
        let default = schema.and_then(|schema| schema.default_node);
        default.or_else(|| catalog.nodes.first().map(|node| node.id)).ok_or_else(no_schema)
    }

    /// A statement without tables must not draw its group into the transaction.
    fn stays_outside(&self, bound: &Bound, catalog: &Catalog) -> bool {
        match &bound.root {
            Primitive::Route(Route { targets, .. })
                if bound.tables.is_empty() && self.transaction.is_open() =>
            {
                let joined = self.transaction.groups();
                targets.iter().all(|target| {
                    !joined.contains(&catalog.node(target.node).group)
                        && !may_call_stored(&target.sql, self.options)
                })
            }
            _ => false,
        }
    }

    fn facts(&self) -> identity::Facts<'_> {
        identity::Facts {
            schema: self.schema.as_deref(),
            user: &self.user,
            host: &self.host,
            connection_id: self.entry.id.0,
            version: self.proxy.server_version(),
            port: self.proxy.catalog.load().settings.listen.mysql.port(),
            autocommit: self.autocommit,
            in_transaction: self.transaction.is_open(),
            last_insert_id: self.last.insert_id,
            row_count: self.last.row_count,
            found_rows: self.last.found_rows,
            warnings: self.last.warnings.into(),
            errors: self.last.errors(),
            own: &self.own,
            wait_timeout: self.idle_timeout().as_secs(),
            isolation: self.shown_isolation(),
            read_only: self.shown_read_only(),
        }
    }
}

/// Whether one node answers the statement, whole.
pub(crate) fn is_one_node(bound: &Bound) -> bool {
    matches!(&bound.root, Primitive::Route(route) if route.targets.len() == 1)
}

/// A plan that sends one statement to one node.
pub(crate) fn on_node(target: Target) -> Bound {
    let route = Route { targets: vec![target], replica_safe: false, hidden: 0 };
    Bound { root: Primitive::Route(route), tables: Arc::from([]), notes: Arc::from([]) }
}
