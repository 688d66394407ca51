//! The commit protocol by itself: transactions over two groups, and the servers' own XA driven by hand, both over the very
//! same pooled connections and from the same task, so that neither has a client in front of it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use serval_backend::{ServerConnection, Servers};
use serval_catalog::{Catalog, TransactionMode};
use serval_remote::{Access, Backend as _, Connection as _, Request, SessionState};
use serval_transaction::{Coordinator, Ending, Transaction};
use serval_types::GroupId;
use tokio_util::sync::CancellationToken;

use crate::client::Failure;
use crate::target::Bench;

/// How long something took from its beginning, and how long its commit took.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Times {
    pub(crate) whole: Duration,
    pub(crate) commit: Duration,
}

/// Serval's backend and coordinator, without sessions.
pub(crate) struct Protocol {
    servers: Arc<Servers>,
    coordinator: Arc<Coordinator<Servers>>,
    state: SessionState,
    /// Numbers of the branches that are driven by hand.
    next: u64,
    ends: CancellationToken,
}

impl Drop for Protocol {
    fn drop(&mut self) {
        self.ends.cancel();
    }
}

impl Protocol {
    /// Over the servers of the benchmark.
    pub(crate) fn start(bench: &Bench) -> Result<Protocol, Failure> {
        let (text, ends) = (config(bench), CancellationToken::new());
        let loaded = serval_catalog::load(&text, "bench.toml", &|_| Ok(String::new()), &[]);
        let (catalog, _) = loaded.map_err(|all| all.first().map(ToString::to_string).unwrap_or_default())?;
        let servers = Servers::start(&catalog, ends.clone());
        let catalog: Arc<ArcSwap<Catalog>> = Arc::new(ArcSwap::from_pointee(catalog));
        let coordinator = Coordinator::new(Arc::clone(&servers), catalog);
        Ok(Protocol { servers, coordinator, state: SessionState::default(), next: 0, ends })
    }

    /// A transaction of one update in each group.
    pub(crate) async fn serval(&self, updates: &[String; 2]) -> Result<Times, Failure> {
        let begun = Instant::now();
        let mut transaction: Transaction<Servers> = Transaction::with(&self.coordinator);
        transaction.begin("START TRANSACTION", TransactionMode::Atomic);
        for (number, sql) in (0..).zip(updates) {
            let (group, name) = (GroupId(number), format!("g{number}"));
            let lending = transaction.lend(&*self.servers, group, &name, &self.state, soon());
            let mut lent = lending.await.map_err(text)?;
            let begin = lent.begin.take();
            let request = Request { begin: begin.as_deref(), ..self.request(sql) };
            exchange(&mut lent.connection, &request).await?;
            transaction.settle(lent, Ending::Success).await.map_err(text)?;
        }
        let written = Instant::now();
        transaction.commit().await.map_err(text)?;
        Ok(Times { whole: begun.elapsed(), commit: written.elapsed() })
    }

    /// The same updates in two branches: PREPARE on both servers at once, then COMMIT on both at once.
    pub(crate) async fn by_hand(&mut self, updates: &[String; 2]) -> Result<Times, Failure> {
        let begun = Instant::now();
        self.next += 1;
        let name = format!("'hand.{}'", self.next);
        let mut connections = [self.acquire(0).await?, self.acquire(1).await?];
        for (connection, sql) in connections.iter_mut().zip(updates) {
            exchange(connection, &self.request(&format!("XA START {name}"))).await?;
            exchange(connection, &self.request(sql)).await?;
        }
        let written = Instant::now();
        for verb in ["END", "PREPARE", "COMMIT"] {
            let sql = format!("XA {verb} {name}");
            let request = self.request(&sql);
            let [one, two] = &mut connections;
            let (one, two) = tokio::join!(exchange(one, &request), exchange(two, &request));
            one.and(two)?;
        }
        Ok(Times { whole: begun.elapsed(), commit: written.elapsed() })
    }

    async fn acquire(&self, group: u16) -> Result<ServerConnection, Failure> {
        let acquired = self.servers.acquire(GroupId(group), Access::Primary, &self.state, soon()).await;
        acquired.map_err(text)
    }

    fn request<'a>(&'a self, sql: &'a str) -> Request<'a> {
        Request { database: None, state: &self.state, begin: None, sql: sql.as_bytes(), execution: None }
    }
}

fn config(bench: &Bench) -> String {
    let mut text = format!(
        "[defaults.group]\nuser = \"{}\"\npassword = \"{}\"\n",
        bench.cluster.backend_user(),
        bench.cluster.backend_password()
    );
    for (number, group) in bench.cluster.groups().iter().enumerate() {
        text += &format!("[groups.g{number}]\nprimary = \"{}\"\n", group.primary().address());
    }
    text += "[nodes]\n";
    for (number, node) in [0, 2].into_iter().enumerate() {
        text += &format!("dn{number} = {{ group = \"g{number}\", database = \"sharded_{node}\" }}\n");
    }
    text + "[schemas.bench]\ndefault_node = \"dn0\"\n"
}

async fn exchange(connection: &mut ServerConnection, request: &Request<'_>) -> Result<(), Failure> {
    connection.send(request).await.map_err(text)?;
    loop {
        if let Some(completion) = connection.read_burst().await.map_err(text)?.completion {
            return match completion.error {
                Some(error) => Err(format!("{error:?}").into()),
                None => Ok(()),
            };
        }
    }
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(5)
}

fn text(error: impl std::fmt::Display) -> Failure {
    error.to_string().into()
}
