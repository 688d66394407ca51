//! Statements on connections that the session would miss.
//!
//! What runs on a pooled connection is given up by dropping it. The connection of an open transaction, or one that is
//! [pinned](crate::pins), would take with it what a server keeps over KILL QUERY. There the server is asked to
//! interrupt its statement, and its answer is read as usual.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use serval_remote::Interrupt;
use tokio::task::JoinSet;

/// The statements of one session that can be interrupted.
#[derive(Default)]
pub(crate) struct Running {
    /// A transaction was open when the running command began.
    in_transaction: AtomicBool,
    statements: Mutex<Vec<Statement>>,
}

struct Statement {
    server: Arc<dyn Interrupt>,
    thread_id: u32,
    runs: Arc<AtomicBool>,
}

/// A statement runs for as long as somebody has this.
pub(crate) struct Run(Arc<AtomicBool>);

impl Drop for Run {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

impl Running {
    /// Notes that a command begins. Connections that it takes for itself go back to their pools before it ends, so
    /// that an interrupt might hit somebody else's statement there; those of an open transaction stay.
    pub(crate) fn begin(&self, in_transaction: bool) {
        self.in_transaction.store(in_transaction, Ordering::Relaxed);
        self.statements.lock().clear();
    }

    pub(crate) fn in_transaction(&self) -> bool {
        self.in_transaction.load(Ordering::Relaxed)
    }

    /// Notes a statement that runs now on the connection with this id.
    pub(crate) fn note(&self, server: Arc<dyn Interrupt>, thread_id: u32) -> Run {
        let runs = Arc::new(AtomicBool::new(true));
        let mut statements = self.statements.lock();
        statements.retain(Statement::runs);
        statements.push(Statement { server, thread_id, runs: Arc::clone(&runs) });
        Run(runs)
    }

    /// Whether there is anything to interrupt.
    pub(crate) fn is_any(&self) -> bool {
        self.statements.lock().iter().any(Statement::runs)
    }

    /// Interrupts everything; resolves when the servers have been told.
    pub(crate) async fn interrupt(&self) {
        let mut told: JoinSet<()> = {
            let statements = self.statements.lock();
            let running = statements.iter().filter(|statement| statement.runs());
            running
                .map(|one| Arc::clone(&one.server).interrupt(one.thread_id, Arc::clone(&one.runs)))
                .collect()
        };
        while told.join_next().await.is_some() {}
    }
}

impl Statement {
    fn runs(&self) -> bool {
        self.runs.load(Ordering::Acquire)
    }
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;

    use super::*;

    /// Remembers whom it was told to interrupt.
    #[derive(Default)]
    struct Server(Mutex<Vec<u32>>);

    impl Interrupt for Server {
        fn interrupt(
            self: Arc<Self>,
            thread_id: u32,
            runs: Arc<AtomicBool>,
        ) -> Pin<Box<dyn Future<Output = ()> + Send>> {
            assert!(runs.load(Ordering::Acquire));
            Box::pin(async move { self.0.lock().push(thread_id) })
        }
    }

    #[tokio::test]
    async fn only_what_still_runs_is_interrupted() {
        let (running, server) = (Running::default(), Arc::new(Server::default()));
        let _first = running.note(server.clone(), 1);
        drop(running.note(server.clone(), 2));
        let third = running.note(server.clone(), 3);
        running.interrupt().await;
        server.0.lock().sort_unstable();
        assert_eq!(*server.0.lock(), [1, 3]);
        drop(third);
        assert!(running.is_any());
        running.begin(true);
        assert!(!running.is_any());
    }
}
