//! Loading a configuration: any text gives a catalog or its mistakes, each at a place inside the text.

use serval_catalog::{Severity, load};

pub(crate) fn check(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let secret = |_: &serval_catalog::SecretSource| Ok("secret".to_owned());
    let definition = "CREATE TABLE users (id BIGINT NOT NULL, name VARCHAR(20), PRIMARY KEY (id))".to_owned();
    match load(text, "serval.toml", &secret, &[("shop.sql".to_owned(), definition)]) {
        Ok((_, warnings)) => assert!(warnings.iter().all(|found| found.severity != Severity::Error)),
        Err(mistakes) => {
            assert!(mistakes.iter().any(|found| found.severity == Severity::Error), "refused for no reason");
            for mistake in mistakes.iter().filter(|mistake| mistake.file == "serval.toml") {
                assert!(text.get(mistake.span.clone()).is_some(), "{mistake:?} lies outside of the text");
            }
        }
    }
}
