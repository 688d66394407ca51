//! What a function, a trigger or a view may not use: what belongs to the session that runs it. It runs on whichever connection there is, so it
//! would find there what others have left, and leave something to others. A procedure's connection is its own.

use serval_sql::{LexOptions, Token, TokenKind, closing, identifier_value, is_call, tokens};

use crate::failure::{Failure, refused};

/// Functions that read or change a server's session.
const FUNCTIONS: [&str; 9] = [
    "FOUND_ROWS",
    "GET_LOCK",
    "IS_FREE_LOCK",
    "IS_USED_LOCK",
    "LASTVAL",
    "LAST_INSERT_ID",
    "RELEASE_ALL_LOCKS",
    "RELEASE_LOCK",
    "ROW_COUNT",
];

/// Words behind which a statement of a body begins.
const OPENERS: [&str; 7] = ["BEGIN", "DO", "ELSE", "LOOP", "REPEAT", "ROW", "THEN"];

/// Refuses a body by the first such thing. `tokens` are those behind the object's name, without comments.
pub(super) fn refuse(sql: &[u8], tokens: &[Token], what: &str) -> Result<(), Failure> {
    let body = Body { sql, tokens };
    match body.named().or_else(|| body.set()) {
        None => Ok(()),
        Some(name) => Err(refused(format!(
            "{what} cannot use {name}: it would be that of a server's session with Serval, which serves others as well; use \
             parameters, DECLARE and tables"
        ))),
    }
}

/// Refuses a view's query that calls such a function.
pub(super) fn refuse_view(sql: &[u8], options: LexOptions) -> Result<(), Failure> {
    let mut tokens = tokens(sql, options).unwrap_or_default();
    tokens.retain(|token| !token.kind.is_comment());
    let body = Body { sql, tokens: &tokens };
    match (0..tokens.len()).find(|at| body.calls(*at)) {
        None => Ok(()),
        Some(at) => Err(refused(format!(
            "A view cannot use {}: it would be that of a server's session with Serval, which serves others as well; select it beside \
             the view",
            body.text(at)
        ))),
    }
}

struct Body<'a> {
    sql: &'a [u8],
    tokens: &'a [Token],
}

impl Body<'_> {
    fn text(&self, at: usize) -> String {
        let text = self.tokens.get(at).map(|token| token.span.of(self.sql)).unwrap_or_default();
        String::from_utf8_lossy(text).into_owned()
    }

    fn name(&self, at: usize) -> String {
        let text = self.tokens.get(at).map(|token| token.span.of(self.sql)).unwrap_or_default();
        String::from_utf8_lossy(&identifier_value(text)).to_lowercase()
    }

    fn is(&self, at: usize, words: &[&str]) -> bool {
        self.tokens.get(at).is_some_and(|token| words.iter().any(|word| token.is_word(self.sql, word)))
    }

    fn is_symbol(&self, at: usize, symbol: u8) -> bool {
        self.tokens.get(at).is_some_and(|token| token.is_symbol(symbol))
    }

    /// Whether a function of a session is called here.
    fn calls(&self, at: usize) -> bool {
        FUNCTIONS.iter().any(|name| is_call(self.sql, self.tokens, at, name))
            || self.is(at, &["PREVIOUS"]) && self.is(at + 1, &["VALUE"]) && self.is(at + 2, &["FOR"])
    }

    /// A user variable, a function of a session, a temporary table.
    fn named(&self) -> Option<String> {
        (0..self.tokens.len()).find_map(|at| {
            let temporary = self.is(at, &["TEMPORARY"]) && self.is(at + 1, &["TABLE"]);
            let found = self.tokens[at].kind == TokenKind::UserVariable || self.calls(at) || temporary;
            found.then(|| self.text(at))
        })
    }

    /// A system variable that is SET.
    fn set(&self) -> Option<String> {
        let declared = self.declared();
        let begins = |at: usize| {
            at.checked_sub(1).is_some_and(|before| self.is_symbol(before, b';') || self.is(before, &OPENERS))
        };
        let sets = (0..self.tokens.len()).filter(|at| self.is(*at, &["SET"]) && begins(*at));
        let mut targets = sets.flat_map(|at| self.targets(at + 1));
        let target =
            targets.find(|at| !self.is_symbol(at + 1, b'.') && !declared.contains(&self.name(*at)))?;
        Some(format!("SET {}", self.text(target)))
    }

    /// The first tokens of the assignments that begin at `from`.
    fn targets(&self, from: usize) -> Vec<usize> {
        let mut targets = vec![from];
        let mut at = from;
        while at < self.tokens.len() && !self.is_symbol(at, b';') {
            if self.is_symbol(at, b'(') {
                at = closing(self.tokens, at).unwrap_or(at);
            } else if self.is_symbol(at, b',') {
                targets.push(at + 1);
            }
            at += 1;
        }
        targets
    }

    /// The names of parameters and of local variables, with some words beside them.
    fn declared(&self) -> Vec<String> {
        let parameters = if self.is_symbol(0, b'(') { closing(self.tokens, 0).unwrap_or(0) } else { 0 };
        let mut names: Vec<String> = (0..parameters).map(|at| self.name(at)).collect();
        let mut declares = false;
        for at in parameters..self.tokens.len() {
            declares = self.is(at, &["DECLARE"]) || declares && !self.is_symbol(at, b';');
            if declares {
                names.push(self.name(at));
            }
        }
        names
    }
}

#[cfg(test)]
mod tests {
    use serval_sql::{LexOptions, tokens};

    use super::*;

    fn refusal(sql: &str) -> Option<String> {
        let tokens = tokens(sql.as_bytes(), LexOptions::default()).expect("tokens");
        refuse(sql.as_bytes(), &tokens, "A routine").err().map(|error| error.to_string())
    }

    #[test]
    fn what_belongs_to_a_session_is_refused_by_name() {
        for (sql, name) in [
            ("() RETURNS INT RETURN @x", "@x"),
            ("() RETURNS INT BEGIN SET @n = 1; RETURN 1; END", "@n"),
            ("() RETURNS INT RETURN LAST_INSERT_ID()", "LAST_INSERT_ID"),
            ("() RETURNS INT RETURN PREVIOUS VALUE FOR s", "PREVIOUS"),
            ("() RETURNS INT BEGIN CREATE TEMPORARY TABLE t (id INT); RETURN 1; END", "TEMPORARY"),
            (
                "(a INT) RETURNS INT BEGIN DECLARE b INT; SET a = 1, sql_mode = ''; RETURN b; END",
                "SET sql_mode",
            ),
            ("BEFORE INSERT ON t FOR EACH ROW SET SESSION sort_buffer_size = 1", "SET SESSION"),
            ("BEFORE INSERT ON t FOR EACH ROW SET @@sql_mode = ''", "SET @@sql_mode"),
        ] {
            let refusal = refusal(sql).expect(sql);
            assert!(refusal.contains(name), "{refusal}");
        }
    }

    #[test]
    fn a_body_has_its_own_variables() {
        for sql in [
            "(a INT) RETURNS INT BEGIN DECLARE b, `c` INT; SET a = f(1, 2), b = 2; SET C = 3; RETURN a; END",
            "BEFORE INSERT ON t FOR EACH ROW SET NEW.v = 1, NEW.w = 2",
            "AFTER UPDATE ON t FOR EACH ROW BEGIN UPDATE u SET n = n + 1; INSERT INTO v VALUES (@@sql_mode); END",
        ] {
            assert_eq!(refusal(sql), None, "{sql}");
        }
    }
}
