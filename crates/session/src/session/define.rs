//! Running definitions, while others may look how far they are.

use std::sync::Arc;
use std::time::Instant;

use serval_catalog::Catalog;
use serval_executor::{Completed, Context, ExecuteError, Progress, ResultSink};
use serval_planner::Bound;
use serval_remote::{Backend, SessionState};

use super::Session;
use super::warnings::targets;
use crate::registry::Entry;

/// Others see a definition for as long as this lives, however it ends.
struct Shown<'a>(&'a Entry);

impl Drop for Shown<'_> {
    fn drop(&mut self) {
        self.0.set_definition(None);
    }
}

impl<B: Backend> Session<B> {
    /// Runs a planned definition under `state`, on all of its nodes.
    pub(crate) async fn define<S: ResultSink>(
        &mut self,
        bound: &Bound,
        catalog: &Catalog,
        state: &SessionState,
        sink: &mut S,
    ) -> Result<Completed, ExecuteError> {
        self.check_locked(bound)?;
        self.last.nodes = targets(&bound.root).len();
        let mode = self.transaction_mode(self.current_schema(catalog));
        let (progress, entry) = (Arc::new(Progress::default()), Arc::clone(&self.entry));
        entry.set_definition(Some(Arc::clone(&progress)));
        let _shown = Shown(&entry);
        let mut context = Context {
            backend: &self.backend,
            catalog,
            deadline: Instant::now() + catalog.settings.acquire_timeout,
            memory_limit: catalog.settings.memory_per_query,
            replicas: false,
            transaction: &mut self.transaction,
            mode,
            state,
            parameters: None,
            watch: None,
            share: 1,
        };
        let result = serval_executor::define(bound, &mut context, &progress, sink).await;
        if !self.transaction.is_open() {
            self.transaction_ended();
        }
        result
    }
}
