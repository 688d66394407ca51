//! Scripted servers behind the remote traits.

use std::collections::{HashMap, VecDeque};
use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use serval_remote::{Access, Backend, Burst, Connection, RemoteError, Request, SessionState};
use serval_types::{GroupId, MysqlError};
use serval_wire::response::{CompletionKind, Prepared, ResponseScanner};

use super::answer::{Answer, Step};

/// All groups. What is not scripted is answered with OK if it belongs to a transaction, or else with an error.
#[derive(Debug, Clone, Default)]
pub struct Servers(Arc<Mutex<Script>>);

#[derive(Debug, Default)]
struct Script {
    log: Vec<String>,
    answers: HashMap<(u16, String), VecDeque<Answer>>,
    prepared: HashMap<(u16, String), Prepared>,
    fan_out: HashMap<u16, usize>,
    busy: Vec<u16>,
    down: Vec<u16>,
    open: usize,
}

impl Servers {
    /// The next time that `group` is sent `sql`, it answers this.
    pub fn on(&self, group: u16, sql: &str, answer: Answer) {
        let mut script = self.0.lock().unwrap();
        script.answers.entry((group, sql.to_owned())).or_default().push_back(answer);
    }

    /// When `group` is asked to prepare `sql`, it answers this.
    pub fn on_prepare(&self, group: u16, sql: &str, prepared: Prepared) {
        self.0.lock().unwrap().prepared.insert((group, sql.to_owned()), prepared);
    }

    pub fn fan_out(&self, group: u16, connections: usize) {
        self.0.lock().unwrap().fan_out.insert(group, connections);
    }

    /// No connection of `group` becomes free, ever.
    pub fn exhaust(&self, group: u16) {
        self.0.lock().unwrap().busy.push(group);
    }

    /// No server of `group` can be reached.
    pub fn down(&self, group: u16) {
        self.0.lock().unwrap().down.push(group);
    }

    /// What happened since the last call: `g0.shop_0: SELECT 1`, `g0.shop_0: SELECT ? [0]` with parameters, `g0 acquire 2`, `g0 closed`.
    pub fn log(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap().log)
    }

    /// Connections in somebody's hands.
    pub fn open(&self) -> usize {
        self.0.lock().unwrap().open
    }

    fn note(&self, line: String) {
        self.0.lock().unwrap().log.push(line);
    }

    async fn connect(
        &self,
        group: GroupId,
        access: Access,
        count: usize,
    ) -> Result<Vec<Server>, RemoteError> {
        if self.0.lock().unwrap().down.contains(&group.0) {
            let (group, reason) = (format!("g{}", group.0), "script".to_owned());
            return Err(RemoteError::Unavailable { group, reason });
        }
        if self.0.lock().unwrap().busy.contains(&group.0) {
            pending::<()>().await;
        }
        if count > 1 {
            self.note(format!("g{} acquire {count}", group.0));
        }
        if access == Access::Replica {
            self.note(format!("g{} replica", group.0));
        }
        self.0.lock().unwrap().open += count;
        let server = || Server {
            servers: self.clone(),
            group: group.0,
            in_transaction: false,
            spoiled: false,
            answer: VecDeque::new(),
            scanner: ResponseScanner::new(true),
        };
        Ok(std::iter::repeat_with(server).take(count).collect())
    }
}

impl Backend for Servers {
    type Connection = Server;

    async fn acquire(
        &self,
        group: GroupId,
        access: Access,
        _state: &SessionState,
        _deadline: Instant,
    ) -> Result<Server, RemoteError> {
        Ok(self.connect(group, access, 1).await?.remove(0))
    }

    async fn acquire_many(
        &self,
        group: GroupId,
        access: Access,
        count: usize,
        _state: &SessionState,
        _deadline: Instant,
    ) -> Result<Vec<Server>, RemoteError> {
        self.connect(group, access, count).await
    }

    fn fan_out(&self, group: GroupId) -> usize {
        self.0.lock().unwrap().fan_out.get(&group.0).copied().unwrap_or(1)
    }
}

/// A connection. It notes being closed in mid-answer or in a transaction.
#[derive(Debug)]
pub struct Server {
    servers: Servers,
    group: u16,
    in_transaction: bool,
    spoiled: bool,
    answer: VecDeque<Step>,
    scanner: ResponseScanner,
}

impl Connection for Server {
    async fn send(&mut self, request: &Request<'_>) -> Result<(), RemoteError> {
        assert!(self.answer.is_empty(), "g{}: sent before the last answer was read", self.group);
        let sql = String::from_utf8(request.sql.to_vec()).unwrap();
        let database = request.database.map_or(String::new(), |database| format!(".{database}"));
        let begin = request.begin.map_or(String::new(), |begin| format!("{begin}; "));
        let selection = request.execution.map_or(String::new(), |execution| {
            assert!(execution.selection.iter().all(|&one| usize::from(one) < execution.parameters.len()));
            format!(" {:?}", execution.selection)
        });
        // Definitions enter their database anew, each of them.
        let enters = sql == "DO 0";
        if !enters {
            self.servers.note(format!("g{}{database}: {begin}{sql}{selection}", self.group));
        }
        self.in_transaction |= request.begin.is_some();
        let ends = sql == "COMMIT" || sql == "ROLLBACK";
        let scripted = {
            let mut script = self.servers.0.lock().unwrap();
            script.answers.get_mut(&(self.group, sql.clone())).and_then(VecDeque::pop_front)
        };
        if ends && scripted.is_none() {
            self.in_transaction = false;
        }
        let plain = ends || enters || sql.contains("SAVEPOINT");
        let answer = scripted.unwrap_or_else(|| {
            if plain { Answer::ok(0) } else { Answer::error(1105, &format!("not scripted: {sql}")) }
        });
        self.answer = answer.steps;
        self.scanner = ResponseScanner::new(true);
        Ok(())
    }

    async fn read_burst(&mut self) -> Result<Burst, RemoteError> {
        match self.answer.pop_front().expect("an answer to read") {
            Step::Burst(bytes) => {
                let scanned = self.scanner.scan(&bytes).unwrap();
                assert_eq!(scanned.consumed, bytes.len());
                if matches!(&scanned.complete, Some(end) if end.kind == CompletionKind::LocalInfile) {
                    self.answer.push_back(Step::Silence);
                }
                Ok(Burst { bytes, completion: scanned.complete })
            }
            Step::Lost => Err(RemoteError::Lost {
                group: format!("g{}", self.group),
                server: "server".into(),
                sent: true,
                reason: "script".into(),
            }),
            Step::Silence => {
                self.answer.push_back(Step::Silence);
                pending().await
            }
        }
    }

    async fn prepare(&mut self, request: &Request<'_>) -> Result<Prepared, RemoteError> {
        let sql = String::from_utf8(request.sql.to_vec()).unwrap();
        let database = request.database.unwrap_or_default();
        assert!(request.begin.is_none() && request.execution.is_none());
        self.servers.note(format!("g{}.{database}: prepare {sql}", self.group));
        let prepared = self.servers.0.lock().unwrap().prepared.get(&(self.group, sql)).cloned();
        let missing = || format!("Table '{database}.nosuch' doesn't exist");
        prepared.ok_or_else(|| {
            RemoteError::Refused(MysqlError { number: 1146, sqlstate: *b"42S02", message: missing() })
        })
    }

    fn in_transaction(&self) -> bool {
        self.in_transaction
    }

    fn spoil(&mut self) {
        self.spoiled = true;
    }

    fn thread_id(&self) -> u32 {
        1
    }

    fn server_name(&self) -> &'static str {
        "server"
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.servers.0.lock().unwrap().open -= 1;
        if self.spoiled || self.in_transaction || !self.answer.is_empty() {
            self.servers.note(format!("g{} closed", self.group));
        }
    }
}
