//! One server that keeps rows, XA branches and records, as far as the commit protocol can tell.
//!
//! The rules are those that real servers were seen to follow; the end-to-end tests hold the same rules against real ones.

use std::collections::{BTreeMap, BTreeSet};

use super::answer::Answer;

/// Which server's rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flavour {
    /// A prepared branch hangs on its connection until that is closed.
    MariaDb,
    /// A prepared branch is anybody's.
    MySql,
    /// There are no branches.
    NoXa,
}

/// What is written but not committed.
#[derive(Debug, Clone, Default)]
struct Writes {
    rows: BTreeSet<String>,
    record: Option<(String, Record)>,
}

#[derive(Debug, Clone)]
struct Record {
    verdict: String,
    owner: String,
}

/// A session's transaction.
#[derive(Debug, Clone, Default)]
enum State {
    #[default]
    Idle,
    Local(Writes),
    Active(String, Writes),
    Ended(String, Writes),
    /// The branch is in `prepared`.
    Prepared,
}

#[derive(Debug, Default)]
struct Session {
    state: State,
    uncommitted: bool,
}

#[derive(Debug)]
struct Branch {
    writes: Writes,
    attached: Option<u32>,
}

/// A server with what it stores.
#[derive(Debug)]
pub struct Group {
    flavour: Flavour,
    /// Which server is the primary.
    pub server: &'static str,
    /// What it answers is on a replica.
    pub acknowledges: bool,
    uuid: Option<String>,
    has_records: bool,
    /// What is committed.
    pub rows: BTreeSet<String>,
    records: BTreeMap<String, Record>,
    prepared: BTreeMap<String, Branch>,
    sessions: BTreeMap<u32, Session>,
    next: u32,
}

impl Group {
    pub fn new(flavour: Flavour) -> Self {
        Self {
            flavour,
            server: "this",
            acknowledges: true,
            uuid: None,
            has_records: false,
            rows: BTreeSet::new(),
            records: BTreeMap::new(),
            prepared: BTreeMap::new(),
            sessions: BTreeMap::new(),
            next: 1,
        }
    }

    pub fn has_xa(&self) -> bool {
        self.flavour != Flavour::NoXa
    }

    pub fn connect(&mut self) -> u32 {
        let id = self.next;
        self.next += 1;
        self.sessions.insert(id, Session::default());
        id
    }

    pub fn is_open(&self, id: u32) -> bool {
        self.sessions.contains_key(&id)
    }

    pub fn in_transaction(&self, id: u32) -> bool {
        self.sessions.get(&id).is_some_and(|session| !matches!(session.state, State::Idle))
    }

    /// Names of prepared branches.
    pub fn branches(&self) -> Vec<String> {
        self.prepared.keys().cloned().collect()
    }

    /// The connection is closed: what is not prepared is undone.
    pub fn close(&mut self, id: u32) {
        self.sessions.remove(&id);
        for branch in self.prepared.values_mut().filter(|branch| branch.attached == Some(id)) {
            branch.attached = None;
        }
    }

    /// SIGKILL and a start.
    pub fn crash(&mut self) {
        for id in self.sessions.keys().copied().collect::<Vec<_>>() {
            self.close(id);
        }
    }

    pub fn run(&mut self, id: u32, sql: &str) -> Answer {
        let Some(mut session) = self.sessions.remove(&id) else { return Answer::Error(2006) };
        let answer = self.answer(id, &mut session, sql);
        self.sessions.insert(id, session);
        answer
    }

    fn answer(&mut self, id: u32, session: &mut Session, sql: &str) -> Answer {
        if let Some(rest) = sql.strip_prefix("XA ") {
            return self.xa(id, &mut session.state, rest);
        }
        let words: Vec<&str> = sql.split(' ').collect();
        match words[..] {
            ["START", "TRANSACTION"] => {
                session.state = State::Local(Writes::default());
                Answer::Ok
            }
            ["COMMIT"] => match std::mem::take(&mut session.state) {
                State::Local(writes) => {
                    self.keep(writes);
                    Answer::Ok
                }
                State::Idle => Answer::Ok,
                other => {
                    session.state = other;
                    Answer::Error(1399)
                }
            },
            ["ROLLBACK"] => match session.state {
                State::Local(_) | State::Idle => {
                    session.state = State::Idle;
                    Answer::Ok
                }
                _ => Answer::Error(1399),
            },
            ["PUT", row] => match &mut session.state {
                State::Local(writes) | State::Active(_, writes) => {
                    writes.rows.insert(row.to_owned());
                    Answer::Ok
                }
                _ => Answer::Error(1399),
            },
            ["LOOK"] | ["DO", "0"] => Answer::Ok,
            ["KILL", other] => match other.parse() {
                Ok(other) if self.is_open(other) || other == id => {
                    self.close(other);
                    Answer::Ok
                }
                _ => Answer::Error(1094),
            },
            ["SET", "TRANSACTION", ..] => {
                session.uncommitted = true;
                Answer::Ok
            }
            ["CREATE", ..] => {
                self.has_records |= sql.contains("serval_transaction");
                Answer::Ok
            }
            ["UPDATE", ..] => Answer::Ok,
            ["INSERT", "IGNORE", ..] => {
                self.uuid.get_or_insert_with(|| literals(sql)[0].clone());
                Answer::Ok
            }
            ["INSERT", ..] => self.insert(id, session, sql),
            ["SELECT", "`uuid`", ..] => match &self.uuid {
                Some(uuid) => Answer::Rows(vec![vec![uuid.clone()]]),
                None => Answer::Error(1146),
            },
            ["SELECT", "`gtrid`", ..] if sql.contains(" IN (") => {
                let asked = literals(sql).into_iter().filter(|name| self.records.contains_key(name));
                Answer::Rows(asked.map(|name| vec![name]).collect())
            }
            // No record is old here.
            ["SELECT", "`gtrid`", ..] => Answer::Rows(Vec::new()),
            ["SELECT", "`verdict`", ..] | ["SELECT", "`owner`", ..] => self.select(session, sql),
            ["SELECT", "CONCAT_WS('", ..] => {
                Answer::Rows(vec![vec![self.server.to_owned(), "0-1-1".to_owned()]])
            }
            ["SELECT", "COUNT(*)", "FROM", place, ..] => {
                match place == "information_schema.GLOBAL_VARIABLES" && self.flavour == Flavour::MySql {
                    true => Answer::Error(1109),
                    false => Answer::Rows(vec![vec![u8::from(self.acknowledges).to_string()]]),
                }
            }
            _ => panic!("what is {sql}?"),
        }
    }

    fn xa(&mut self, id: u32, state: &mut State, rest: &str) -> Answer {
        let (verb, name) = rest.split_once(' ').unwrap_or((rest, ""));
        let (name, one_phase) = match name.strip_suffix(" ONE PHASE") {
            Some(name) => (name, true),
            None => (name, false),
        };
        let name = name.to_owned();
        if !self.has_xa() {
            return if verb == "RECOVER" { Answer::Rows(Vec::new()) } else { Answer::Error(1235) };
        }
        match (verb, std::mem::take(state)) {
            ("RECOVER", before) => {
                *state = before;
                let row = |name: &String| {
                    let parts: Vec<&str> = name.trim_matches('\'').split("','").collect();
                    let lengths = [parts[0].len().to_string(), parts[1].len().to_string()];
                    vec!["1".to_owned(), lengths[0].clone(), lengths[1].clone(), parts.concat()]
                };
                Answer::Rows(self.prepared.keys().map(row).collect())
            }
            ("START", State::Idle) if !self.prepared.contains_key(&name) => {
                *state = State::Active(name, Writes::default());
                Answer::Ok
            }
            ("END", State::Active(own, writes)) if own == name => {
                *state = State::Ended(own, writes);
                Answer::Ok
            }
            ("PREPARE", State::Ended(own, writes)) if own == name => {
                let attached = (self.flavour == Flavour::MariaDb).then_some(id);
                *state = if attached.is_some() { State::Prepared } else { State::Idle };
                self.prepared.insert(name, Branch { writes, attached });
                Answer::Ok
            }
            ("COMMIT", State::Ended(own, writes)) if own == name && one_phase => {
                self.keep(writes);
                Answer::Ok
            }
            ("ROLLBACK", State::Ended(own, _)) if own == name => Answer::Ok,
            ("COMMIT" | "ROLLBACK", State::Idle | State::Prepared) => {
                let free = self
                    .prepared
                    .get(&name)
                    .is_some_and(|branch| branch.attached.is_none() || branch.attached == Some(id));
                if !free {
                    return Answer::Error(1397);
                }
                if let (Some(branch), "COMMIT") = (self.prepared.remove(&name), verb) {
                    self.keep(branch.writes);
                }
                Answer::Ok
            }
            (_, before) => {
                *state = before;
                Answer::Error(1399)
            }
        }
    }

    fn insert(&mut self, id: u32, session: &mut Session, sql: &str) -> Answer {
        let [gtrid, verdict] = literals(sql)[..].to_vec().try_into().unwrap();
        let held = |other: &Session| match &other.state {
            State::Local(Writes { record: Some((held, _)), .. }) => *held == gtrid,
            _ => false,
        };
        if !self.has_records {
            return Answer::Error(1146);
        }
        if self.records.contains_key(&gtrid) {
            return Answer::Error(1062);
        }
        if self.sessions.values().any(held) {
            return Answer::Error(1205);
        }
        let record = Record { verdict, owner: id.to_string() };
        match &mut session.state {
            State::Idle => drop(self.records.insert(gtrid, record)),
            State::Local(writes) => writes.record = Some((gtrid, record)),
            _ => return Answer::Error(1399),
        }
        Answer::Ok
    }

    fn select(&self, session: &mut Session, sql: &str) -> Answer {
        if !self.has_records {
            return Answer::Error(1146);
        }
        let gtrid = &literals(sql)[0];
        let uncommitted = self.sessions.values().find_map(|other| match &other.state {
            State::Local(Writes { record: Some((held, record)), .. }) if held == gtrid => Some(record),
            _ => None,
        });
        let uncommitted = uncommitted.filter(|_| std::mem::take(&mut session.uncommitted));
        let record = self.records.get(gtrid).or(uncommitted);
        let cell = |record: &Record| {
            if sql.contains("`owner`") { record.owner.clone() } else { record.verdict.clone() }
        };
        Answer::Rows(record.map(cell).into_iter().map(|cell| vec![cell]).collect())
    }

    fn keep(&mut self, writes: Writes) {
        self.rows.extend(writes.rows);
        self.records.extend(writes.record);
    }
}

/// The quoted texts of a statement.
fn literals(sql: &str) -> Vec<String> {
    sql.split('\'').skip(1).step_by(2).map(str::to_owned).collect()
}
