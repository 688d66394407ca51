//! Servers that play a script, a client that records, and a small catalog for both.

mod answer;
mod client;
mod plan;
mod servers;

pub use answer::{Answer, Step, int, text};
pub use client::Client;
pub use plan::*;
pub use servers::Servers;

use std::time::{Duration, Instant};

use serval_catalog::{Catalog, TransactionMode};
use serval_executor::{Completed, Context, ExecuteError, execute};
use serval_planner::Bound;
use serval_planner::primitive::{Primitive, Spread, Tally, Target};
use serval_remote::SessionState;
use serval_transaction::Transaction;
use serval_types::Value;
use serval_wire::command::execute::Parameters;
use serval_wire::response::Prepared;

/// A session over scripted servers: three groups; nodes dn0 and dn1 on g0, dn2 on g1, dn3 on g2.
pub struct Session {
    pub servers: Servers,
    pub catalog: Catalog,
    pub transaction: Transaction<Servers>,
    pub client: Client,
    pub memory_limit: usize,
    pub replicas: bool,
    /// Those of a prepared statement.
    pub parameters: Option<Parameters>,
}

impl Session {
    pub fn new() -> Self {
        Self {
            servers: Servers::default(),
            catalog: catalog(),
            transaction: Transaction::new(),
            client: Client::default(),
            memory_limit: 1 << 20,
            replicas: false,
            parameters: None,
        }
    }

    /// A session that executes a prepared statement with these parameters.
    pub fn with_parameters(values: &[Value]) -> Self {
        let mut parameters = Parameters::none();
        values.iter().for_each(|value| parameters.push(value));
        let client = Client { binary: true, ..Client::default() };
        Self { parameters: Some(parameters), client, ..Self::new() }
    }

    /// A session inside a transaction.
    pub fn in_transaction() -> Self {
        let mut session = Self::new();
        session.transaction.begin("BEGIN", TransactionMode::BestEffort);
        session
    }

    pub async fn execute(&mut self, bound: &Bound) -> Result<Completed, ExecuteError> {
        let state = SessionState::default();
        let mut context = Context {
            backend: &self.servers,
            catalog: &self.catalog,
            transaction: &mut self.transaction,
            mode: TransactionMode::BestEffort,
            state: &state,
            deadline: Instant::now() + Duration::from_secs(1),
            memory_limit: self.memory_limit,
            replicas: self.replicas,
            parameters: self.parameters.as_ref(),
            watch: None,
            share: 1,
        };
        execute(bound, &mut context, &mut self.client).await
    }

    pub async fn prepare(&mut self, target: &Target) -> Result<Prepared, ExecuteError> {
        let state = SessionState::default();
        let tables = bound(Primitive::Spread(Spread::new(Vec::new(), Tally::Sum))).tables;
        let mut context = Context {
            backend: &self.servers,
            catalog: &self.catalog,
            transaction: &mut self.transaction,
            mode: TransactionMode::BestEffort,
            state: &state,
            deadline: Instant::now() + Duration::from_secs(1),
            memory_limit: self.memory_limit,
            replicas: self.replicas,
            parameters: None,
            watch: None,
            share: 1,
        };
        serval_executor::prepare(target, &tables, &mut context).await
    }

    /// Runs a plan that fails; the error as the client sees it.
    pub async fn fail(&mut self, bound: &Bound) -> serval_types::MysqlError {
        self.execute(bound).await.unwrap_err().to_mysql()
    }
}
