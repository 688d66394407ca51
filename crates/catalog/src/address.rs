//! Where a server listens.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// A server's address: host and port, or a Unix socket's path.
///
/// ```
/// use serval_catalog::Address;
/// assert_eq!("[::1]:3306".parse(), Ok(Address::Tcp { host: "::1".to_owned(), port: 3306 }));
/// assert_eq!("/run/mysqld.sock".parse(), Ok(Address::Unix("/run/mysqld.sock".into())));
/// assert!("db1".parse::<Address>().is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Address {
    /// A host name or an IP address without brackets, and a port.
    Tcp {
        /// The host.
        host: String,
        /// The port.
        port: u16,
    },
    /// The path of a socket on this machine.
    Unix(PathBuf),
}

impl Address {
    /// Whether it is a socket whose file does not exist: no server has listened there yet, or it ended tidily.
    pub fn is_socket_to_come(&self) -> bool {
        matches!(self, Self::Unix(path) if !path.exists())
    }
}

/// Why a text is no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("write `host:port`, `[ipv6]:port` or the path of a socket that begins with `/`")]
pub struct AddressError;

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        if text.starts_with('/') {
            return Ok(Self::Unix(text.into()));
        }
        let (host, port) = text.rsplit_once(':').ok_or(AddressError)?;
        let port = port.parse().ok().filter(|port| *port != 0).ok_or(AddressError)?;
        let host = match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            Some(ipv6) => ipv6,
            None if host.contains(':') => return Err(AddressError),
            None => host,
        };
        if host.is_empty() || host.contains(char::is_whitespace) {
            return Err(AddressError);
        }
        Ok(Self::Tcp { host: host.to_owned(), port })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Tcp { host, port } => write!(f, "{host}:{port}"),
            Self::Unix(path) => path.display().fmt(f),
        }
    }
}
