//! DEFINER: what Serval's connections made for clients is shown as made by the client that asks.

use serval_remote::Backend;
use serval_types::NodeId;

use super::create::ansi_identifier;
use crate::answer::Answer;
use crate::failure::Failure;
use crate::literal::identifier;
use crate::session::Session;

/// The account of Serval's connections to a node, and the client's own.
#[derive(Debug)]
pub(super) struct Accounts {
    /// `user@host`.
    server: String,
    client: String,
}

impl Accounts {
    pub(super) async fn of<B: Backend>(session: &mut Session<B>, node: NodeId) -> Result<Self, Failure> {
        let answer = session.ask(node, "SELECT CURRENT_USER()").await?;
        Ok(Self { server: answer.text(0, 0).unwrap_or_default(), client: session.user.clone() })
    }

    /// The column Definer of a SHOW.
    pub(super) fn rename(&self, answer: &mut Answer) {
        let Some(at) = answer.columns.iter().position(|column| column.name.as_ref() == b"Definer") else {
            return;
        };
        for cell in answer.rows.iter_mut().filter_map(|row| row.get_mut(at)) {
            if cell.as_deref() == Some(self.server.as_bytes()) {
                *cell = Some(format!("{}@%", self.client).into_bytes());
            }
        }
    }

    /// The clause in a definition.
    pub(super) fn in_definition(&self, text: &str) -> String {
        let Some((user, host)) = self.server.rsplit_once('@') else { return text.to_owned() };
        for quote in [identifier, ansi_identifier] {
            let clause = |user: &str, host: &str| format!("DEFINER={}@{}", quote(user), quote(host));
            let server = clause(user, host);
            // Bodies of routines may hold anything; the clause stands before them.
            if text.contains(&server) {
                return text.replacen(&server, &clause(&self.client, "%"), 1);
            }
        }
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_definition_names_the_client() {
        let accounts = Accounts { server: "serval@%".to_owned(), client: "app".to_owned() };
        let shown = accounts
            .in_definition("CREATE DEFINER=`serval`@`%` PROCEDURE `p`() SELECT 'DEFINER=`serval`@`%`'");
        assert_eq!(shown, "CREATE DEFINER=`app`@`%` PROCEDURE `p`() SELECT 'DEFINER=`serval`@`%`'");
        let ansi = accounts.in_definition("CREATE DEFINER=\"serval\"@\"%\" VIEW \"v\" AS select 1");
        assert_eq!(ansi, "CREATE DEFINER=\"app\"@\"%\" VIEW \"v\" AS select 1");
        let other = "CREATE DEFINER=`root`@`localhost` VIEW `v` AS select 1";
        assert_eq!(accounts.in_definition(other), other);
    }
}
