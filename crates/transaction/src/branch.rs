//! A group's branch of a transaction over several groups, and the statements that it goes through.

use serval_types::GroupId;

use crate::gtrid::Gtrid;

/// A branch's name on its server. The second part says whose connection began it, for two reasons: a server that is
/// two groups at once needs two names, and a server on which the branch still hangs on a connection (MariaDB lets
/// nobody else finish it) can be told which one to close.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Branch {
    pub(crate) gtrid: Gtrid,
    pub(crate) qualifier: Box<str>,
}

impl Branch {
    pub(crate) fn new(gtrid: &Gtrid, group: GroupId, thread_id: u32) -> Self {
        Self { gtrid: gtrid.clone(), qualifier: format!("{}.{thread_id}", group.0).into() }
    }

    /// From the two parts of a row of XA RECOVER, if the branch is Serval's.
    pub(crate) fn parse(gtrid: &str, qualifier: &str) -> Option<Self> {
        let plain = qualifier.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        let gtrid = Gtrid::parse(gtrid).filter(|_| plain)?;
        Some(Self { gtrid, qualifier: qualifier.into() })
    }

    /// The connection that began it.
    pub(crate) fn owner(&self) -> Option<u32> {
        self.qualifier.split_once('.').and_then(|(_, thread_id)| thread_id.parse().ok())
    }

    /// `XA <verb> '…','…'`. Both parts are digits, letters and dots, so that no sql_mode reads them otherwise.
    pub(crate) fn xa(&self, verb: &str) -> String {
        format!("XA {verb} '{}','{}'", self.gtrid, self.qualifier)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gtrid::{Names, new_uuid};

    #[test]
    fn a_branch_is_found_again() {
        let gtrid = Names::new().make(&new_uuid());
        let branch = Branch::new(&gtrid, GroupId(3), 77);
        assert_eq!(branch.xa("START"), format!("XA START '{gtrid}','3.77'"));
        assert_eq!(branch.owner(), Some(77));
        assert_eq!(Branch::parse(gtrid.as_str(), "3.77"), Some(branch));
        assert_eq!(Branch::parse(gtrid.as_str(), "3.77','"), None);
        assert_eq!(Branch::parse("somebody's", "3.77"), None);
    }
}
