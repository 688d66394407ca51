//! Packets out of bytes, and the end of an answer among them.

use bytes::BytesMut;
use criterion::{BatchSize, Criterion, Throughput};
use serval_wire::frame::{PacketReader, write_packet};
use serval_wire::response::ResponseScanner;
use serval_wire::text_row;

use crate::merge::answer;

const PACKETS: u32 = 1000;

pub(crate) fn run(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("framing");
    group.throughput(Throughput::Elements(PACKETS.into()));
    let (mut bytes, mut sequence) = (BytesMut::new(), 0);
    let mut row = Vec::new();
    text_row::encode([Some(&[b'x'; 120][..])], &mut row);
    (0..PACKETS).for_each(|_| write_packet(&mut bytes, &mut sequence, &row));
    group.bench_function("packets read", |bencher| {
        let read = |mut bytes: BytesMut| {
            let mut reader = PacketReader::new(1 << 20);
            while let Ok(Some(_)) = reader.next(&mut bytes) {}
        };
        bencher.iter_batched(|| bytes.clone(), read, BatchSize::SmallInput);
    });
    let rows = answer((0..PACKETS).map(|id| (id, id)));
    group.bench_function("an answer scanned", |bencher| {
        bencher.iter(|| ResponseScanner::new(true).scan(&rows).map(|scanned| scanned.consumed));
    });
    group.finish();
}
