//! The packets of the protocol, one file each, as payloads without their frame headers.
//!
//! A packet decodes and encodes with the connection's capabilities, also the few whose form does not depend on them,
//! so that a caller needs to remember no list of which is which. Bytes after the known end of a packet are ignored
//! where a newer peer might add fields there. Rows are not structs: [`text_row`] and [`binary_row`] walk their cells
//! in place.

mod auth_more_data;
mod auth_switch;
pub mod binary_row;
mod column_definition;
pub mod column_type;
pub(crate) mod eof;
mod err;
mod handshake;
mod handshake_response;
mod ok;
mod prepare_ok;
mod ssl_request;
pub mod temporal;
pub mod text_row;

pub use auth_more_data::{AuthMoreData, FAST_AUTH_OK, FULL_AUTH, PUBLIC_KEY_REQUEST};
pub use auth_switch::AuthSwitchRequest;
pub use column_definition::{CHARSET_BINARY, CHARSET_UTF8MB4, ColumnDefinition, ColumnFlags};
pub use eof::EofPacket;
pub use err::ErrPacket;
pub use handshake::Handshake;
pub use handshake_response::HandshakeResponse;
pub(crate) use handshake_response::{attributes as decode_attributes, write_attributes};
pub use ok::OkPacket;
pub use prepare_ok::PrepareOk;
pub use ssl_request::SslRequest;

/// The first byte of an OK packet.
pub const OK_HEADER: u8 = 0x00;
/// The first byte of a request for more authentication data.
pub const AUTH_MORE_DATA_HEADER: u8 = 0x01;
/// The first byte of a request for a file, in answer to LOAD DATA LOCAL.
pub const LOCAL_INFILE_HEADER: u8 = 0xfb;
/// The first byte of an EOF packet, and of the OK packet that ends rows in its place.
pub const EOF_HEADER: u8 = 0xfe;
/// The first byte of a request for another authentication method.
pub const AUTH_SWITCH_HEADER: u8 = 0xfe;
/// The first byte of an error.
pub const ERR_HEADER: u8 = 0xff;

/// Text out of bytes that should be UTF-8; what is not is replaced.
pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
pub(crate) mod truncation {
    use crate::WireError;

    /// Decodes every prefix of a payload: those shorter than `required` must fail, none may panic.
    pub(crate) fn check<'a, T: std::fmt::Debug>(
        payload: &'a [u8],
        required: usize,
        decode: impl Fn(&'a [u8]) -> Result<T, WireError>,
    ) {
        for length in 0..=payload.len() {
            let decoded = decode(&payload[..length]);
            assert!(length < required || decoded.is_ok(), "{length} bytes: {decoded:?}");
            assert!(length >= required || decoded.is_err(), "{length} bytes: {decoded:?}");
        }
    }
}
