//! The compressed protocol between a half and its packets.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use bytes::BytesMut;
use serval_wire::WireError;
use serval_wire::compress::{Algorithm, read_frame, write_frame};

/// The sequence id of the next outer frame, whichever side sends it. Both halves count on.
#[derive(Debug, Clone, Default)]
pub(super) struct Outer(Arc<AtomicU8>);

/// Compressed frames that have come and not been opened.
#[derive(Debug)]
pub(super) struct Inflate {
    algorithm: Algorithm,
    outer: Outer,
    pub(super) input: BytesMut,
}

/// Compressed frames that are ready to be sent.
#[derive(Debug)]
pub(super) struct Deflate {
    algorithm: Algorithm,
    outer: Outer,
    pub(super) ready: BytesMut,
}

impl Outer {
    fn next(&self) -> u8 {
        self.0.load(Ordering::Relaxed)
    }

    fn set(&self, next: u8) {
        self.0.store(next, Ordering::Relaxed);
    }
}

impl Inflate {
    pub(super) fn new(algorithm: Algorithm, outer: Outer) -> Self {
        Self { algorithm, outer, input: BytesMut::new() }
    }

    /// A command begins: its first frame has sequence id 0.
    pub(super) fn restart(&self) {
        self.outer.set(0);
    }

    /// Opens one frame into `plain`; `false` while there is no whole one. One at a time, so that the outer sequence
    /// id is that of the packet which is answered next.
    pub(super) fn open(&mut self, plain: &mut BytesMut, limit: usize) -> Result<bool, WireError> {
        let mut sequence = self.outer.next();
        let opened = read_frame(self.algorithm, &mut self.input, plain, &mut sequence, limit)?;
        self.outer.set(sequence);
        Ok(opened)
    }
}

impl Deflate {
    pub(super) fn new(algorithm: Algorithm, outer: Outer) -> Self {
        Self { algorithm, outer, ready: BytesMut::new() }
    }

    /// Makes one frame of the front of `plain`.
    pub(super) fn pack(&mut self, plain: &mut BytesMut) {
        let mut sequence = self.outer.next();
        write_frame(self.algorithm, plain, &mut self.ready, &mut sequence);
        self.outer.set(sequence);
    }

    /// An answer that nobody asked for: its first frame has sequence id 0.
    pub(super) fn restart(&self) {
        self.outer.set(0);
    }
}
