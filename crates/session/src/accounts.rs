//! Accounts in the texts of errors: a server names the one that Serval's connection has with it, which clients know
//! nothing of.

use serval_types::MysqlError;

/// Errors that say who may not do something, or who does not exist.
const OF_ACCOUNTS: [u16; 12] = [1044, 1045, 1142, 1143, 1226, 1227, 1370, 1396, 1410, 1449, 1698, 3118];

/// The error with the client's account in the place of the connection's.
#[must_use]
pub fn of_client(error: MysqlError, user: &str, host: &str) -> MysqlError {
    if !OF_ACCOUNTS.contains(&error.number) {
        return error;
    }
    let message = replace(&error.message, user, host);
    MysqlError { message, ..error }
}

/// Replaces `'user'@'host'`, as servers write accounts.
fn replace(text: &str, user: &str, host: &str) -> String {
    let Some(middle) = text.find("'@'") else { return text.to_owned() };
    let (Some(start), Some(length)) = (text[..middle].rfind('\''), text[middle + 3..].find('\'')) else {
        return text.to_owned();
    };
    let end = middle + 3 + length + 1;
    format!("{}'{user}'@'{host}'{}", &text[..start], &text[end..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(number: u16, text: &str, expect: &str) {
        let error = MysqlError { number, sqlstate: *b"42000", message: text.to_owned() };
        assert_eq!(of_client(error, "app", "10.0.0.1").message, expect);
    }

    #[test]
    fn the_client_is_named() {
        check(
            1142,
            "SELECT command denied to user 'serval'@'localhost' for table 'x'",
            "SELECT command denied to user 'app'@'10.0.0.1' for table 'x'",
        );
        check(
            1449,
            "The user specified as a definer ('a'@'%') does not exist",
            "The user specified as a definer ('app'@'10.0.0.1') does not exist",
        );
    }

    #[test]
    fn other_texts_stay() {
        check(1062, "Duplicate entry 'a'@'b' for key 'PRIMARY'", "Duplicate entry 'a'@'b' for key 'PRIMARY'");
        check(1227, "Access denied; you need SUPER", "Access denied; you need SUPER");
        check(1045, "'@'", "'@'");
    }
}
