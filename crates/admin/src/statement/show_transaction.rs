//! `show @@transaction`.

use serval_remote::Backend;
use serval_session::{Answer, Proxy};

/// The transactions of which prepared branches are on the groups.
pub(super) fn rows<B: Backend>(proxy: &Proxy<B>) -> Answer {
    let mut answer = Answer::of_text(&["TRANSACTION", "GROUPS", "AGE", "VERDICT"]);
    for doubt in proxy.coordinator.in_doubt() {
        answer.push([
            doubt.gtrid.to_string(),
            doubt.groups.join(","),
            doubt.age.as_secs().to_string(),
            doubt.verdict,
        ]);
    }
    answer
}
