//! Logical names in the column definitions of a relayed answer; everything else passes as it is.

use bytes::BytesMut;
use serval_remote::Burst;
use serval_wire::WireError;
use serval_wire::lenenc::{Reader, write_string};

use crate::frames::{append, split};
use crate::names::{KEY_FLAGS, Names, Origin};

/// Where the flags stand behind the names of a column definition.
const FLAGS: usize = 8;

/// Rewrites the bursts of one answer. The number of packets stays, and so do the sequence ids.
///
/// Only the first result set of an answer is rewritten: several come from CALL alone, which no plan maps names for.
pub(crate) struct Rewriter<'n> {
    names: &'n Names<'n>,
    stage: Stage,
    /// One definition at a time.
    scratch: Vec<u8>,
}

enum Stage {
    /// Before the first packet.
    Start,
    /// In the column definitions; so many are left.
    Columns(u64),
    /// Behind them, or where there are none.
    Pass,
}

impl<'n> Rewriter<'n> {
    pub(crate) fn new(names: &'n Names<'n>) -> Self {
        let stage = if names.is_identity() { Stage::Pass } else { Stage::Start };
        Self { names, stage, scratch: Vec::new() }
    }

    /// The burst with logical names.
    pub(crate) fn apply(&mut self, mut burst: Burst) -> Result<Burst, WireError> {
        if matches!(self.stage, Stage::Pass) {
            return Ok(burst);
        }
        let bytes = self.rewrite(&burst.bytes)?;
        if let Some(offset) =
            burst.completion.as_mut().and_then(|completion| completion.status_offset.as_mut())
        {
            // The status stands behind the definitions, so it has moved by what they grew or shrank.
            *offset = (*offset + bytes.len()).saturating_sub(burst.bytes.len());
        }
        burst.bytes = bytes;
        Ok(burst)
    }

    fn rewrite(&mut self, bytes: &[u8]) -> Result<BytesMut, WireError> {
        let mut out = BytesMut::with_capacity(bytes.len());
        let mut rest = bytes;
        while !matches!(self.stage, Stage::Pass) {
            let Some(frame) = split(rest) else { break };
            match self.stage {
                Stage::Columns(left) => {
                    self.column(frame.sequence, frame.payload, &mut out)?;
                    self.stage = if left > 1 { Stage::Columns(left - 1) } else { Stage::Pass };
                }
                Stage::Start | Stage::Pass => {
                    append(&mut out, frame.sequence, frame.payload);
                    self.stage = after_first(frame.payload)?;
                }
            }
            rest = frame.rest;
        }
        out.extend_from_slice(rest);
        Ok(out)
    }

    /// Appends a column definition with its names replaced; what stands around them is copied as it is.
    fn column(&mut self, sequence: u8, payload: &[u8], out: &mut BytesMut) -> Result<(), WireError> {
        let mut reader = Reader::new(payload, "column definition");
        let catalog = reader.string()?;
        let origin =
            Origin { schema: reader.string()?, table: reader.string()?, org_table: reader.string()? };
        let mapped = self.names.map_origin(origin);
        self.scratch.clear();
        if self.names.has_results() && self.of_result(catalog, origin, reader.rest())? {
            append(out, sequence, &self.scratch);
            return Ok(());
        }
        // Names that differ are seldom longer by more.
        self.scratch.reserve(payload.len() + 64);
        for name in [catalog, mapped.schema, mapped.table, mapped.org_table] {
            write_string(&mut self.scratch, name);
        }
        self.scratch.extend_from_slice(reader.rest());
        append(out, sequence, &self.scratch);
        Ok(())
    }

    /// Writes the definition of a column of a result, where it is one, of which only `rest` has not been read.
    fn of_result(&mut self, catalog: &[u8], origin: Origin<'_>, rest: &[u8]) -> Result<bool, WireError> {
        let mut reader = Reader::new(rest, "column definition");
        let (name, org_name) = (reader.string()?, reader.string()?);
        let Some(own) = self.names.origin_of_result(origin.org_table, org_name) else {
            return Ok(false);
        };
        let (schema, table, org_name) = (own.schema.as_bytes(), own.table.as_bytes(), own.name.as_bytes());
        for name in [catalog, schema, origin.table, table, name, org_name] {
            write_string(&mut self.scratch, name);
        }
        let flags = self.scratch.len() + FLAGS;
        self.scratch.extend_from_slice(reader.rest());
        // Its keys are the scratch server's own.
        if let Some(flags) = self.scratch.get_mut(flags..flags + 2) {
            let kept = u16::from_le_bytes([flags[0], flags[1]]) & !KEY_FLAGS;
            flags.copy_from_slice(&kept.to_le_bytes());
        }
        Ok(true)
    }
}

/// What follows the first packet of an answer: an OK, an error and a request for a file have no columns.
fn after_first(payload: &[u8]) -> Result<Stage, WireError> {
    match payload.first() {
        None | Some(0x00 | 0xfb | 0xff) => Ok(Stage::Pass),
        Some(_) => Ok(Stage::Columns(Reader::new(payload, "column count").int()?)),
    }
}
