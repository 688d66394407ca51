//! The compressed protocol: frames of seven bytes of header, within them the stream of ordinary frames.
//!
//! It begins after the handshake's OK. A frame of the one kind knows nothing of the other: a packet may take several
//! compressed frames, and a compressed frame hold several packets. The sequence ids of the outer frames count like
//! those of ordinary ones; what stands inside keeps ids of its own, which no peer relies on.
//!
//! [Manual, "Compression"](https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_compression.html).

use std::io::{Read, Write as _};

use bytes::{Buf as _, BufMut as _, BytesMut};

use crate::WireError;
use crate::frame::{MAX_PAYLOAD, check_sequence};

/// The bytes before each compressed payload.
pub const HEADER: usize = 7;

/// Shorter payloads are sent as they are: MySQL's `MIN_COMPRESS_LENGTH`.
const MIN_COMPRESS: usize = 50;

/// The most that one frame of ours holds, so that compressing it holds up nobody else for long.
const CHUNK: usize = 256 * 1024;

/// Above this level zstd takes more memory than a connection is worth.
const MAX_ZSTD_LEVEL: i32 = 9;

/// The largest zstd window of a client, as a power of 2: no frame holds more than 16 MiB.
const ZSTD_WINDOW_LOG: u32 = 24;

/// How a frame may be larger than the largest packet: it holds headers, and the start of the next packet.
const SLACK: usize = 64 * 1024;

const WHAT: &str = "compressed packet";

/// What both sides compress with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// `CLIENT_COMPRESS`.
    Zlib,
    /// `CLIENT_ZSTD_COMPRESSION_ALGORITHM`, with the level that the client asks for.
    Zstd(u8),
}

impl Algorithm {
    /// Its name in MySQL's `protocol_compression_algorithms`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Zlib => "zlib",
            Self::Zstd(_) => "zstd",
        }
    }

    fn compress(self, plain: &[u8]) -> std::io::Result<Vec<u8>> {
        match self {
            Self::Zlib => {
                let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
                encoder.write_all(plain)?;
                encoder.finish()
            }
            Self::Zstd(level) => zstd::bulk::compress(plain, i32::from(level).clamp(1, MAX_ZSTD_LEVEL)),
        }
    }

    /// Decompresses into `out` no more than one byte beyond `length`; how much it was.
    fn decompress(self, payload: &[u8], length: usize, out: &mut BytesMut) -> std::io::Result<usize> {
        match self {
            Self::Zlib => copy(flate2::bufread::ZlibDecoder::new(payload), length, out),
            Self::Zstd(_) => {
                let mut decoder = zstd::stream::read::Decoder::with_buffer(payload)?;
                decoder.window_log_max(ZSTD_WINDOW_LOG)?;
                copy(decoder, length, out)
            }
        }
    }
}

/// The buffer grows with what really comes, not with what was announced.
fn copy(decoder: impl Read, length: usize, out: &mut BytesMut) -> std::io::Result<usize> {
    let count = std::io::copy(&mut decoder.take(length as u64 + 1), &mut out.writer())?;
    Ok(usize::try_from(count).unwrap_or(usize::MAX))
}

/// Moves one frame's worth from the front of `plain` to the end of `out`.
pub fn write_frame(algorithm: Algorithm, plain: &mut BytesMut, out: &mut BytesMut, sequence: &mut u8) {
    let part = plain.split_to(plain.len().min(CHUNK));
    let compressed = if part.len() < MIN_COMPRESS { None } else { algorithm.compress(&part).ok() }
        .filter(|c| c.len() < part.len());
    let (payload, plain_length) = match &compressed {
        Some(compressed) => (&compressed[..], part.len()),
        None => (&part[..], 0),
    };
    out.reserve(HEADER + payload.len());
    out.put_uint_le(payload.len() as u64, 3);
    out.put_u8(*sequence);
    out.put_uint_le(plain_length as u64, 3);
    out.put_slice(payload);
    *sequence = sequence.wrapping_add(1);
}

/// Moves what one frame at the front of `input` holds to the end of `plain`; `false` while it is incomplete.
///
/// # Errors
/// [`WireError::TooLarge`] where it holds more than a packet of `limit` bytes could need, [`WireError::OutOfOrder`],
/// both as soon as the header is there; [`WireError::Malformed`] where it does not hold exactly what it announces.
/// The stream is of no more use after an error.
pub fn read_frame(
    algorithm: Algorithm,
    input: &mut BytesMut,
    plain: &mut BytesMut,
    sequence: &mut u8,
    limit: usize,
) -> Result<bool, WireError> {
    let Some(mut header) = input.get(..HEADER) else { return Ok(false) };
    let length = header.get_uint_le(3) as usize;
    let id = header.get_u8();
    let plain_length = header.get_uint_le(3) as usize;
    if length.max(plain_length) > limit.saturating_add(SLACK) {
        return Err(WireError::TooLarge { limit });
    }
    let mut expected = *sequence;
    check_sequence(&mut expected, id)?;
    if input.len() < HEADER + length {
        return Ok(false);
    }
    *sequence = expected;
    input.advance(HEADER);
    let payload = input.split_to(length);
    if plain_length == 0 {
        plain.extend_from_slice(&payload);
        return Ok(true);
    }
    match algorithm.decompress(&payload, plain_length, plain) {
        Ok(count) if count == plain_length => Ok(true),
        _ => Err(WireError::Malformed { what: WHAT }),
    }
}

// A frame's lengths have three bytes, as those of an ordinary one.
const _: () = assert!(CHUNK <= MAX_PAYLOAD);

#[cfg(test)]
mod tests;
