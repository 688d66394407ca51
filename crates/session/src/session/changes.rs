//! What the running statement has changed in the session, for clients that track it (`CLIENT_SESSION_TRACK`).
//!
//! [Manual](https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_ok_packet.html#sect_protocol_basic_ok_packet_sessinfo).
//! What the servers behind Serval say of their own sessions never gets here: it names databases that clients must not
//! see, and changes that other sessions made.

use serval_remote::SessionState;
use serval_wire::lenenc::write_string;

/// The kinds of changes.
const SESSION_TRACK_SYSTEM_VARIABLES: u8 = 0;
const SESSION_TRACK_SCHEMA: u8 = 1;
const SESSION_TRACK_STATE_CHANGE: u8 = 2;

/// The variables that are tracked unless the session says otherwise; the same on MySQL and MariaDB.
const TRACKED: [&str; 5] =
    ["autocommit", "character_set_client", "character_set_connection", "character_set_results", "time_zone"];

/// What has changed since the statement began.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    variables: Vec<(String, String)>,
    schema: Option<String>,
    anything: bool,
}

impl Changes {
    /// Another statement begins.
    pub(crate) fn clear(&mut self) {
        if self.anything {
            *self = Self::default();
        }
    }

    /// Another schema is the current one, be it the same.
    pub(crate) fn schema(&mut self, name: &str) {
        self.schema = Some(name.to_owned());
        self.anything = true;
    }

    /// A variable was set, be it to what it was.
    pub(crate) fn variable(&mut self, name: &str, value: &str) {
        self.variables.push((name.to_owned(), value.to_owned()));
        self.anything = true;
    }

    /// Something was changed that has no entry of its own: a user variable, a prepared statement.
    pub(crate) fn something(&mut self) {
        self.anything = true;
    }

    /// The entries of an OK packet, as far as the session tracks them; `None` without any.
    pub(crate) fn encode(&self, state: &SessionState) -> Option<Vec<u8>> {
        if !self.anything {
            return None;
        }
        let mut out = Vec::new();
        for (name, value) in &self.variables {
            let mut data = Vec::new();
            write_string(&mut data, name.as_bytes());
            write_string(&mut data, value.as_bytes());
            entry(&mut out, SESSION_TRACK_SYSTEM_VARIABLES, &data);
        }
        if let (Some(schema), true) = (&self.schema, is_on(state, "session_track_schema", true)) {
            let mut data = Vec::new();
            write_string(&mut data, schema.as_bytes());
            entry(&mut out, SESSION_TRACK_SCHEMA, &data);
        }
        if is_on(state, "session_track_state_change", false) {
            entry(&mut out, SESSION_TRACK_STATE_CHANGE, b"1");
        }
        (!out.is_empty()).then_some(out)
    }
}

/// Whether changes of a variable are told.
pub(crate) fn is_tracked(state: &SessionState, variable: &str) -> bool {
    match state.value("session_track_system_variables") {
        Some(list) if list != "DEFAULT" => {
            let list = list.trim_matches('\'');
            list.trim() == "*" || list.split(',').any(|name| name.trim().eq_ignore_ascii_case(variable))
        }
        _ => TRACKED.contains(&variable),
    }
}

fn is_on(state: &SessionState, variable: &str, default: bool) -> bool {
    match state.value(variable).map(|value| value.trim_matches('\'').to_ascii_uppercase()).as_deref() {
        None | Some("DEFAULT") => default,
        Some(value) => matches!(value, "1" | "ON" | "TRUE"),
    }
}

fn entry(out: &mut Vec<u8>, kind: u8, data: &[u8]) {
    out.push(kind);
    write_string(out, data);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_those_of_real_servers() {
        let state = SessionState::default();
        let mut changes = Changes::default();
        assert_eq!(changes.encode(&state), None);
        changes.schema("d");
        assert_eq!(changes.encode(&state).as_deref(), Some(&b"\x01\x02\x01d"[..]));
        let all = state.with("session_track_state_change", "'ON'");
        assert_eq!(changes.encode(&all).as_deref(), Some(&b"\x01\x02\x01d\x02\x011"[..]));
        changes.variable("time_zone", "+01:00");
        let none = state.with("session_track_schema", "0");
        assert_eq!(changes.encode(&none).as_deref(), Some(&b"\x00\x11\x09time_zone\x06+01:00"[..]));
        changes.clear();
        assert_eq!(changes.encode(&all), None);
    }

    #[test]
    fn what_is_tracked_is_the_sessions_choice() {
        let state = SessionState::default();
        assert!(is_tracked(&state, "autocommit") && !is_tracked(&state, "sql_mode"));
        let chosen = state.with("session_track_system_variables", "'sql_mode, Time_Zone'");
        assert!(is_tracked(&chosen, "time_zone") && !is_tracked(&chosen, "autocommit"));
        assert!(is_tracked(&state.with("session_track_system_variables", "'*'"), "anything"));
        assert!(!is_tracked(&state.with("session_track_system_variables", "''"), "autocommit"));
    }
}
