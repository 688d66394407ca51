//! The sockets, bound before anything else so that a port in use costs nothing.

use std::net::SocketAddr;

use serval_catalog::Listen;
use tokio::net::{TcpListener, TcpSocket};

use crate::failure::Failure;
use crate::local_listener::LocalListener;

/// Bound and listening; nobody accepts yet.
#[derive(Debug)]
pub struct Listeners {
    /// For MySQL clients.
    pub mysql: TcpListener,
    /// For those on this machine, where the config has a Unix socket.
    pub socket: Option<LocalListener>,
    /// For the console, where the config has one.
    pub admin: Option<TcpListener>,
    /// For /metrics, /healthz and /readyz, where the config has them.
    pub http: Option<TcpListener>,
}

impl Listeners {
    /// Binds all that the config names, or none.
    pub async fn bind(listen: &Listen) -> Result<Self, Failure> {
        let mysql = bind("mysql", listen.mysql)?;
        let socket = listen.socket.as_deref().map(LocalListener::bind).transpose()?;
        let admin = bind_some("admin", listen.admin)?;
        let http = bind_some("http", listen.http)?;
        Ok(Self { mysql, socket, admin, http })
    }
}

fn bind_some(name: &str, address: Option<SocketAddr>) -> Result<Option<TcpListener>, Failure> {
    match address {
        Some(address) => bind(name, address).map(Some),
        None => Ok(None),
    }
}

/// How many clients may wait to be accepted; the kernel makes it `net.core.somaxconn` where that is less. When the queue
/// is full, a client that waits for the greeting may hang for as long as the kernel tries again.
const BACKLOG: u32 = 16_384;

fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // A restart must not wait for the connections of the process before to be forgotten.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

fn bind(name: &str, address: SocketAddr) -> Result<TcpListener, Failure> {
    listen(address).map_err(|error| {
        let reason = match error.kind() {
            std::io::ErrorKind::AddrInUse => "the address is in use; is another proxy running?".to_owned(),
            _ => error.to_string(),
        };
        Failure::other(format!("cannot listen on {address} (listen.{name}): {reason}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_port_in_use_says_so() {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let taken = Listeners::bind(&Listen { mysql: any, ..Listen::default() }).await.unwrap();
        let address = taken.mysql.local_addr().unwrap();
        let listen = Listen { mysql: any, admin: Some(address), ..Listen::default() };
        let failure = Listeners::bind(&listen).await.unwrap_err();
        assert!(failure.to_string().contains("listen.admin"), "{failure}");
    }
}
