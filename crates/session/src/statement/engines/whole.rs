//! A statement about tables of one engine only, which answers it in its own way.

use bytes::Bytes;
use serval_catalog::EngineTable;
use serval_executor::{End, ResultSink};
use serval_remote::{Backend, EngineEvent, EngineWarnings};
use serval_sql::{Scan, Span, StatementClass};
use serval_wire::packet::{ColumnDefinition, OkPacket};
use serval_wire::{Capabilities, StatusFlags};
use tokio::io::AsyncWrite;

use super::{Found, ask, physical, told};
use crate::answer::{Answer, ClientSink};
use crate::failure::{Failure, refused};
use crate::session::Session;
use crate::stream::Writer;

pub(super) async fn run<B, W>(
    session: &mut Session<B>,
    writer: &mut Writer<W>,
    sql: &Bytes,
    scan: &Scan,
    found: &Found,
) -> Result<(), Failure>
where
    B: Backend,
    W: AsyncWrite + Unpin + Send,
{
    let Some(table) = found.tables.iter().flatten().next() else { return Err(refused("No engine is named")) };
    check(session, sql, scan, found, table)?;
    if explains_routing(sql, scan, found) {
        let mut plan = Answer::of_text(&["plan"]);
        plan.push([format!("Engine {}: the statement as it stands", table.engine.name)]);
        return super::super::answer(session, writer, &plan).await;
    }
    let text = physical(session, sql, Span { start: 0, end: scan.end }, found)?;
    let mut answer = ask(session, table, &text).await?;
    let several = writer.capabilities().contains(Capabilities::CLIENT_MULTI_RESULTS);
    let mut sink = ClientSink::new(writer, session.status(), None);
    let mut rows = 0;
    loop {
        let sent = match answer.next().await.map_err(|error| told(error, table))? {
            EngineEvent::Columns(mut columns) => {
                columns.iter_mut().for_each(|column| rename(column, table));
                sink.columns(&columns).await
            }
            EngineEvent::Row(row) => {
                rows += 1;
                sink.row(&row).await
            }
            EngineEvent::Next if !several => {
                return Err(refused(
                    "The engine answers with several results, which this client does not take",
                ));
            }
            EngineEvent::Next => {
                sink.end(End { warnings: 0, status: StatusFlags::SERVER_MORE_RESULTS_EXISTS }).await
            }
            EngineEvent::End(warnings) => {
                session.last.selected(Some(rows), warnings.count);
                let sent = sink.end(End { warnings: warnings.count, ..End::default() }).await;
                note(session, warnings);
                return sent.map_err(|_| Failure::Gone);
            }
            EngineEvent::Ok(ok, warnings) => {
                session.last.changed(ok.affected_rows, ok.last_insert_id, warnings.count);
                let ok = OkPacket { status: StatusFlags::empty(), ..ok };
                let sent = sink.ok(&ok).await;
                note(session, warnings);
                return sent.map_err(|_| Failure::Gone);
            }
        };
        sent.map_err(|_| Failure::Gone)?;
    }
}

/// Whether an engine can do this without anybody being told something wrong.
fn check<B: Backend>(
    session: &Session<B>,
    sql: &[u8],
    scan: &Scan,
    found: &Found,
    table: &EngineTable,
) -> Result<(), Failure> {
    use StatementClass as Class;
    let has = |word: &str| found.named.tokens.iter().any(|token| token.is_word(sql, word));
    let name = &table.engine.name;
    let reads = match scan.class {
        Class::Select | Class::With | Class::Values | Class::Show | Class::Describe | Class::Explain => true,
        Class::Lock | Class::Load | Class::Prepare | Class::Handler => {
            return Err(refused(format!("This statement is not passed to engine {name}; run it there")));
        }
        _ => false,
    };
    if reads && has("INTO") {
        return Err(refused(format!(
            "Engine {name} cannot put rows into the client's variables or files; read them without INTO"
        )));
    }
    let assigns = found.named.tokens.iter().any(|token| token.span.of(sql) == b":=");
    if assigns {
        return Err(refused(format!("Engine {name} does not keep this session's variables; use SET")));
    }
    let locks = has("FOR") && has("UPDATE") || has("LOCK") && has("SHARE");
    let open = session.transaction.is_open();
    if (open || !session.autocommit) && (!reads || locks) {
        return Err(refused(format!(
            "Engine {name} takes part in no transaction, and what is written there cannot be rolled back; write with \
             autocommit, outside of transactions"
        )));
    }
    Ok(())
}

/// EXPLAIN FORMAT=SERVAL, which is Serval's to answer.
fn explains_routing(sql: &[u8], scan: &Scan, found: &Found) -> bool {
    let tokens = found.named.tokens.iter().take(5);
    let asks = tokens.clone().any(|token| token.is_word(sql, "FORMAT"))
        && tokens.clone().any(|token| token.is_word(sql, "SERVAL"));
    asks && matches!(scan.class, StatementClass::Explain | StatementClass::Describe)
}

/// The table as the client knows it.
fn rename(column: &mut ColumnDefinition, table: &EngineTable) {
    if !column.schema.is_empty() {
        column.schema = Bytes::from(table.schema.clone());
    }
    for name in [&mut column.table, &mut column.org_table] {
        if name.eq_ignore_ascii_case(table.physical.as_bytes()) {
            *name = Bytes::from(table.name.clone());
        }
    }
}

/// Keeps the warnings for SHOW WARNINGS: the engine's connection has gone to somebody else.
fn note<B: Backend>(session: &mut Session<B>, warnings: EngineWarnings) {
    if warnings.count > 0 {
        let mut messages = Answer::of_text(&["Level", "Code", "Message"]);
        messages.rows = warnings.rows;
        session.last.messages = Some(messages);
    }
}
