//! The commit protocol as a state machine, and every state that it can reach.
//!
//! One session commits over a first participant and two branches while two proxies recover at any moment they like,
//! messages arrive late or never, and any server and the proxy may die. The checker visits every reachable state and
//! holds it against what must never be. To show that it would see a mistake, it is also run over protocols from which one
//! rule is taken away; each of them must fail.

use std::collections::{HashMap, VecDeque};

/// Rules that can be left out.
#[derive(Debug, Clone, Copy, Default)]
struct Without {
    /// Branches are prepared before the decision is asked for.
    preparing_first: bool,
    /// Recovery writes an abort record before it rolls back.
    abort_records: bool,
    /// A lost answer to the deciding COMMIT is looked for in the record.
    resolving: bool,
    /// A record in flight makes an abort record wait.
    waiting: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Verdict {
    Commit,
    Abort,
}

/// The first participant's ordinary transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum First {
    Open,
    /// The record is inserted, not committed: its key is locked.
    Recorded,
    Committed,
    RolledBack,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Branch {
    Active,
    Prepared,
    Committed,
    RolledBack,
}

/// What is on its way to the first participant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Flight {
    Nothing,
    Insert,
    Commit,
}

/// Where the session is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Session {
    Preparing,
    Inserting,
    Committing,
    Resolving,
    /// The client has been told.
    Finishing(Verdict),
    Over,
}

/// Where a recovering proxy is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Recovery {
    Idle,
    /// It has seen a prepared branch, and no record.
    Absent,
    Knows(Verdict),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct State {
    first: First,
    record: Option<Verdict>,
    branches: [Branch; 2],
    flight: Flight,
    /// The session's connection to the first participant still stands.
    connected: bool,
    session: Session,
    told: Option<Verdict>,
    recoveries: [Recovery; 2],
    crashes: u8,
}

const START: State = State {
    first: First::Open,
    record: None,
    branches: [Branch::Active; 2],
    flight: Flight::Nothing,
    connected: true,
    session: Session::Preparing,
    told: None,
    recoveries: [Recovery::Idle; 2],
    crashes: 0,
};

/// How many things go wrong in one run.
const CRASHES: u8 = 3;

impl State {
    fn next(self, without: Without) -> Vec<(&'static str, Self)> {
        let mut all = Vec::new();
        self.session_steps(without, &mut all);
        self.arrivals(&mut all);
        for number in 0..2 {
            self.recovery_steps(number, without, &mut all);
        }
        if self.crashes < CRASHES {
            self.crash_steps(&mut all);
        }
        all
    }

    fn session_steps(self, without: Without, all: &mut Vec<(&'static str, Self)>) {
        match self.session {
            Session::Preparing => {
                self.prepare_steps(all);
                if self.connected {
                    let insert = Self { session: Session::Inserting, flight: Flight::Insert, ..self };
                    all.push(("send the record", insert));
                } else {
                    all.push(("the first is lost", self.tell(Verdict::Abort)));
                }
            }
            // The branches are prepared meanwhile.
            Session::Inserting if self.connected => {
                self.prepare_steps(all);
                let ready = self.branches.iter().all(|branch| *branch == Branch::Prepared);
                match (self.flight, self.first) {
                    (Flight::Nothing, First::Recorded) if ready || without.preparing_first => {
                        let commit = Self { session: Session::Committing, flight: Flight::Commit, ..self };
                        all.push(("send COMMIT", commit));
                    }
                    (Flight::Nothing, First::Recorded) | (Flight::Insert | Flight::Commit, _) => {}
                    _ => all.push(("the record is refused", self.roll_back_first().tell(Verdict::Abort))),
                }
            }
            Session::Inserting => {
                all.push(("lost before COMMIT was sent", self.tell(Verdict::Abort)));
            }
            Session::Committing if self.flight == Flight::Nothing && self.connected => {
                all.push(("COMMIT is answered", self.tell(Verdict::Commit)));
            }
            Session::Committing if !self.connected => {
                let next = if without.resolving {
                    self.tell(Verdict::Abort)
                } else {
                    Self { session: Session::Resolving, ..self }
                };
                all.push(("the answer is lost", next));
            }
            Session::Resolving => {
                for (what, verdict, state) in self.decide(without) {
                    all.push((what, state.tell(verdict)));
                }
                all.push(("in doubt", Self { session: Session::Over, ..self }));
            }
            Session::Finishing(verdict) => {
                for number in 0..2 {
                    if matches!(self.branches[number], Branch::Prepared | Branch::Active) {
                        all.push(("tell a branch", self.branch(number, result(verdict))));
                    }
                }
            }
            _ => {}
        }
    }

    fn prepare_steps(self, all: &mut Vec<(&'static str, Self)>) {
        for number in 0..2 {
            match self.branches[number] {
                Branch::Active => all.push(("prepare", self.branch(number, Branch::Prepared))),
                Branch::RolledBack => {
                    all.push(("a branch is gone", self.roll_back_first().tell(Verdict::Abort)));
                }
                Branch::Prepared | Branch::Committed => {}
            }
        }
    }

    /// What is on its way arrives, whoever still waits for it.
    fn arrivals(self, all: &mut Vec<(&'static str, Self)>) {
        let arrived = Self { flight: Flight::Nothing, ..self };
        match (self.flight, self.first, self.record) {
            (Flight::Insert, First::Open, None) => {
                all.push(("the record arrives", Self { first: First::Recorded, ..arrived }));
            }
            (Flight::Insert, First::Open, Some(_)) => all.push(("the record is a duplicate", arrived)),
            (Flight::Commit, First::Recorded, _) => {
                let record = Some(Verdict::Commit);
                all.push(("COMMIT arrives", Self { first: First::Committed, record, ..arrived }));
            }
            (Flight::Insert | Flight::Commit, ..) => all.push(("it arrives in vain", arrived)),
            (Flight::Nothing, ..) => {}
        }
    }

    fn recovery_steps(self, number: usize, without: Without, all: &mut Vec<(&'static str, Self)>) {
        let with = |state: Self, recovery: Recovery| {
            let mut recoveries = state.recoveries;
            recoveries[number] = recovery;
            Self { recoveries, ..state }
        };
        let prepared = self.branches.contains(&Branch::Prepared);
        match self.recoveries[number] {
            Recovery::Idle if prepared => {
                let seen = self.record.map_or(Recovery::Absent, Recovery::Knows);
                all.push(("recovery looks", with(self, seen)));
            }
            Recovery::Absent => {
                for (what, verdict, state) in self.decide(without) {
                    all.push((what, with(state, Recovery::Knows(verdict))));
                }
            }
            Recovery::Knows(verdict) => {
                for branch in 0..2 {
                    if self.branches[branch] == Branch::Prepared {
                        all.push(("recovery finishes a branch", self.branch(branch, result(verdict))));
                    }
                }
                all.push(("recovery is done", with(self, Recovery::Idle)));
            }
            Recovery::Idle => {}
        }
    }

    /// The abort record: it is refused by a record that is there, and waits for one in flight, whose owner is killed if
    /// that takes too long.
    fn decide(self, without: Without) -> Vec<(&'static str, Verdict, Self)> {
        if let Some(verdict) = self.record {
            return vec![("the record is there", verdict, self)];
        }
        if without.abort_records {
            return vec![("no record, so abort", Verdict::Abort, self)];
        }
        if self.first == First::Recorded && !without.waiting {
            let killed = Self { first: First::RolledBack, flight: Flight::Nothing, connected: false, ..self };
            let decided = Self { record: Some(Verdict::Abort), ..killed };
            return vec![("the owner is killed", Verdict::Abort, decided)];
        }
        vec![("the abort record", Verdict::Abort, Self { record: Some(Verdict::Abort), ..self })]
    }

    fn crash_steps(self, all: &mut Vec<(&'static str, Self)>) {
        let worse = Self { crashes: self.crashes + 1, ..self };
        if self.connected {
            // What is in flight may still arrive: the server has not seen the end of the connection yet.
            all.push(("the connection breaks", Self { connected: false, ..worse }));
        }
        if self.session != Session::Over {
            all.push(("the proxy dies", Self { session: Session::Over, connected: false, ..worse }));
        }
        all.push((
            "the first server dies",
            Self { connected: false, flight: Flight::Nothing, ..worse }.roll_back_first(),
        ));
        if !self.connected {
            all.push((
                "the server sees the end",
                Self { flight: Flight::Nothing, ..worse }.roll_back_first(),
            ));
        }
        for number in 0..2 {
            if self.branches[number] == Branch::Active {
                all.push(("a branch's server dies", worse.branch(number, Branch::RolledBack)));
            }
        }
        for number in 0..2 {
            let mut recoveries = self.recoveries;
            recoveries[number] = Recovery::Idle;
            all.push(("a recovering proxy dies", Self { recoveries, ..worse }));
        }
    }

    fn branch(self, number: usize, to: Branch) -> Self {
        let mut branches = self.branches;
        branches[number] = to;
        Self { branches, ..self }
    }

    /// What is not committed is undone.
    fn roll_back_first(self) -> Self {
        let first = if self.first == First::Committed { First::Committed } else { First::RolledBack };
        Self { first, ..self }
    }

    fn tell(self, verdict: Verdict) -> Self {
        Self { told: Some(verdict), session: Session::Finishing(verdict), ..self }
    }

    /// What must never be.
    fn wrong(&self) -> Option<&'static str> {
        let any = |state: Branch| self.branches.contains(&state);
        if any(Branch::Committed) && (any(Branch::RolledBack) || self.first != First::Committed) {
            return Some("half of it is committed");
        }
        if self.first == First::Committed && any(Branch::RolledBack) {
            return Some("the first is committed and a branch is rolled back");
        }
        match (self.told, self.record) {
            (Some(Verdict::Commit), Some(Verdict::Abort) | None) => Some("told committed, and it is not"),
            (Some(Verdict::Abort), Some(Verdict::Commit)) => Some("told rolled back, and it is not"),
            _ => None,
        }
    }
}

fn result(verdict: Verdict) -> Branch {
    match verdict {
        Verdict::Commit => Branch::Committed,
        Verdict::Abort => Branch::RolledBack,
    }
}

/// Visits all states; the number of them, or the shortest way to a wrong one.
fn explore(without: Without) -> Result<usize, String> {
    let mut came: HashMap<State, Option<(&'static str, State)>> = HashMap::from([(START, None)]);
    let mut queue = VecDeque::from([START]);
    while let Some(state) = queue.pop_front() {
        let next = state.next(without);
        let stuck = next.iter().all(|(_, next)| next.crashes > state.crashes);
        let left = state.branches.contains(&Branch::Prepared).then_some("a prepared branch is left for ever");
        if let Some(wrong) = state.wrong().or(left.filter(|_| stuck)) {
            return Err(format!("{wrong}:\n{}", way(&came, state)));
        }
        for (what, next) in next {
            came.entry(next).or_insert_with(|| {
                queue.push_back(next);
                Some((what, state))
            });
        }
    }
    Ok(came.len())
}

fn way(came: &HashMap<State, Option<(&'static str, State)>>, mut state: State) -> String {
    let mut lines = vec![format!("{state:?}")];
    while let Some(Some((what, before))) = came.get(&state) {
        lines.push((*what).to_owned());
        state = *before;
    }
    lines.reverse();
    lines.join("\n")
}

#[test]
fn no_reachable_state_is_wrong() {
    let states = explore(Without::default()).unwrap_or_else(|way| panic!("{way}"));
    assert!(states > 4_000, "{states} states: the model hardly moves");
}

#[test]
fn each_rule_is_needed() {
    let none = Without::default();
    for without in [
        Without { preparing_first: true, ..none },
        Without { abort_records: true, ..none },
        Without { resolving: true, ..none },
        Without { waiting: true, ..none },
    ] {
        assert!(explore(without).is_err(), "{without:?} is not missed");
    }
}
