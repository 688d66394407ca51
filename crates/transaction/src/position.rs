//! How far a server is, as it says it: which writes of a replication group it has.

use std::collections::HashMap;

use serval_remote::{Backend, RemoteError};
use serval_types::GroupId;

use crate::coordinator::Coordinator;

/// A server and the writes that it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Position {
    /// Another one after a failover.
    pub(crate) server: Box<str>,
    pub(crate) dialect: Dialect,
    /// GTIDs in the server's own notation; empty where it has none.
    pub(crate) gtids: Box<str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    MariaDb,
    MySql,
}

/// ER_UNKNOWN_SYSTEM_VARIABLE.
const UNKNOWN_VARIABLE: u16 = 1193;

/// The binlog's state names the last write of every server that ever was the primary, so that writes of the new one do not
/// hide what is missing of the old one's.
const MARIADB: &str = "SELECT CONCAT_WS(' ', @@hostname, @@port, @@server_id), CONCAT_WS(',', \
                       NULLIF(@@global.gtid_binlog_state, ''), NULLIF(@@global.gtid_slave_pos, ''))";
const MYSQL: &str = "SELECT @@server_uuid, @@global.gtid_executed";

impl<B: Backend> Coordinator<B> {
    /// What a group's primary is and has; `None` where it does not say.
    pub(crate) async fn position(&self, group: GroupId) -> Result<Option<Position>, RemoteError> {
        let mut dialect = Dialect::MariaDb;
        let mut answer = self.ask(group, MARIADB).await?;
        if answer.as_ref().is_err_and(|error| error.number == UNKNOWN_VARIABLE) {
            dialect = Dialect::MySql;
            answer = self.ask(group, MYSQL).await?;
        }
        let row = answer.map_err(RemoteError::Refused)?.into_iter().next().unwrap_or_default();
        let [Some(server), gtids] = &row[..] else { return Ok(None) };
        let known = |c: &char| c.is_ascii_alphanumeric() || "-:,_".contains(*c);
        let gtids: String = gtids.iter().flat_map(|gtids| gtids.chars()).filter(known).collect();
        Ok(Some(Position { server: server.as_str().into(), dialect, gtids: gtids.into() }))
    }

    /// Whether a group's primary, which says that it is at `now`, has all that another had at `before`.
    pub(crate) async fn has_all(
        &self,
        group: GroupId,
        now: &Position,
        before: &Position,
    ) -> Result<bool, RemoteError> {
        if before.dialect == Dialect::MariaDb {
            return Ok(covers(&now.gtids, &before.gtids));
        }
        let sql = format!("SELECT GTID_SUBSET('{}', @@global.gtid_executed)", before.gtids);
        let rows = self.ask(group, &sql).await?.map_err(RemoteError::Refused)?;
        Ok(rows.first().and_then(|row| row.first()?.as_deref()) != Some("0"))
    }
}

/// MariaDB's `domain-server-number` lists: whether each server's writes of each domain that are in `before` are in `now`.
fn covers(now: &str, before: &str) -> bool {
    let now = last(now);
    last(before).iter().all(|(origin, number)| now.get(origin).is_some_and(|there| there >= number))
}

fn last(list: &str) -> HashMap<&str, u64> {
    let mut last = HashMap::new();
    for (origin, number) in list.split(',').filter_map(|gtid| gtid.rsplit_once('-')) {
        let number = number.parse().unwrap_or(0);
        let there = last.entry(origin).or_insert(number);
        *there = number.max(*there);
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_of_a_new_primary_do_not_hide_what_is_missing() {
        assert!(covers("0-1-7,0-2-9", "0-1-7"));
        assert!(covers("0-1-7", ""));
        assert!(covers("0-1-7,0-1-5", "0-1-7"));
        assert!(!covers("0-1-6,0-2-9", "0-1-7"));
        assert!(!covers("", "0-1-7"));
        assert!(!covers("1-1-7", "0-1-7"));
    }
}
