//! Servers that behave like servers, with one thing that goes wrong at one place.

mod answer;
mod group;

pub use answer::Answer;
pub use group::{Flavour, Group};

use std::future::pending;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use serval_remote::{Access, Backend, Burst, Connection, RemoteError, Request, SessionState};
use serval_types::GroupId;
use serval_wire::response::Prepared;

/// What goes wrong when a statement is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The connection breaks, and the server has not seen the statement.
    LostBefore,
    /// The connection breaks, and the server has run the statement.
    LostAfter,
    /// The answer never arrives, and the server does not notice that nobody reads it.
    HalfOpen,
    /// As [`Fault::HalfOpen`], but the statement did not arrive either.
    HalfOpenBefore,
    /// The server is killed and starts again, before it has seen the statement.
    ServerDiesBefore,
    /// The server is killed and starts again, after it has run the statement.
    ServerDiesAfter,
    /// The connection breaks for the client at once; the statement reaches the server so many statements later, if that
    /// still holds the connection then.
    Late(usize),
    /// The server says no.
    Refused,
    /// The server does it, and says no.
    RefusedAfter,
    /// XA START is refused and what was sent with it is run, in the transaction of a session without autocommit, whose
    /// connection is then closed. Other statements are [refused](Fault::Refused).
    StartRefused,
    /// The proxy is killed before the statement leaves it.
    ProxyDiesBefore,
    /// The proxy is killed before the answer reaches it.
    ProxyDiesAfter,
}

impl Fault {
    pub const ALL: [Self; 14] = [
        Self::LostBefore,
        Self::LostAfter,
        Self::HalfOpen,
        Self::HalfOpenBefore,
        Self::ServerDiesBefore,
        Self::ServerDiesAfter,
        Self::Late(1),
        Self::Late(3),
        Self::Late(9),
        Self::Refused,
        Self::RefusedAfter,
        Self::StartRefused,
        Self::ProxyDiesBefore,
        Self::ProxyDiesAfter,
    ];

    fn runs(self) -> bool {
        use Fault::{HalfOpen, LostAfter, ProxyDiesAfter, RefusedAfter, ServerDiesAfter};
        matches!(self, LostAfter | HalfOpen | ServerDiesAfter | ProxyDiesAfter | RefusedAfter)
    }
}

#[derive(Debug)]
struct World {
    groups: Vec<Group>,
    step: usize,
    faults: Vec<(usize, Fault)>,
    /// Statements on their way: when they arrive, where, on which connection.
    late: Vec<(usize, usize, u32, Vec<String>)>,
    /// A proxy that died says and hears nothing more.
    dead: bool,
    log: Vec<String>,
}

impl World {
    /// Late statements arrive.
    fn deliver(&mut self) {
        let due: Vec<_> = self.late.extract_if(.., |(at, ..)| *at < self.step).collect();
        for (_, group, id, statements) in due {
            for sql in statements {
                if self.groups[group].is_open(id) {
                    self.groups[group].run(id, &sql);
                    self.log.push(format!("late g{group}: {sql}"));
                }
            }
        }
    }
}

/// All groups; clones share them.
#[derive(Debug, Clone)]
pub struct Servers(Arc<Mutex<World>>);

impl Servers {
    pub fn new(groups: usize, flavour: Flavour) -> Self {
        let groups = (0..groups).map(|_| Group::new(flavour)).collect();
        Self(Arc::new(Mutex::new(World {
            groups,
            step: 0,
            faults: Vec::new(),
            late: Vec::new(),
            dead: false,
            log: Vec::new(),
        })))
    }

    /// From now on, counting statements from 0, these go wrong.
    pub fn fail(&self, faults: &[(usize, Fault)]) {
        let mut world = self.0.lock();
        world.step = 0;
        world.faults = faults.to_vec();
    }

    /// How many statements were sent since then.
    pub fn steps(&self) -> usize {
        self.0.lock().step
    }

    /// Whether the proxy was killed.
    pub fn is_dead(&self) -> bool {
        self.0.lock().dead
    }

    /// Nothing goes wrong any more, and another proxy is there.
    pub fn heal(&self) {
        self.0.lock().faults.clear();
        self.start_again();
    }

    /// Another proxy is there.
    pub fn start_again(&self) {
        self.0.lock().dead = false;
    }

    /// What is still on its way arrives.
    pub fn settle(&self) {
        let mut world = self.0.lock();
        world.step += 1000;
        world.deliver();
    }

    pub fn with<T>(&self, group: usize, look: impl FnOnce(&mut Group) -> T) -> T {
        look(&mut self.0.lock().groups[group])
    }

    pub fn log(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().log)
    }
}

impl Backend for Servers {
    type Connection = Server;

    async fn acquire(
        &self,
        group: GroupId,
        _access: Access,
        _state: &SessionState,
        _deadline: Instant,
    ) -> Result<Server, RemoteError> {
        if self.is_dead() {
            return pending().await;
        }
        let id = self.with(group.0.into(), Group::connect);
        Ok(Server {
            servers: self.clone(),
            group: usize::from(group.0),
            id,
            answer: None,
            half_open: false,
            fate: Fate::Fine,
        })
    }

    async fn acquire_many(
        &self,
        group: GroupId,
        access: Access,
        _count: usize,
        state: &SessionState,
        deadline: Instant,
    ) -> Result<Vec<Server>, RemoteError> {
        Ok(vec![self.acquire(group, access, state, deadline).await?])
    }

    fn fan_out(&self, _group: GroupId) -> usize {
        1
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Fine,
    Lost { sent: bool },
    Silent,
}

#[derive(Debug)]
pub struct Server {
    servers: Servers,
    group: usize,
    id: u32,
    answer: Option<Answer>,
    /// The server does not see that this end is closed.
    half_open: bool,
    fate: Fate,
}

impl Server {
    fn lost(&self, sent: bool) -> RemoteError {
        let group = format!("g{}", self.group);
        RemoteError::Lost { group, server: String::new(), sent, reason: "fault".into() }
    }

    /// Runs the statement, or does to it what is to go wrong.
    fn meet(&mut self, request: &Request<'_>) {
        let mut world = self.servers.0.lock();
        let sql = std::str::from_utf8(request.sql).unwrap();
        let step = world.step;
        world.step += 1;
        let fault = world.faults.iter().find(|(at, _)| *at == step).map(|(_, fault)| *fault);
        world.log.push(format!(
            "{step} g{}: {sql}{}",
            self.group,
            fault.map_or(String::new(), |fault| format!(" ← {fault:?}"))
        ));
        world.deliver();
        let dead = world.dead;
        let group = &mut world.groups[self.group];
        if dead || !group.is_open(self.id) {
            self.fate = if dead { Fate::Silent } else { Fate::Lost { sent: false } };
            return;
        }
        if fault.is_none_or(Fault::runs) {
            let begun = request.begin.map(|begin| group.run(self.id, begin));
            let begun = begun.filter(|answer| matches!(answer, Answer::Error(_)));
            self.answer = Some(begun.unwrap_or_else(|| group.run(self.id, sql)));
        }
        match fault {
            None => {}
            Some(Fault::StartRefused) if request.begin.is_some_and(|begin| begin.starts_with("XA START")) => {
                group.run(self.id, "START TRANSACTION");
                group.run(self.id, sql);
                group.close(self.id);
                self.fate = Fate::Lost { sent: true };
            }
            Some(Fault::Refused | Fault::RefusedAfter | Fault::StartRefused) => {
                self.answer = Some(Answer::Error(1290))
            }
            Some(Fault::Late(steps)) => {
                self.half_open = true;
                self.fate = Fate::Lost { sent: true };
                let all = request.begin.into_iter().chain([sql]).map(str::to_owned).collect();
                world.late.push((step + steps, self.group, self.id, all));
            }
            Some(Fault::LostBefore | Fault::LostAfter) => {
                group.close(self.id);
                self.fate = Fate::Lost { sent: fault == Some(Fault::LostAfter) };
            }
            Some(Fault::HalfOpen | Fault::HalfOpenBefore) => {
                self.half_open = true;
                self.fate = Fate::Lost { sent: true };
            }
            Some(Fault::ServerDiesBefore | Fault::ServerDiesAfter) => {
                group.crash();
                self.fate = Fate::Lost { sent: fault == Some(Fault::ServerDiesAfter) };
            }
            Some(Fault::ProxyDiesBefore | Fault::ProxyDiesAfter) => {
                self.fate = Fate::Silent;
                world.dead = true;
            }
        }
    }
}

impl Connection for Server {
    async fn send(&mut self, request: &Request<'_>) -> Result<(), RemoteError> {
        // Other tasks may run while a statement is on its way.
        tokio::task::yield_now().await;
        self.meet(request);
        match self.fate {
            Fate::Silent => pending().await,
            Fate::Lost { sent: false } => Err(self.lost(false)),
            Fate::Fine | Fate::Lost { sent: true } => Ok(()),
        }
    }

    async fn read_burst(&mut self) -> Result<Burst, RemoteError> {
        tokio::task::yield_now().await;
        match (self.fate, self.answer.take()) {
            (Fate::Fine, Some(answer)) => Ok(answer.burst()),
            _ => Err(self.lost(true)),
        }
    }

    async fn prepare(&mut self, _request: &Request<'_>) -> Result<Prepared, RemoteError> {
        unreachable!("nothing here is prepared")
    }

    fn in_transaction(&self) -> bool {
        self.servers.0.lock().groups[self.group].in_transaction(self.id)
    }

    fn begins_branch(&mut self) -> bool {
        self.servers.with(self.group, |group| group.has_xa())
    }

    fn spoil(&mut self) {}

    fn thread_id(&self) -> u32 {
        self.id
    }

    fn server_name(&self) -> &'static str {
        "server"
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if !self.half_open {
            self.servers.0.lock().groups[self.group].close(self.id);
        }
    }
}

/// As long as a test waits for anything.
pub const SOON: Duration = Duration::from_secs(1);
