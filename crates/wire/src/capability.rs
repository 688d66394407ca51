//! Capability flags: what both sides of a connection agreed to.
//!
//! [Manual, "Capabilities Flags"](https://dev.mysql.com/doc/dev/mysql-server/latest/group__group__cs__capabilities__flags.html);
//! the upper half is MariaDB's.

use crate::flags::flag_word;

flag_word! {
    /// Capabilities of a client, of a server, or of both.
    ///
    /// The lower 32 bits are MySQL's. The upper 32 are MariaDB's extended capabilities, which travel in the bytes that
    /// MySQL keeps reserved and only between peers that leave [`Capabilities::CLIENT_LONG_PASSWORD`] (which MariaDB
    /// calls `CLIENT_MYSQL`) unset.
    Capabilities: u64 {
        /// MySQL: always set, without meaning. MariaDB: unset by peers with extended capabilities.
        CLIENT_LONG_PASSWORD = 1;
        /// Affected rows are found rows, not changed rows.
        CLIENT_FOUND_ROWS = 1 << 1;
        /// Column flags have two bytes.
        CLIENT_LONG_FLAG = 1 << 2;
        /// The handshake response names a database.
        CLIENT_CONNECT_WITH_DB = 1 << 3;
        /// `database.table.column` is not allowed.
        CLIENT_NO_SCHEMA = 1 << 4;
        /// The compressed protocol (zlib).
        CLIENT_COMPRESS = 1 << 5;
        /// ODBC; without meaning since 3.22.
        CLIENT_ODBC = 1 << 6;
        /// LOAD DATA LOCAL is possible.
        CLIENT_LOCAL_FILES = 1 << 7;
        /// White space before `(` of a function is allowed.
        CLIENT_IGNORE_SPACE = 1 << 8;
        /// The protocol since 4.1, the only one served.
        CLIENT_PROTOCOL_41 = 1 << 9;
        /// `interactive_timeout` is used instead of `wait_timeout`.
        CLIENT_INTERACTIVE = 1 << 10;
        /// The connection goes on over TLS.
        CLIENT_SSL = 1 << 11;
        /// The client library handles SIGPIPE; without meaning for a server.
        CLIENT_IGNORE_SIGPIPE = 1 << 12;
        /// Status flags are understood.
        CLIENT_TRANSACTIONS = 1 << 13;
        /// Old name of the 4.1 protocol; unused.
        CLIENT_RESERVED = 1 << 14;
        /// 4.1 authentication with a 20-byte nonce (`CLIENT_RESERVED2` in newer sources).
        CLIENT_SECURE_CONNECTION = 1 << 15;
        /// COM_QUERY may hold several statements.
        CLIENT_MULTI_STATEMENTS = 1 << 16;
        /// COM_QUERY may answer with several results.
        CLIENT_MULTI_RESULTS = 1 << 17;
        /// COM_STMT_EXECUTE may answer with several results.
        CLIENT_PS_MULTI_RESULTS = 1 << 18;
        /// Authentication plugins are named.
        CLIENT_PLUGIN_AUTH = 1 << 19;
        /// The handshake response carries connection attributes.
        CLIENT_CONNECT_ATTRS = 1 << 20;
        /// The authentication response may be longer than 255 bytes.
        CLIENT_PLUGIN_AUTH_LENENC_CLIENT_DATA = 1 << 21;
        /// A client with an expired password is let in to change it.
        CLIENT_CAN_HANDLE_EXPIRED_PASSWORDS = 1 << 22;
        /// OK packets tell what changed in the session.
        CLIENT_SESSION_TRACK = 1 << 23;
        /// Result sets end with an OK packet, and nothing stands between columns and rows.
        CLIENT_DEPRECATE_EOF = 1 << 24;
        /// Result sets may come without column definitions.
        CLIENT_OPTIONAL_RESULTSET_METADATA = 1 << 25;
        /// The compressed protocol with zstd.
        CLIENT_ZSTD_COMPRESSION_ALGORITHM = 1 << 26;
        /// COM_QUERY and COM_STMT_EXECUTE carry attributes.
        CLIENT_QUERY_ATTRIBUTES = 1 << 27;
        /// Up to three authentication factors.
        CLIENT_MULTI_FACTOR_AUTHENTICATION = 1 << 28;
        /// Reserved for an extension of these flags; MariaDB's `CLIENT_PROGRESS_OBSOLETE`.
        CLIENT_CAPABILITY_EXTENSION = 1 << 29;
        /// The client verifies the server's certificate; never sent by a server.
        CLIENT_SSL_VERIFY_SERVER_CERT = 1 << 30;
        /// Options are kept after a failed connect; never sent.
        CLIENT_REMEMBER_OPTIONS = 1 << 31;
        /// MariaDB: progress reports in the middle of answers.
        MARIADB_CLIENT_PROGRESS = 1 << 32;
        /// MariaDB: COM_MULTI, given up.
        MARIADB_CLIENT_COM_MULTI = 1 << 33;
        /// MariaDB: COM_STMT_BULK_EXECUTE.
        MARIADB_CLIENT_STMT_BULK_OPERATIONS = 1 << 34;
        /// MariaDB: column definitions carry a type or format name.
        MARIADB_CLIENT_EXTENDED_METADATA = 1 << 35;
        /// MariaDB: an unchanged result set of a prepared statement comes without column definitions.
        MARIADB_CLIENT_CACHE_METADATA = 1 << 36;
        /// MariaDB: bulk execution answers with one result per row.
        MARIADB_CLIENT_BULK_UNIT_RESULTS = 1 << 37;
    }
}

impl Capabilities {
    /// The 32 bits that MySQL knows.
    #[must_use]
    pub const fn mysql_bits(self) -> u32 {
        (self.bits() & 0xffff_ffff) as u32
    }

    /// The 32 bits that only MariaDB knows.
    #[must_use]
    pub const fn mariadb_bits(self) -> u32 {
        (self.bits() >> 32) as u32
    }

    /// Capabilities of both halves.
    #[must_use]
    pub const fn from_halves(mysql: u32, mariadb: u32) -> Self {
        Self::from_bits((mariadb as u64) << 32 | mysql as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_come_apart_and_together() {
        let both = Capabilities::CLIENT_DEPRECATE_EOF | Capabilities::MARIADB_CLIENT_CACHE_METADATA;
        assert_eq!((both.mysql_bits(), both.mariadb_bits()), (1 << 24, 1 << 4));
        assert_eq!(Capabilities::from_halves(1 << 24, 1 << 4), both);
    }
}
