use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serval_remote::{Burst, Connection, RemoteError, Request};
use serval_types::GroupId;
use serval_wire::response::Prepared;

use super::*;

const G0: GroupId = GroupId(0);
const G1: GroupId = GroupId(1);

/// A connection that only remembers whether it was spoiled.
#[derive(Debug, Default)]
struct Fake(Arc<AtomicBool>);

impl Connection for Fake {
    async fn send(&mut self, _request: &Request<'_>) -> Result<(), RemoteError> {
        unreachable!("pins do no I/O")
    }

    async fn read_burst(&mut self) -> Result<Burst, RemoteError> {
        unreachable!("pins do no I/O")
    }

    async fn prepare(&mut self, _request: &Request<'_>) -> Result<Prepared, RemoteError> {
        unreachable!("pins do no I/O")
    }

    fn in_transaction(&self) -> bool {
        false
    }

    fn spoil(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn thread_id(&self) -> u32 {
        1
    }

    fn server_name(&self) -> &'static str {
        "server"
    }
}

/// Pins, and a connection of a group with the mark that says whether it was spoiled.
fn connection(pins: &mut Pins<Fake>) -> (Fake, u64, Arc<AtomicBool>) {
    let mark = Arc::new(AtomicBool::new(false));
    (Fake(Arc::clone(&mark)), pins.number(), mark)
}

fn back(pins: &mut Pins<Fake>, group: GroupId, (connection, number): (Fake, u64), is_idle: bool) -> bool {
    pins.come_back(Returned { group, number, connection, is_idle, warned: false }).is_some()
}

fn spoiled(mark: &AtomicBool) -> bool {
    mark.load(Ordering::Relaxed)
}

/// A group pinned for `reason`, whose connection is here.
fn pinned(pins: &mut Pins<Fake>, group: GroupId, reason: PinReason) -> Arc<AtomicBool> {
    pins.pin(group, reason);
    let (connection, number, mark) = connection(pins);
    assert!(!back(pins, group, (connection, number), true), "kept");
    mark
}

#[test]
fn a_connection_stays_until_the_last_reason_is_gone() {
    let mut pins = Pins::new();
    let mark = pinned(&mut pins, G0, PinReason::NamedLock);
    pins.pin(G0, PinReason::LockTables);
    pins.unpin(G0, PinReason::NamedLock);
    let Offer::Kept(connection, number) = pins.offer(G0) else { panic!("kept") };
    assert!(matches!(pins.offer(G0), Offer::Busy));
    assert!(!back(&mut pins, G0, (connection, number), true));
    pins.unpin(G0, PinReason::LockTables);
    assert!(matches!(pins.offer(G0), Offer::Unpinned));
    assert!(!spoiled(&mark), "nothing is left on it");
}

#[test]
fn a_lasting_reason_closes_it_even_if_it_was_not_the_last() {
    let mut pins = Pins::new();
    let mark = pinned(&mut pins, G0, PinReason::TemporaryTable);
    pins.pin(G0, PinReason::NamedLock);
    pins.unpin(G0, PinReason::TemporaryTable);
    assert!(!spoiled(&mark));
    pins.unpin(G0, PinReason::NamedLock);
    assert!(spoiled(&mark));
}

#[test]
fn a_transactions_connection_becomes_the_pin_when_it_comes_back() {
    let mut pins = Pins::new();
    let (held, number, _) = connection(&mut pins);
    pins.pin(G0, PinReason::TemporaryTable);
    assert!(!back(&mut pins, G0, (held, number), true));
    assert!(matches!(pins.offer(G0), Offer::Kept(_, same) if same == number));
}

#[test]
fn clearing_reaches_connections_that_are_out() {
    let mut pins = Pins::new();
    let (held, number, mark) = connection(&mut pins);
    pins.pin(G0, PinReason::TemporaryTable);
    pins.clear();
    assert!(!back(&mut pins, G0, (held, number), true));
    assert!(spoiled(&mark));
    let (later, number, mark) = connection(&mut pins);
    assert!(back(&mut pins, G0, (later, number), true), "a new one is nobody's");
    assert!(!spoiled(&mark));
}

#[test]
fn a_connection_given_up_in_mid_answer_is_lost_and_said_so_once() {
    let mut pins = Pins::new();
    let mark = pinned(&mut pins, G0, PinReason::TemporaryTable);
    let Offer::Kept(connection, number) = pins.offer(G0) else { panic!("kept") };
    assert!(!back(&mut pins, G0, (connection, number), false));
    assert!(spoiled(&mark));
    let expected = vec![(G0, PinReason::TemporaryTable)];
    assert!(matches!(pins.offer(G0), Offer::Lost(lost) if lost == expected));
    assert!(matches!(pins.offer(G0), Offer::Unpinned));
    assert_eq!(pins.take_lost(), expected);
}

#[test]
fn locks_are_lost_together() {
    let mut pins = Pins::new();
    pinned(&mut pins, G0, PinReason::LockTables);
    let other = pinned(&mut pins, G1, PinReason::LockTables);
    pins.succeeded(PinReason::LockTables);
    let Offer::Kept(_, number) = pins.offer(G0) else { panic!("kept") };
    assert_eq!(pins.broke(G0, number).map(|lost| lost.len()), Some(2));
    assert!(spoiled(&other));
    assert!(pins.list().is_empty());
}

#[test]
fn an_attempt_that_failed_leaves_nothing_to_tell() {
    let mut pins = Pins::new();
    let first = pinned(&mut pins, G0, PinReason::LockTables);
    pins.pin(G1, PinReason::LockTables);
    pins.pin(G1, PinReason::TemporaryTable);
    pins.abandon(PinReason::LockTables);
    assert!(spoiled(&first));
    assert!(matches!(pins.offer(G0), Offer::Unpinned));
    assert!(matches!(pins.offer(G1), Offer::Lost(lost) if lost == [(G1, PinReason::TemporaryTable)]));
}

#[test]
fn a_replicas_connection_is_never_kept() {
    let mut pins = Pins::new();
    pins.pin(G0, PinReason::NamedLock);
    let connection = Fake::default();
    assert!(back(&mut pins, G0, (connection, NEVER_KEPT), true));
    assert!(matches!(pins.offer(G0), Offer::Open));
}
