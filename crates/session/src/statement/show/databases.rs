//! SHOW DATABASES and SHOW GRANTS: what the session's user may see.

use serval_catalog::SchemaAccess;
use serval_remote::Backend;
use serval_sql::Filter;

use crate::answer::Answer;
use crate::session::Session;

/// The schemas that the user may use, and information_schema, in the order of their names.
pub(super) fn rows<B: Backend>(session: &Session<B>, filter: Option<&Filter>) -> Answer {
    let catalog = session.catalog();
    let mut names = vec!["information_schema".to_owned()];
    if let Some(user) = catalog.users.get(&session.user) {
        names.extend(
            catalog.schemas.values().map(|schema| schema.name.clone()).filter(|name| user.may_use(name)),
        );
    }
    names.sort();
    let header = match filter {
        Some(Filter::Like { pattern, .. }) => format!("Database ({pattern})"),
        _ => "Database".to_owned(),
    };
    let mut rows = Answer::of_text(&[&header]);
    for name in names {
        rows.push([name]);
    }
    rows
}

/// What Serval's own config grants, in the words of a server.
pub(super) fn grants<B: Backend>(session: &Session<B>) -> Answer {
    let catalog = session.catalog();
    let user = &session.user;
    let mut rows = Answer::of_text(&[&format!("Grants for {user}@%")]);
    match catalog.users.get(user).map(|user| &user.schemas) {
        Some(SchemaAccess::All) => rows.push([format!("GRANT ALL PRIVILEGES ON *.* TO `{user}`@`%`")]),
        Some(SchemaAccess::Only(names)) => {
            rows.push([format!("GRANT USAGE ON *.* TO `{user}`@`%`")]);
            for name in names {
                rows.push([format!("GRANT ALL PRIVILEGES ON `{name}`.* TO `{user}`@`%`")]);
            }
        }
        None => {}
    }
    rows
}
