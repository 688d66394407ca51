//! Whether a group can be told by others to commit: its primary is asked to begin a branch, which is undone at once.

use mysql_async::Conn;

use crate::probe;

/// The name of the branch. Nothing is ever prepared under it.
const NAME: &str = "'serval.check','online'";

/// What is wrong with the XA of a server whose group is to have it; nothing where it has.
pub async fn look_at(conn: &mut Conn) -> Result<Option<String>, String> {
    // MySQL and others know no such variable, and answer with no row.
    let galera = probe::rows(conn, "SHOW GLOBAL VARIABLES LIKE 'wsrep_on'").await?;
    let galera = galera.into_iter().any(|row| row.into_iter().nth(1).flatten().as_deref() == Some("ON"));
    let refusal = probe::rows(conn, &format!("XA START {NAME}")).await.err();
    if refusal.is_none() {
        probe::rows(conn, &format!("XA END {NAME}")).await?;
        probe::rows(conn, &format!("XA ROLLBACK {NAME}")).await?;
    }
    Ok(problem(galera, refusal.as_deref()))
}

fn problem(galera: bool, refusal: Option<&str>) -> Option<String> {
    let why = match (galera, refusal) {
        (_, Some(refusal)) => format!("it refuses XA START ({refusal})"),
        (true, None) => {
            "it is a Galera node (wsrep_on), whose cluster does not replicate prepared branches".to_owned()
        }
        (false, None) => return None,
    };
    Some(format!(
        "{why}, so no transaction that has begun elsewhere may come to it: set `xa = false` for the group"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_lacks_it_is_told_to_say_so() {
        assert_eq!(problem(false, None), None);
        assert!(
            problem(true, None).is_some_and(|text| text.contains("Galera") && text.contains("`xa = false`"))
        );
        let refused = problem(false, Some("ERROR 42000 (1064): syntax"));
        assert!(refused.is_some_and(|text| text.contains("1064") && text.contains("`xa = false`")));
    }
}
