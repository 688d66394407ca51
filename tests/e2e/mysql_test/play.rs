//! Playing one file on both sides.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use serval_testkit::ServalProcess;
use serval_tests::{APP, Answer, Client, World, make_databases, shared};

use super::compare;
use super::known::Known;
use super::outline::{self, Class};
use super::place::{Change, Places, SHAPES};
use super::script::{Action, Step};
use super::shuffle;
use super::tally::{Fate, Tally};
use super::variables::Variables;

/// Both sides' errors that say that the proxy cannot do something.
const CANNOT: [u16; 5] = [1235, 1227, 1142, 1526, 3170];
const UNKNOWN_DATABASE: [u16; 2] = [1044, 1049];
const SYNTAX: u16 = 1064;
/// A statement that takes longer is ended, on both sides.
const LONGEST: Duration = Duration::from_secs(30);
/// A file that takes longer ends there.
const LONGEST_FILE: Duration = Duration::from_secs(240);

/// One file's replay.
pub(super) struct Play<'a> {
    file: String,
    world: World,
    places: Places,
    variables: Variables,
    connections: HashMap<String, (Client, Client)>,
    /// The connection that is used; none while it is one of an account that only the suite knows.
    current: Option<String>,
    known: &'a mut Known,
    /// The proxy has gone.
    ended: bool,
    /// Looks at tables on the one server.
    looker: Client,
    /// Every statement and its fate, in order.
    trace: String,
    tally: Tally,
}

impl<'a> Play<'a> {
    /// A proxy and empty databases for a file.
    pub(super) async fn new(file: &str, known: &'a mut Known) -> Play<'a> {
        let shared = shared().await;
        let oracle = shared.oracle.group(0).primary();
        let databases = ["test", SHAPES].map(|name| {
            [
                format!("DROP DATABASE IF EXISTS {name}"),
                format!("CREATE DATABASE {name} CHARACTER SET latin1"),
            ]
        });
        oracle.execute_all(&databases.concat()).await.expect("the oracle's databases");
        oracle
            .execute("CREATE DATABASE IF NOT EXISTS serval_scratch")
            .await
            .expect("the database for gathering");
        // What shows the account's name shows the same on both sides.
        let account = format!("GRANT ALL ON *.* TO {}@'%' IDENTIFIED BY '{}'", APP.0, APP.1);
        oracle.execute(&account).await.expect("the oracle's account");
        for node in 0..4 {
            let drop = format!("DROP DATABASE IF EXISTS test_{node}");
            shared.cluster.group(node / 2).primary().execute(&drop).await.expect("an old database goes");
        }
        make_databases(&shared.cluster, "test").await;
        for node in 0..4 {
            let alter = format!("ALTER DATABASE test_{node} CHARACTER SET latin1");
            shared
                .cluster
                .group(node / 2)
                .primary()
                .execute(&alter)
                .await
                .expect("the databases' character set");
        }
        let (places, scratch) = (Places::default(), oracle.address());
        let serval = ServalProcess::start(|ports| places.toml(&shared.cluster, ports, &scratch)).await;
        let world = World { serval: serval.expect("the proxy starts"), schema: "test".to_owned(), shared };
        let looker = world.oracle().await;
        let mut play = Play {
            file: file.to_owned(),
            world,
            places,
            variables: Variables::default(),
            connections: HashMap::new(),
            current: Some("default".to_owned()),
            known,
            ended: false,
            looker,
            trace: String::new(),
            tally: Tally::default(),
        };
        play.connect("default").await;
        play
    }

    /// What the file has counted, every statement with its fate, and its world.
    pub(super) fn end(self) -> (Tally, String, World) {
        (self.tally, self.trace, self.world)
    }

    /// Plays the steps to their end.
    pub(super) async fn run(&mut self, steps: &[Step]) {
        let begun = Instant::now();
        let mut at = 0;
        while let Some(step) = steps.get(at) {
            at += 1;
            if self.ended {
                return;
            }
            if begun.elapsed() > LONGEST_FILE {
                self.tally.leave("files beyond their time");
                return;
            }
            match &step.action {
                Action::Sql { text, eval } => self.statement(step, text, *eval).await,
                Action::Let { name, value } => {
                    let (variables, oracle) =
                        (&mut self.variables, &mut of(&mut self.connections, "default").1);
                    variables.assign(name, value, oracle).await;
                }
                Action::Add { name, by } => self.variables.add(name, *by),
                Action::Unless { condition, to } => {
                    let oracle = &mut of(&mut self.connections, "default").1;
                    if !self.variables.holds(condition, oracle).await {
                        at = *to;
                    }
                }
                Action::Jump { to } => at = *to,
                Action::Connect { name, user } => self.connect_as(name, user).await,
                Action::Connection { name } => {
                    self.current = self.connections.contains_key(name).then(|| name.clone());
                }
                Action::Exit { .. } => return self.tally.leave("files that end early"),
                Action::Left { command } => self.tally.leave(command),
            }
        }
    }

    async fn connect_as(&mut self, name: &str, user: &str) {
        self.current = None;
        if user == "root" || user.is_empty() {
            self.connect(name).await;
            self.current = Some(name.to_owned());
        }
    }

    /// Connects anew, or ends the file if the proxy is gone.
    async fn connect(&mut self, name: &str) {
        if !self.world.serval.is_running() {
            let log = self.world.serval.log();
            self.tally.different.push(format!("{}: the proxy has ended:\n{log}", self.file));
            self.ended = true;
            return;
        }
        let server = self.world.shared.oracle.group(0).primary();
        let options = server.backend_options().user(Some(APP.0)).pass(Some(APP.1)).db_name(Some("test"));
        let pair = (self.world.client().await, Client::connect("oracle", options).await);
        self.connections.insert(name.to_owned(), pair);
    }

    async fn statement(&mut self, step: &Step, text: &str, eval: bool) {
        let sql = if eval { self.variables.filled(text) } else { text.to_owned() };
        let sql = sql.trim_end_matches(';').trim_end();
        let class = outline::class(sql);
        let fate = match outline::one_servers_own(sql) {
            _ if sql.contains('\u{fffd}') => Fate::Left("statements that are not UTF-8"),
            _ if self.current.is_none() => Fate::Left("statements of other accounts"),
            Some(why) => Fate::Left(why),
            None => self.replay(class, sql).await,
        };
        let fate = match fate {
            Fate::Different(_) if self.known.explains(&self.file, &step.place, sql) => Fate::Known,
            fate => fate,
        };
        let _ = writeln!(self.trace, "{} {sql}\n    {fate:?}", step.place);
        self.tally.count(class, &step.place, sql, fate);
    }

    async fn replay(&mut self, class: Class, sql: &str) -> Fate {
        self.find_a_place(sql).await;
        assert!(
            self.world.serval.is_running(),
            "the proxy has ended before {sql}\n{}",
            self.world.serval.log()
        );
        let name = self.current.clone().unwrap_or_default();
        let (proxy, oracle) = of(&mut self.connections, &name);
        let ours = ask(proxy, sql).await;
        let reads = matches!(class, Class::Select | Class::Show);
        if !reads && CANNOT.contains(&ours.error_number()) {
            // Done on one side only, it would make all that follows differ.
            return Fate::Refused(format!("{} {}", ours.error_number(), ours.message()));
        }
        if ours.error_number() == SYNTAX && !reads {
            return match can_read(oracle, sql).await {
                true => Fate::Unread(ours.message().to_owned()),
                false => Fate::SameError,
            };
        }
        let theirs = ask(oracle, sql).await;
        if [&ours, &theirs].into_iter().any(|answer| matches!(answer, Answer::Broken(_))) {
            self.connect(&name).await;
            return Fate::Different(compare::both(&ours, &theirs));
        }
        let fails = matches!(theirs, Answer::Refused { .. });
        if CANNOT.contains(&ours.error_number()) && ours.error_number() != theirs.error_number() {
            let also = if fails { " (the server has an error, too)" } else { "" };
            return Fate::Refused(format!("{} {}{also}", ours.error_number(), ours.message()));
        }
        if UNKNOWN_DATABASE.contains(&ours.error_number()) && fails {
            // A database that CREATE DATABASE could not make: the proxy says so first.
            return Fate::SameError;
        }
        if ours.error_number() == SYNTAX && !fails {
            return Fate::Unread(ours.message().to_owned());
        }
        self.count_looser(&ours, &theirs);
        let Some(difference) = compare::difference(sql, &ours, &theirs) else {
            return if fails { Fate::SameError } else { Fate::Equal };
        };
        if outline::asks_for_the_server(sql) && class != Class::Write {
            return Fate::Undetermined("the server, the session, the moment or chance");
        }
        if compare::only_numbers_differ(sql, &ours, &theirs) {
            return Fate::Undetermined("the gaps between numbers of an INSERT … SELECT");
        }
        let (_, oracle) = of(&mut self.connections, &name);
        if class == Class::Select {
            let others = shuffle::answers(oracle, sql).await;
            if compare::undetermined(sql, &ours, &theirs, &others) {
                return Fate::Undetermined("the order of rows");
            }
        }
        Fate::Different(difference)
    }

    fn count_looser(&mut self, ours: &Answer, theirs: &Answer) {
        let warnings = |answer: &Answer| match answer {
            Answer::Done { warnings, .. } | Answer::Rows { warnings, .. } => *warnings,
            _ => 0,
        };
        self.tally.warnings += usize::from(warnings(ours) != warnings(theirs));
        let same = ours.error_number() == theirs.error_number();
        self.tally.texts += usize::from(same && ours.message() != theirs.message());
    }

    /// Writes the catalog anew where a CREATE TABLE needs it.
    async fn find_a_place(&mut self, sql: &str) {
        let name = self.current.clone().unwrap_or_default();
        let (proxy, oracle) = of(&mut self.connections, &name);
        let Some(Change { table, replaces }) = self.places.find(sql, oracle, &mut self.looker).await else {
            return;
        };
        if replaces {
            proxy.run(&format!("DROP TABLE IF EXISTS {table}")).await;
        }
        let shared = self.world.shared;
        let scratch = shared.oracle.group(0).primary().address();
        let text = self.places.toml(&shared.cluster, self.world.serval.ports(), &scratch);
        std::fs::write(self.world.serval.config_path(), text).expect("the configuration is written");
        self.world.admin().await.must("reload @@config force").await;
    }
}

/// The clients of a connection.
fn of<'c>(connections: &'c mut HashMap<String, (Client, Client)>, name: &str) -> &'c mut (Client, Client) {
    connections.get_mut(name).expect("a connection that was made")
}

/// The answer, if it comes in time.
async fn ask(client: &mut Client, sql: &str) -> Answer {
    let answer = tokio::time::timeout(LONGEST, client.run(sql)).await;
    answer.unwrap_or_else(|_| Answer::Broken(format!("no answer within {LONGEST:?}")))
}

/// Whether the server could prepare it.
async fn can_read(oracle: &mut Client, sql: &str) -> bool {
    let quoted = sql.replace('\\', "\\\\").replace('\'', "''");
    let answer = oracle.run(&format!("SET STATEMENT sql_mode = '' FOR PREPARE replay FROM '{quoted}'")).await;
    answer.error_number() != SYNTAX
}
