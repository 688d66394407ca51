//! Status flags: what a server says about the session at the end of each result.
//!
//! [Manual, "SERVER_STATUS_flags_enum"](https://dev.mysql.com/doc/dev/mysql-server/latest/mysql__com_8h.html).

use crate::flags::flag_word;

flag_word! {
    /// The status word of OK and EOF packets.
    StatusFlags: u16 {
        /// A transaction is open.
        SERVER_STATUS_IN_TRANS = 1;
        /// autocommit is on.
        SERVER_STATUS_AUTOCOMMIT = 1 << 1;
        /// Another result follows.
        SERVER_MORE_RESULTS_EXISTS = 1 << 3;
        /// No good index was used.
        SERVER_QUERY_NO_GOOD_INDEX_USED = 1 << 4;
        /// No index was used.
        SERVER_QUERY_NO_INDEX_USED = 1 << 5;
        /// A cursor is open: rows come by COM_STMT_FETCH.
        SERVER_STATUS_CURSOR_EXISTS = 1 << 6;
        /// The cursor has no more rows.
        SERVER_STATUS_LAST_ROW_SENT = 1 << 7;
        /// A database was dropped.
        SERVER_STATUS_DB_DROPPED = 1 << 8;
        /// Backslash is no escape character.
        SERVER_STATUS_NO_BACKSLASH_ESCAPES = 1 << 9;
        /// A re-prepared statement has other columns than before.
        SERVER_STATUS_METADATA_CHANGED = 1 << 10;
        /// The query was slow.
        SERVER_QUERY_WAS_SLOW = 1 << 11;
        /// The result holds a procedure's OUT parameters.
        SERVER_PS_OUT_PARAMS = 1 << 12;
        /// The open transaction is read-only.
        SERVER_STATUS_IN_TRANS_READONLY = 1 << 13;
        /// The OK packet says what changed in the session.
        SERVER_SESSION_STATE_CHANGED = 1 << 14;
        /// MariaDB: `ANSI_QUOTES` is on.
        SERVER_STATUS_ANSI_QUOTES = 1 << 15;
    }
}

impl StatusFlags {
    /// Whether another result of the same command follows.
    #[must_use]
    pub const fn more_results(self) -> bool {
        self.contains(Self::SERVER_MORE_RESULTS_EXISTS)
    }

    /// Whether a transaction is open.
    #[must_use]
    pub const fn in_transaction(self) -> bool {
        self.contains(Self::SERVER_STATUS_IN_TRANS)
    }
}
