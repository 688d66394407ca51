//! EXPLAIN ANALYZE: runs the statement, throws its rows away, and says what each part did.

use std::sync::Arc;
use std::time::Instant;

use serval_catalog::Catalog;
use serval_executor::{End, Profile, ResultSink, SinkError};
use serval_planner::explain_with;
use serval_remote::Backend;
use serval_wire::packet::{ColumnDefinition, OkPacket};

use super::super::hints;
use crate::failure::{Failure, refused};
use crate::session::{Query, Ready, Session};

/// The plan with what happened.
pub(super) async fn lines<B: Backend>(
    session: &mut Session<B>,
    catalog: &Arc<Catalog>,
    query: &Query<'_>,
    ready: Ready,
) -> Result<Vec<String>, Failure> {
    if ready.plan.writes() {
        return Err(refused(
            "EXPLAIN ANALYZE over several data nodes runs queries that only read; EXPLAIN FORMAT=SERVAL shows what a write \
             does without running it",
        ));
    }
    session.begin_if_implicit(catalog);
    let mut state = session.effective_state();
    if let Some(timestamp) = &ready.timestamp {
        state = state.with("timestamp", timestamp);
    }
    let (profile, mut sink, begun) = (Profile::default(), Discard::default(), Instant::now());
    session.asked = hints::server(session, hints::of(query.scan)?)?;
    let watch = Some(profile.watch());
    let result = session.execute_watched(&ready.bound, catalog, &state, None, &mut sink, watch).await;
    session.asked = None;
    result.map_err(|error| error.to_mysql())?;
    let time = begun.elapsed();
    let known = |part| profile.of(part).map(|measured| format!("actual {measured}"));
    let mut lines = explain_with(&ready.bound, catalog, &known);
    lines.push(format!("ran for {:.1} ms, {} {}", time.as_secs_f64() * 1000.0, sink.rows, plural(sink.rows)));
    Ok(lines)
}

fn plural(rows: u64) -> &'static str {
    if rows == 1 { "row" } else { "rows" }
}

/// A sink that counts rows and keeps none.
#[derive(Default)]
struct Discard {
    rows: u64,
}

impl ResultSink for Discard {
    async fn columns(&mut self, _columns: &[ColumnDefinition]) -> Result<(), SinkError> {
        Ok(())
    }

    async fn row(&mut self, _payload: &[u8]) -> Result<(), SinkError> {
        self.rows += 1;
        Ok(())
    }

    async fn end(&mut self, _end: End) -> Result<(), SinkError> {
        Ok(())
    }

    async fn ok(&mut self, _ok: &OkPacket) -> Result<(), SinkError> {
        Ok(())
    }
}
