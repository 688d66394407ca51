//! Rows of four nodes merged and combined, from servers that are only memory.

use std::future::Future;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use criterion::{Criterion, Throughput};
use serval_benches::Shop;
use serval_catalog::TransactionMode;
use serval_executor::{Context, End, ResultSink, SinkError, execute};
use serval_planner::{BindRequest, Bound};
use serval_remote::{Access, Backend, Burst, Connection, RemoteError, Request, SessionState};
use serval_sql::{LexOptions, scan};
use serval_transaction::Transaction;
use serval_types::GroupId;
use serval_wire::Capabilities;
use serval_wire::frame::write_packet;
use serval_wire::packet::column_type::MYSQL_TYPE_LONG;
use serval_wire::packet::{ColumnDefinition, OkPacket};
use serval_wire::response::{Prepared, ResponseScanner};
use serval_wire::text_row;

/// Rows of each of the four nodes.
const ROWS: u32 = 2500;
/// Rows of one group, on all nodes together.
const OF_A_GROUP: u32 = 3;

pub(crate) fn run(criterion: &mut Criterion) {
    let shop = Shop::new();
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let Ok(runtime) = runtime else { return };
    let servers = Memory { answer: answer((0..ROWS).map(|row| (row / OF_A_GROUP, row))) };
    let mut group = criterion.benchmark_group("merge");
    group.throughput(Throughput::Elements(u64::from(4 * ROWS)));
    for (name, sql) in [
        ("ORDER BY two columns", "SELECT k, id FROM sbtest1 ORDER BY k, id"),
        ("GROUP BY, the ten largest", "SELECT k, COUNT(*) FROM sbtest1 GROUP BY k ORDER BY 2 DESC LIMIT 10"),
    ] {
        let bound = bound(&shop, sql);
        group.bench_function(name, |bencher| {
            bencher.iter(|| runtime.block_on(once(&shop, &servers, &bound)));
        });
    }
    group.finish();
}

fn bound(shop: &Shop, sql: &str) -> Bound {
    let scan = scan(sql.as_bytes(), LexOptions::default()).unwrap_or_else(|error| panic!("{error}"));
    let bound = shop.plan(sql).bind(&BindRequest::of(sql.as_bytes(), &scan));
    bound.unwrap_or_else(|error| panic!("{error}"))
}

async fn once(shop: &Shop, servers: &Memory, bound: &Bound) -> u64 {
    let mut context = Context {
        backend: servers,
        catalog: &shop.catalog,
        transaction: &mut Transaction::new(),
        mode: TransactionMode::default(),
        state: &SessionState::default(),
        deadline: Instant::now() + Duration::from_secs(5),
        memory_limit: usize::MAX,
        replicas: false,
        parameters: None,
        watch: None,
        share: 1,
    };
    let completed = execute(bound, &mut context, &mut Nobody).await;
    completed.unwrap_or_else(|error| panic!("{error}")).rows
}

/// An answer of two INT columns.
pub(crate) fn answer(rows: impl Iterator<Item = (u32, u32)>) -> BytesMut {
    let (mut out, mut sequence) = (BytesMut::new(), 1);
    write_packet(&mut out, &mut sequence, &[2]);
    let mut payload = Vec::new();
    for name in ["k", "id"] {
        payload.clear();
        ColumnDefinition::new(name, MYSQL_TYPE_LONG).encode(Capabilities::empty(), &mut payload);
        write_packet(&mut out, &mut sequence, &payload);
    }
    for (one, other) in rows {
        payload.clear();
        let cells = [one.to_string(), other.to_string()];
        text_row::encode(cells.iter().map(|cell| Some(cell.as_bytes())), &mut payload);
        write_packet(&mut out, &mut sequence, &payload);
    }
    write_packet(&mut out, &mut sequence, &[0xfe, 0, 0, 2, 0, 0, 0]);
    out
}

/// Servers that answer the same to everything.
struct Memory {
    answer: BytesMut,
}

struct Link {
    answer: BytesMut,
}

impl Backend for Memory {
    type Connection = Link;

    async fn acquire(
        &self,
        _: GroupId,
        _: Access,
        _: &SessionState,
        _: Instant,
    ) -> Result<Link, RemoteError> {
        Ok(Link { answer: self.answer.clone() })
    }

    async fn acquire_many(
        &self,
        _: GroupId,
        _: Access,
        count: usize,
        _: &SessionState,
        _: Instant,
    ) -> Result<Vec<Link>, RemoteError> {
        Ok((0..count).map(|_| Link { answer: self.answer.clone() }).collect())
    }

    fn fan_out(&self, _: GroupId) -> usize {
        2
    }
}

impl Connection for Link {
    async fn send(&mut self, _: &Request<'_>) -> Result<(), RemoteError> {
        Ok(())
    }

    async fn read_burst(&mut self) -> Result<Burst, RemoteError> {
        let scanned = ResponseScanner::new(true).scan(&self.answer);
        let scanned = scanned.unwrap_or_else(|error| panic!("{error}"));
        Ok(Burst { bytes: self.answer.split_to(scanned.consumed), completion: scanned.complete })
    }

    fn prepare(&mut self, _: &Request<'_>) -> impl Future<Output = Result<Prepared, RemoteError>> + Send {
        std::future::pending()
    }

    fn in_transaction(&self) -> bool {
        false
    }

    fn spoil(&mut self) {}

    fn thread_id(&self) -> u32 {
        1
    }

    fn server_name(&self) -> &str {
        "memory"
    }
}

/// A client that wants nothing.
struct Nobody;

impl ResultSink for Nobody {
    async fn columns(&mut self, _: &[ColumnDefinition]) -> Result<(), SinkError> {
        Ok(())
    }

    async fn row(&mut self, row: &[u8]) -> Result<(), SinkError> {
        std::hint::black_box(row);
        Ok(())
    }

    async fn end(&mut self, _: End) -> Result<(), SinkError> {
        Ok(())
    }

    async fn ok(&mut self, _: &OkPacket) -> Result<(), SinkError> {
        Ok(())
    }
}
