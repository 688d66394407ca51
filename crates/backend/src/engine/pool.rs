//! The connections to one engine, and answers that come over them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use metrics::{counter, gauge};
use parking_lot::Mutex;
use serval_catalog::Engine;
use serval_remote::{EngineAnswer, EngineEvent, EngineStatus, EngineWarnings, Later};
use serval_types::{ErrorCode, MysqlError};
use serval_wire::packet::text_row;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout_at;

use super::conversation::{Conversation, Heard};
use super::login;
use crate::error::LinkError;
use crate::handshake::{Login, connect_engine};

/// Engines close what is idle, some of them soon.
const KEPT: Duration = Duration::from_secs(60);
/// No more of a statement's warnings are fetched.
const MOST_WARNINGS: usize = 64;

#[derive(Debug)]
pub(super) struct Pool {
    pub(super) engine: Arc<Engine>,
    login: Login,
    connect: Duration,
    free: Mutex<Vec<(Instant, Conversation)>>,
    room: Arc<Semaphore>,
    queries: AtomicU64,
    seen: Mutex<Seen>,
}

/// What is known of the engine.
#[derive(Debug, Default)]
struct Seen {
    version: Option<String>,
    up: Option<bool>,
    last_error: Option<String>,
}

impl Pool {
    pub(super) fn new(engine: Arc<Engine>, connect: Duration) -> Self {
        let room = Arc::new(Semaphore::new(engine.max_connections.min(Semaphore::MAX_PERMITS)));
        let login = login(&engine);
        let (free, seen) = (Mutex::default(), Mutex::default());
        Self { engine, login, connect, free, room, queries: AtomicU64::new(0), seen }
    }

    pub(super) fn is_of(&self, engine: &Engine, connect: Duration) -> bool {
        *self.engine == *engine && self.connect == connect
    }

    pub(super) fn status(&self) -> EngineStatus {
        let seen = self.seen.lock();
        let Engine { name, address, max_connections, .. } = &*self.engine;
        EngineStatus {
            name: name.clone(),
            address: address.to_string(),
            version: seen.version.clone(),
            up: seen.up,
            last_error: seen.last_error.clone(),
            max_connections: *max_connections,
            used: max_connections.saturating_sub(self.room.available_permits()),
            free: self.free.lock().len(),
            queries: self.queries.load(Ordering::Relaxed),
        }
    }

    /// Sends a statement.
    pub(super) async fn ask(self: Arc<Self>, sql: &[u8]) -> Result<Answer, MysqlError> {
        let deadline = tokio::time::Instant::now() + self.engine.timeout;
        let Ok(Ok(permit)) = timeout_at(deadline, Arc::clone(&self.room).acquire_owned()).await else {
            let name = &self.engine.name;
            return Err(MysqlError::new(
                ErrorCode::WaitTimeout,
                format!("Engine {name}: every connection stayed busy for the time allowed"),
            ));
        };
        self.queries.fetch_add(1, Ordering::Relaxed);
        counter!("serval_engine_queries_total", "engine" => self.engine.name.clone()).increment(1);
        let conversation = match self.take() {
            Some(conversation) => conversation,
            None => self.connect(deadline).await?,
        };
        let mut answer = Answer { pool: self, conversation: Some(conversation), deadline, _permit: permit };
        answer.send(sql).await?;
        Ok(answer)
    }

    /// A connection that waits, if there is one.
    fn take(&self) -> Option<Conversation> {
        let mut free = self.free.lock();
        while let Some((since, mut conversation)) = free.pop() {
            if since.elapsed() < KEPT && conversation.is_idle() {
                return Some(conversation);
            }
        }
        None
    }

    async fn connect(&self, deadline: tokio::time::Instant) -> Result<Conversation, MysqlError> {
        let left = deadline.saturating_duration_since(tokio::time::Instant::now());
        match connect_engine(&self.login, self.connect.min(left)).await {
            Ok(connected) => {
                self.seen.lock().version = Some(connected.version.clone());
                self.found(true);
                Ok(Conversation::new(connected))
            }
            Err(error) => {
                let name = &self.engine.name;
                self.note(&error);
                Err(MysqlError::new(
                    ErrorCode::BackendUnavailable,
                    format!("Engine {name} cannot be reached; its tables are back when it is"),
                ))
            }
        }
    }

    fn note(&self, error: &LinkError) {
        tracing::warn!(engine = self.engine.name, %error, "an engine failed");
        self.seen.lock().last_error = Some(error.to_string());
        self.found(false);
        self.count_error();
    }

    /// Notes how a statement found it.
    fn found(&self, up: bool) {
        self.seen.lock().up = Some(up);
        gauge!("serval_engine_up", "engine" => self.engine.name.clone()).set(f64::from(u8::from(up)));
    }

    fn count_error(&self) {
        counter!("serval_engine_errors_total", "engine" => self.engine.name.clone()).increment(1);
    }

    fn lost(&self, error: &LinkError) -> MysqlError {
        self.note(error);
        let name = &self.engine.name;
        MysqlError::new(
            ErrorCode::BackendUnavailable,
            format!(
                "Engine {name}: the connection was lost; what it was doing may or may not have been done"
            ),
        )
    }
}

/// An answer, with the connection that it comes over.
#[derive(Debug)]
pub(super) struct Answer {
    pool: Arc<Pool>,
    /// Absent when it is over.
    conversation: Option<Conversation>,
    deadline: tokio::time::Instant,
    _permit: OwnedSemaphorePermit,
}

impl Answer {
    async fn send(&mut self, sql: &[u8]) -> Result<(), MysqlError> {
        let Some(conversation) = &mut self.conversation else { return Err(over()) };
        match timeout_at(self.deadline, conversation.send(sql)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(self.pool.lost(&error)),
            Err(_) => Err(self.late()),
        }
    }

    async fn hear(&mut self) -> Result<Heard, MysqlError> {
        let Some(conversation) = &mut self.conversation else { return Err(over()) };
        match timeout_at(self.deadline, conversation.hear()).await {
            Ok(Ok(heard)) => Ok(heard),
            Ok(Err(error)) => {
                self.conversation = None;
                Err(self.pool.lost(&error))
            }
            Err(_) => {
                self.conversation = None;
                Err(self.late())
            }
        }
    }

    async fn event(&mut self) -> Result<EngineEvent, MysqlError> {
        let event = match self.hear().await? {
            Heard::Event(event) => return Ok(event),
            Heard::Next => return Ok(EngineEvent::Next),
            Heard::End => EngineEvent::End(self.warnings().await),
            Heard::Ok(ok) => EngineEvent::Ok(ok, self.warnings().await),
            Heard::Refused(error) => {
                self.pool.count_error();
                self.give_back();
                return Err(error);
            }
        };
        self.give_back();
        Ok(event)
    }

    /// The warnings of what has just ended, as far as the engine knows the statement that shows them.
    async fn warnings(&mut self) -> EngineWarnings {
        let count = self.conversation.as_ref().map_or(0, |conversation| conversation.warnings);
        let mut rows = Vec::new();
        if count > 0 && self.send(b"SHOW WARNINGS").await.is_ok() {
            loop {
                match self.hear().await {
                    Ok(Heard::Event(EngineEvent::Row(row))) if rows.len() < MOST_WARNINGS => {
                        let cells = text_row::cells(&row).map_while(Result::ok);
                        rows.push(cells.map(|cell| cell.map(<[u8]>::to_vec)).collect::<Vec<_>>());
                    }
                    Ok(Heard::Event(_) | Heard::Next) => {}
                    Ok(Heard::End | Heard::Ok(_) | Heard::Refused(_)) | Err(_) => break,
                }
            }
        }
        rows.retain(|row| row.len() == 3);
        EngineWarnings { count, rows }
    }

    fn give_back(&mut self) {
        if let Some(conversation) = self.conversation.take() {
            self.pool.found(true);
            self.pool.free.lock().push((Instant::now(), conversation));
        }
    }

    fn late(&self) -> MysqlError {
        self.pool.count_error();
        let Engine { name, timeout, .. } = &*self.pool.engine;
        MysqlError::new(
            ErrorCode::QueryTimeout,
            format!("Engine {name} has not answered within {timeout:?} (its timeout in [engines])"),
        )
    }
}

impl EngineAnswer for Answer {
    fn next(&mut self) -> Later<'_, Result<EngineEvent, MysqlError>> {
        Box::pin(self.event())
    }
}

fn over() -> MysqlError {
    MysqlError::new(ErrorCode::BackendUnavailable, "The engine's answer is over")
}
