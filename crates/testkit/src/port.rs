//! Ports that no other process of the testkit takes, held for as long as a server may want to start on them again.
//!
//! Asking the kernel for port 0 gives a number that anybody may get a moment later, also as the local port of an
//! outgoing connection. So ports come from below the ephemeral range, and each is held by a Unix socket with an
//! abstract name that contains its number: the kernel drops it with the process, however that ends, and no file stays.

use std::net::{Ipv4Addr, TcpListener};
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixListener};

use crate::{Result, TestkitError};

const FIRST: u16 = 20_000;
const LAST: u16 = 32_000;

/// A loopback port reserved for this process until the lease is dropped.
#[derive(Debug)]
pub struct PortLease {
    number: u16,
    _held: UnixListener,
}

impl PortLease {
    /// Reserves a port that nobody listens on.
    pub fn take() -> Result<PortLease> {
        let start = spread(std::process::id());
        (start..LAST)
            .chain(FIRST..start)
            .find_map(try_take)
            .ok_or(TestkitError::NoPort { first: FIRST, last: LAST })
    }

    /// The port's number.
    #[must_use]
    pub fn number(&self) -> u16 {
        self.number
    }
}

/// Where a process begins to look, so that processes rarely meet at the same number.
fn spread(process: u32) -> u16 {
    let offset = process.wrapping_mul(37) % u32::from(LAST - FIRST);
    FIRST + u16::try_from(offset).unwrap_or(0)
}

fn try_take(number: u16) -> Option<PortLease> {
    let name = SocketAddr::from_abstract_name(format!("serval-testkit-port-{number}")).ok()?;
    let held = UnixListener::bind_addr(&name).ok()?;
    TcpListener::bind((Ipv4Addr::LOCALHOST, number)).ok()?;
    Some(PortLease { number, _held: held })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leases_differ_and_come_back() {
        // From the other end: what is given back here, tests that run beside this one do not take at once.
        let mut free = (FIRST..LAST).rev().filter_map(try_take);
        let (first, second) = (free.next().expect("a port"), free.next().expect("a port"));
        let third = PortLease::take().expect("a port");
        assert!(first.number() != second.number() && third.number() != second.number());
        let number = first.number();
        drop(first);
        assert!(try_take(number).is_some());
        assert!(try_take(second.number()).is_none());
    }
}
