//! `[users]`, `[admin.users]`, and passwords wherever they stand.

use std::collections::HashMap;

use super::nodes::names;
use super::{Sink, did_you_mean, raw};
use crate::{SchemaAccess, Secret, SecretSource, Secure, User, Verifier};

/// Fetches a password from outside.
pub(crate) type Resolve<'r> = &'r dyn Fn(&SecretSource) -> Result<String, String>;

/// The clients' accounts, then the console's.
pub(crate) fn users(
    config: &raw::Config,
    resolve: Resolve<'_>,
    sink: &mut Sink<'_>,
) -> (HashMap<String, User>, HashMap<String, User>) {
    let mut users = HashMap::new();
    for (name, raw) in &config.users {
        let path = ["users", name.as_str()];
        let verifier = verifier(&path, raw.password.as_ref(), raw.verifier.as_deref(), resolve, sink);
        let secure = secure(&path, raw, config, sink);
        let schemas = schemas(&path, raw, config, sink);
        let default_schema = default_schema(&path, raw, &schemas, config, sink);
        if let Some(verifier) = verifier {
            users
                .insert(name.clone(), User { name: name.clone(), verifier, secure, schemas, default_schema });
        }
    }
    let mut admin_users = HashMap::new();
    for (name, raw) in &config.admin.users {
        let path = ["admin", "users", name.as_str()];
        let verifier = verifier(&path, raw.password.as_ref(), raw.verifier.as_deref(), resolve, sink);
        if let Some(verifier) = verifier {
            let (schemas, default_schema, secure) = (SchemaAccess::All, None, Secure::No);
            admin_users
                .insert(name.clone(), User { name: name.clone(), verifier, secure, schemas, default_schema });
        }
    }
    if config.listen.admin.is_some() && config.admin.users.is_empty() && !sink.reported_in(&["admin"]) {
        let fix = "add `[admin.users.admin]` with a password, or remove `admin` from `[listen]`";
        sink.warn(&["listen", "admin"], "nobody can log in to the admin console", fix);
    }
    (users, admin_users)
}

/// What the account's connections have to be; nobody could log in where `[tls]` does not offer it.
fn secure(path: &[&str], raw: &raw::User, config: &raw::Config, sink: &mut Sink<'_>) -> Secure {
    let asked = |key: Option<bool>| key == Some(true);
    let authorities = config.tls.as_ref().is_some_and(|tls| tls.client_ca.is_some());
    if asked(raw.require_certificate) {
        if !authorities {
            let fix = "name the authorities of clients' certificates with `client_ca` in `[tls]`";
            let path = [path, &["require_certificate"]].concat();
            sink.error(&path, "no client can show a certificate", fix);
        }
        return Secure::Certificate;
    }
    if !asked(raw.require_tls) {
        return Secure::No;
    }
    if config.tls.is_none() && config.listen.socket.is_none() {
        let fix = "add `[tls]` with a certificate and a key";
        sink.error(&[path, &["require_tls"]].concat(), "no client can use TLS", fix);
    }
    Secure::Transport
}

fn verifier(
    path: &[&str],
    password: Option<&raw::Password>,
    verifier: Option<&str>,
    resolve: Resolve<'_>,
    sink: &mut Sink<'_>,
) -> Option<Verifier> {
    match (password, verifier) {
        (Some(_), Some(_)) => {
            let path = [path, &["verifier"]].concat();
            sink.error_at_key(&path, "both `password` and `verifier` are given", "remove one of them");
            None
        }
        (Some(password), None) => {
            let secret = secret(&[path, &["password"]].concat(), password, resolve, sink)?;
            Some(Verifier::of_password(secret.reveal()))
        }
        (None, Some(text)) => text
            .parse()
            .map_err(|error: crate::VerifierError| {
                let fix = "let `serval passwd` print one";
                sink.error(&[path, &["verifier"]].concat(), error.to_string(), fix);
            })
            .ok(),
        (None, None) => {
            if !sink.reported_in(path) {
                let name = path.last().copied().unwrap_or_default();
                let fix = "add `password = { env = \"…\" }` or a `verifier` that `serval passwd` prints";
                sink.error(path, format!("the user `{name}` has no password"), fix);
            }
            None
        }
    }
}

/// A password, fetched from where it is kept.
pub(super) fn secret(
    path: &[&str],
    password: &raw::Password,
    resolve: Resolve<'_>,
    sink: &mut Sink<'_>,
) -> Option<Secret> {
    let source = match password {
        raw::Password::Plain(text) => {
            let fix = "use `{ env = \"NAME\" }`, `{ file = \"path\" }` or, for a user, a `verifier`";
            sink.warn(path, "the password stands in the config for everyone to read", fix);
            return Some(Secret::new(text));
        }
        raw::Password::Kept(kept) => match (&kept.env, &kept.file) {
            (Some(name), None) => SecretSource::Env(name.clone()),
            (None, Some(file)) => SecretSource::File(file.clone()),
            _ => {
                if !sink.reported_in(path) {
                    let fix = "write either `{ env = \"NAME\" }` or `{ file = \"path\" }`";
                    sink.error(path, "where the password is kept is not clear", fix);
                }
                return None;
            }
        },
    };
    match resolve(&source) {
        Ok(text) => Some(Secret::new(text)),
        Err(reason) => {
            let fix = match &source {
                SecretSource::Env(name) => format!("set {name} before Serval starts"),
                SecretSource::File(path) | SecretSource::Pem(path) => {
                    format!("write the password to {path}, readable by Serval only")
                }
            };
            sink.error(path, format!("the password cannot be read from {source}: {reason}"), fix);
            None
        }
    }
}

fn schemas(path: &[&str], raw: &raw::User, config: &raw::Config, sink: &mut Sink<'_>) -> SchemaAccess {
    let Some(list) = &raw.schemas else { return SchemaAccess::All };
    let path = [path, &["schemas"]].concat();
    let found = names(&path, list, sink).unwrap_or_default();
    for (place, name) in &found {
        let known = config.schemas.keys().any(|schema| schema.eq_ignore_ascii_case(name));
        if !known && !sink.document.has(&["schemas", name]) {
            let fix = did_you_mean(name, config.schemas.keys().map(String::as_str));
            sink.error_at(place.clone(), format!("there is no schema `{name}`"), fix);
        }
    }
    SchemaAccess::Only(found.into_iter().map(|(_, name)| name.to_lowercase()).collect())
}

fn default_schema(
    path: &[&str],
    raw: &raw::User,
    access: &SchemaAccess,
    config: &raw::Config,
    sink: &mut Sink<'_>,
) -> Option<String> {
    let name = raw.default_schema.clone()?;
    let path = [path, &["default_schema"]].concat();
    let allowed = match access {
        SchemaAccess::All => true,
        SchemaAccess::Only(names) => names.contains(&name.to_lowercase()),
    };
    if !config.schemas.keys().any(|schema| schema.eq_ignore_ascii_case(&name)) {
        let fix = did_you_mean(&name, config.schemas.keys().map(String::as_str));
        sink.error(&path, format!("there is no schema `{name}`"), fix);
    } else if !allowed {
        let fix = format!("add \"{name}\" to `schemas`");
        sink.error(&path, format!("the user may not use the schema `{name}`"), fix);
    } else {
        return Some(name);
    }
    None
}
