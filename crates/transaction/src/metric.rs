//! What `/metrics` says of transactions over several groups.

use metrics::{counter, describe_counter, describe_gauge, gauge};

use crate::record::Verdict;

const COMMITS: &str = "serval_transactions_two_phase_total";
const UNTOLD: &str = "serval_transactions_untold_total";
const IN_DOUBT: &str = "serval_transactions_in_doubt";
const LOST: &str = "serval_transactions_lost_total";
const RECOVERED: &str = "serval_branches_recovered_total";

pub(crate) fn describe() {
    describe_counter!(COMMITS, "Transactions committed over several groups in two phases");
    describe_counter!(UNTOLD, "Commits whose outcome could not be found out before the client was told so");
    describe_gauge!(IN_DOUBT, "Transactions of which prepared branches are on the groups");
    describe_counter!(RECOVERED, "Branches finished by recovery");
    describe_counter!(LOST, "Parts of committed transactions that a failover has lost, or perhaps");
    gauge!(IN_DOUBT).set(0.0);
    counter!(LOST).increment(0);
    counter!(COMMITS).increment(0);
    counter!(UNTOLD).increment(0);
}

pub(crate) fn count_commit(known: bool) {
    counter!(if known { COMMITS } else { UNTOLD }).increment(1);
}

pub(crate) fn count_lost() {
    counter!(LOST).increment(1);
}

pub(crate) fn count_recovered(verdict: Verdict) {
    counter!(RECOVERED, "verdict" => verdict.word()).increment(1);
}

pub(crate) fn note_in_doubt(transactions: usize) {
    // Counts stay far below 2⁵³.
    gauge!(IN_DOUBT).set(transactions as f64);
}
