//! The body of a routine, a trigger or an event. Its names are not resolved: any word in it may be a table's.

use serval_catalog::{Catalog, Placement, Schema};
use serval_remote::Backend;
use serval_sql::{Stored, StoredObject, Token, TokenKind, identifier_value, tokens};
use serval_types::NodeId;

use super::place::Place;
use super::{of_session, what};
use crate::failure::{Failure, refused, unknown_schema};
use crate::identity;
use crate::session::{Session, is_system_schema};

/// Refuses a body that would run over something else on its server than the client means.
pub(super) fn check<B: Backend>(
    session: &Session<B>,
    text: &str,
    stored: &Stored,
    place: &Place,
) -> Result<(), Failure> {
    let what = what(stored);
    let body = stored.body.text(text);
    refuse_identity(session, body, what)?;
    let catalog = session.catalog();
    let schema = catalog.schema(&place.schema).ok_or_else(|| unknown_schema(&place.schema))?;
    let tokens = tokens(body.as_bytes(), session.options).unwrap_or_default();
    let tokens: Vec<Token> = tokens.into_iter().filter(|token| !token.kind.is_comment()).collect();
    if matches!(stored.object, StoredObject::Function | StoredObject::Trigger) {
        of_session::refuse(body.as_bytes(), &tokens, what)?;
    }
    let body = Body { sql: body.as_bytes(), tokens: &tokens, what };
    body.refuse_schemas(&catalog, &catalog.node(place.node).database)?;
    body.refuse_tables(schema, place.node)?;
    if schema.tables.values().any(|table| !lies_on(&table.placement, place.node)) {
        body.refuse_texts()?;
    }
    Ok(())
}

/// Refuses what a server would answer about its own session with Serval: DATABASE(), USER(), …
pub(super) fn refuse_identity<B: Backend>(
    session: &Session<B>,
    body: &str,
    what: &str,
) -> Result<(), Failure> {
    match identity::named_of_client(body.as_bytes(), session.options) {
        Some(function) => Err(refused(format!(
            "{what} cannot use {function}: the server would answer about its connection with Serval; give it as a \
             parameter or a value"
        ))),
        None => Ok(()),
    }
}

fn lies_on(placement: &Placement, node: NodeId) -> bool {
    matches!(placement, Placement::Node(own) if *own == node)
}

struct Body<'a> {
    sql: &'a [u8],
    tokens: &'a [Token],
    what: &'static str,
}

impl Body<'_> {
    fn name(&self, at: usize) -> Option<String> {
        let token = self.tokens.get(at)?;
        matches!(token.kind, TokenKind::Word | TokenKind::QuotedIdent)
            .then(|| String::from_utf8_lossy(&identifier_value(token.span.of(self.sql))).into_owned())
    }

    fn is_dot(&self, at: Option<usize>) -> bool {
        at.and_then(|at| self.tokens.get(at)).is_some_and(|token| token.is_symbol(b'.'))
    }

    /// A schema's name in front of another name, unless the server has a database of that name and means it.
    fn refuse_schemas(&self, catalog: &Catalog, database: &str) -> Result<(), Failure> {
        for at in 0..self.tokens.len() {
            let Some(name) = self.name(at).filter(|name| name != database) else { continue };
            let qualifies = self.is_dot(Some(at + 1)) && !self.is_dot(at.checked_sub(1));
            if qualifies && is_system_schema(&name) {
                return Err(refused(format!(
                    "{} cannot read {name}: its server would describe itself and its own databases; query it outside",
                    self.what
                )));
            }
            if qualifies && catalog.schema(&name).is_some() {
                return Err(refused(format!(
                    "{} cannot name schema {name}: its server knows it by another name; leave the schema out",
                    self.what
                )));
            }
        }
        Ok(())
    }

    /// The name of a table that is not on this node alone. Behind a dot it is a column's.
    fn refuse_tables(&self, schema: &Schema, node: NodeId) -> Result<(), Failure> {
        for at in 0..self.tokens.len() {
            let Some(name) = self.name(at).filter(|_| !self.is_dot(at.checked_sub(1))) else { continue };
            let table = schema.table(&name).filter(|table| !lies_on(&table.placement, node));
            if table.is_some() {
                return Err(refused(format!(
                    "{} cannot name {name}: rows of that table lie on other data nodes, and its server would see only \
                     its own",
                    self.what
                )));
            }
        }
        Ok(())
    }

    /// Statements that are put together when they run may name anything.
    fn refuse_texts(&self) -> Result<(), Failure> {
        let prepares = self.tokens.windows(2).any(|pair| {
            pair[0].is_word(self.sql, "PREPARE")
                || pair[0].is_word(self.sql, "EXECUTE") && pair[1].is_word(self.sql, "IMMEDIATE")
        });
        if prepares {
            return Err(refused(format!(
                "{} cannot prepare statements in a schema with tables on several data nodes: what they name is not \
                 known",
                self.what
            )));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serval_sql::LexOptions;

    use super::*;

    fn schema() -> Catalog {
        let config = r#"
            [groups.g0]
            primary = "127.0.0.1:3310"
            user = "serval"
            password = "secret"
            [nodes]
            "dn[0-1]" = { group = "g0", database = "shop_[0-1]" }
            [rules.by_id]
            function = "mod"
            column = "id"
            nodes = "dn[0-1]"
            [schemas.shop]
            default_node = "dn0"
            [schemas.shop.tables]
            users = { rule = "by_id" }
            regions = { global = "dn[0-1]" }
            audit = { node = "dn1" }
            own = { node = "dn0" }
        "#;
        let secret = |_: &serval_catalog::SecretSource| Ok("secret".to_owned());
        serval_catalog::load(config, "serval.toml", &secret, &[]).expect("a catalog").0
    }

    fn refusal(sql: &str) -> Option<String> {
        let catalog = schema();
        let tokens = tokens(sql.as_bytes(), LexOptions::default()).expect("tokens");
        let body = Body { sql: sql.as_bytes(), tokens: &tokens, what: "A routine" };
        let shop = catalog.schema("shop").expect("the schema");
        let checks = [
            body.refuse_schemas(&catalog, "shop_0"),
            body.refuse_tables(shop, NodeId(0)),
            body.refuse_texts(),
        ];
        checks.into_iter().find_map(|check| check.err().map(|error| error.to_string()))
    }

    #[test]
    fn tables_elsewhere_are_refused_by_name() {
        for (sql, name) in [
            ("BEGIN SELECT * FROM users; END", "users"),
            ("BEGIN INSERT INTO `Regions` VALUES (1); END", "Regions"),
            ("DELETE FROM audit", "audit"),
            ("SELECT * FROM shop.own", "schema shop"),
        ] {
            let refusal = refusal(sql).expect(sql);
            assert!(refusal.contains(name), "{refusal}");
        }
        assert!(refusal("BEGIN PREPARE s FROM @x; END").is_some());
        assert!(refusal("EXECUTE IMMEDIATE 'x'").is_some());
    }

    #[test]
    fn everything_else_may_be_named() {
        for sql in
            ["SELECT own.users FROM own", "SELECT 'users' FROM plain", "SET NEW.audit = 1", "BEGIN END"]
        {
            assert_eq!(refusal(sql), None, "{sql}");
        }
    }
}
