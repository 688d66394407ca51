//! What an idle TLS connection says when it is looked at without waiting, and its farewell.
//!
//! Bytes on an idle plain socket mean that the server is about to close it. Under TLS they may be the session tickets
//! that a server sends after the handshake, or a key update; only what is meant for us counts.

use std::io::{self, Read, Write};

use tokio_rustls::client::TlsStream;

use super::{Peek, Socket};

/// Takes in what has arrived, without waiting.
pub(super) fn peek(stream: &mut TlsStream<Socket>) -> Peek {
    let (socket, session) = stream.get_mut();
    loop {
        match session.read_tls(&mut Now(socket)) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Peek::Quiet,
            Err(_) | Ok(0) => return Peek::Spoilt,
            Ok(_) => match session.process_new_packets() {
                Ok(state) if state.plaintext_bytes_to_read() == 0 && !state.peer_has_closed() => {}
                _ => return Peek::Spoilt,
            },
        }
    }
}

/// Sends a last message and the end of the session, as far as the socket takes them at once.
pub(super) fn write_now(stream: &mut TlsStream<Socket>, bytes: &[u8]) {
    let (socket, session) = stream.get_mut();
    let _ = session.writer().write_all(bytes);
    session.send_close_notify();
    while session.wants_write() && session.write_tls(&mut Now(socket)).is_ok_and(|written| written > 0) {}
}

/// A socket that never waits.
struct Now<'s>(&'s Socket);

impl Read for Now<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.try_read(buf)
    }
}

impl Write for Now<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.try_write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
