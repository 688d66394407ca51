//! The PROXY protocol: a load balancer says for whom it speaks, before anything else.
//!
//! [Specification](https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt). Peers that the config trusts with it
//! have to begin with a header, as the specification wants it: guessing would let a client that reaches us through a
//! balancer write one of its own. From anybody else a header is what it looks like, a broken handshake.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use ppp::{HeaderResult, PartialResult as _, v1, v2};
use tokio::io::AsyncRead;

use crate::stream::Reader;

/// How long a balancer may take.
const HEADER_TIME: Duration = Duration::from_secs(5);

/// The longest header: version 1 has its own limit, version 2 may carry extensions.
const HEADER_BYTES: usize = 4 * 1024;

/// The longest header of version 1.
const V1_BYTES: usize = 107;

/// Why a balancer is not listened to.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum ProxyError {
    #[error("no PROXY protocol header came in time")]
    TooLate,
    #[error("it closed the connection before the PROXY protocol header was complete")]
    Closed,
    #[error("what it sent is no PROXY protocol header")]
    Garbage,
}

/// Who the client of this balancer is; the balancer itself where it speaks for itself.
pub(crate) async fn real_peer<R>(
    reader: &mut Reader<R>,
    balancer: SocketAddr,
) -> Result<SocketAddr, ProxyError>
where
    R: AsyncRead + Unpin,
{
    match tokio::time::timeout(HEADER_TIME, header(reader)).await {
        Ok(Ok(client)) => Ok(client.unwrap_or(balancer)),
        Ok(Err(error)) => Err(error),
        Err(_) => Err(ProxyError::TooLate),
    }
}

async fn header<R: AsyncRead + Unpin>(reader: &mut Reader<R>) -> Result<Option<SocketAddr>, ProxyError> {
    loop {
        let ahead = reader.ahead();
        if let Some((client, length)) = parse(ahead)? {
            reader.skip(length);
            return Ok(client);
        }
        if ahead.len() >= HEADER_BYTES {
            return Err(ProxyError::Garbage);
        }
        reader.fill().await.map_err(|_| ProxyError::Closed)?;
    }
}

/// The client, if the header names one, and the header's length; `None` while it is incomplete.
fn parse(bytes: &[u8]) -> Result<Option<(Option<SocketAddr>, usize)>, ProxyError> {
    if bytes.is_empty() {
        return Ok(None);
    }
    let prefixes = [v1::PROTOCOL_PREFIX.as_bytes(), v2::PROTOCOL_PREFIX];
    if !prefixes.iter().any(|prefix| prefix.iter().zip(bytes).all(|(expected, byte)| expected == byte)) {
        return Err(ProxyError::Garbage);
    }
    let header = HeaderResult::parse(bytes);
    match header {
        // Its line has ended, or is longer than any.
        HeaderResult::V1(Err(_)) if bytes.contains(&b'\n') || bytes.len() >= V1_BYTES => {
            Err(ProxyError::Garbage)
        }
        header if header.is_incomplete() => Ok(None),
        HeaderResult::V1(Ok(header)) => Ok(Some((client_v1(&header.addresses), header.header.len()))),
        HeaderResult::V2(Ok(header)) => Ok(Some((client_v2(&header), header.len()))),
        HeaderResult::V1(Err(_)) | HeaderResult::V2(Err(_)) => Err(ProxyError::Garbage),
    }
}

fn client_v1(addresses: &v1::Addresses) -> Option<SocketAddr> {
    let (address, port): (IpAddr, u16) = match addresses {
        v1::Addresses::Unknown => return None,
        v1::Addresses::Tcp4(ip) => (ip.source_address.into(), ip.source_port),
        v1::Addresses::Tcp6(ip) => (ip.source_address.into(), ip.source_port),
    };
    Some(SocketAddr::new(address, port))
}

fn client_v2(header: &v2::Header<'_>) -> Option<SocketAddr> {
    if header.command == v2::Command::Local {
        return None;
    }
    let (address, port): (IpAddr, u16) = match &header.addresses {
        v2::Addresses::IPv4(ip) => (ip.source_address.into(), ip.source_port),
        v2::Addresses::IPv6(ip) => (ip.source_address.into(), ip.source_port),
        v2::Addresses::Unspecified | v2::Addresses::Unix(_) => return None,
    };
    Some(SocketAddr::new(address, port))
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt as _;

    use super::*;

    const BALANCER: &str = "10.0.0.1:1234";
    const V2: &[u8] = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\x01\x02\x03\x04\x0a\0\0\x09\x11\x5c\x0c\xea";
    const V2_LOCAL: &[u8] = b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0";

    async fn peer_after(bytes: &[u8], end: bool) -> Result<String, ProxyError> {
        let (mut near, far) = tokio::io::duplex(64);
        let mut reader = Reader::new(far, 1024);
        let bytes = bytes.to_vec();
        let sender = tokio::spawn(async move {
            for byte in bytes {
                let _ = near.write_all(&[byte]).await;
            }
            if !end {
                std::future::pending::<()>().await;
            }
        });
        let peer = real_peer(&mut reader, BALANCER.parse().unwrap()).await;
        sender.abort();
        peer.map(|peer| peer.to_string())
    }

    proptest::proptest! {
        /// What a header says of its own length never exceeds what has come, whatever it says.
        #[test]
        fn no_bytes_make_it_panic(
            version in 0_usize..3,
            tail in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..400),
            changed in 0_usize..28,
            byte: u8,
        ) {
            let start = [&b""[..], b"PROXY TCP4 ", V2][version];
            let mut bytes = [start, &tail].concat();
            if let Some(place) = bytes.get_mut(changed) {
                *place = byte;
            }
            if let Ok(Some((_, length))) = parse(&bytes) {
                proptest::prop_assert!(length <= bytes.len());
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn both_versions_name_the_client() {
        let v1 = b"PROXY TCP4 1.2.3.4 10.0.0.9 4444 3306\r\n";
        assert_eq!(peer_after(v1, false).await.as_deref(), Ok("1.2.3.4:4444"));
        let v1 = b"PROXY TCP6 2001:db8::1 ::1 4444 3306\r\n";
        assert_eq!(peer_after(v1, false).await.as_deref(), Ok("[2001:db8::1]:4444"));
        assert_eq!(peer_after(V2, false).await.as_deref(), Ok("1.2.3.4:4444"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_balancer_may_speak_for_itself() {
        assert_eq!(peer_after(b"PROXY UNKNOWN\r\n", false).await.as_deref(), Ok(BALANCER));
        assert_eq!(peer_after(V2_LOCAL, false).await.as_deref(), Ok(BALANCER));
    }

    #[tokio::test(start_paused = true)]
    async fn what_follows_stays() {
        let (mut near, far) = tokio::io::duplex(1024);
        let mut reader = Reader::new(far, 1024);
        near.write_all(&[V2, b"\x01\0\0\x01\x0e"].concat()).await.unwrap();
        real_peer(&mut reader, BALANCER.parse().unwrap()).await.unwrap();
        assert_eq!(reader.ahead(), b"\x01\0\0\x01\x0e");
    }

    #[tokio::test(start_paused = true)]
    async fn everything_else_is_refused() {
        for garbage in [
            &b"GET / HTTP/1.1\r\n\r\n"[..],
            b"\x0a\0\0\x01",
            b"PROXY TCP4 1.2.3.4\r\n",
            b"PROXY TCP4 1.2.3.400 10.0.0.9 4444 3306\r\n",
            b"\r\n\r\n\0\r\nQUIT\n\x41\x11\0\x0c",
            b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x02\x01\x02",
        ] {
            let refused = peer_after(garbage, false).await;
            assert_eq!(refused, Err(ProxyError::Garbage), "{:?}", String::from_utf8_lossy(garbage));
        }
        assert_eq!(
            peer_after(&[b"PROXY TCP4 ", &[b'1'; 300][..]].concat(), false).await,
            Err(ProxyError::Garbage)
        );
        let endless = [&V2[..14], b"\xff\xff", &[0; HEADER_BYTES]].concat();
        assert_eq!(peer_after(&endless, false).await, Err(ProxyError::Garbage));
        assert_eq!(peer_after(&V2[..20], false).await, Err(ProxyError::TooLate));
        assert_eq!(peer_after(b"", false).await, Err(ProxyError::TooLate));
        assert_eq!(peer_after(b"PROXY", true).await, Err(ProxyError::Closed));
    }
}
