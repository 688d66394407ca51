//! COMMIT in mode `atomic` over several groups: prepare all, decide in one place, finish all.
//!
//! Every participant but the first is a branch of an XA transaction. `XA PREPARE` makes the branches durable without
//! committing them; at the same time the *record of the decision* is inserted into the first participant's own, ordinary
//! transaction. When all of that is done, that transaction's COMMIT commits the first group's rows and decides for all
//! others in the same instant, and what was decided lies where the rows lie, so a proxy keeps nothing. Then the branches
//! are told. After the last statement that makes three round trips: PREPARE and the record, COMMIT, XA COMMIT.
//!
//! What happens if this stops in between:
//!
//! | stopped | the record | so recovery |
//! |---|---|---|
//! | before the record's COMMIT was sent | cannot be there | rolls the branches back |
//! | while its COMMIT was under way | there, or never will be: an *abort* record takes its place | does what it says |
//! | after it | is there | commits the branches |
//!
//! Participants that only read are not prepared. They commit by themselves meanwhile: there is nothing to lose.

use std::sync::Arc;
use std::time::Duration;

use serval_remote::{Connection, RemoteError};
use serval_types::{ErrorCode, MysqlError};

use crate::commit::{CommitError, commit_each};
use crate::global::Global;
use crate::loss::Kept;
use crate::participant::Participant;
use crate::record::{self, Verdict};
use crate::together::together;
use crate::transaction::roll_back;

/// How long all branches together may take to prepare; after that the transaction is given up.
const PREPARE_LIMIT: Duration = Duration::from_secs(30);
/// How long the answer to the deciding COMMIT is waited for. A primary that waits for its replica's acknowledgement
/// takes as long as it is configured to.
const DECIDE_LIMIT: Duration = Duration::from_secs(60);
/// How long the outcome is looked for when that answer was lost, before the client is told that it is in doubt.
const RESOLVE_LIMIT: Duration = Duration::from_secs(10);
/// How long a branch may take to finish, before that is left to recovery.
const FINISH_LIMIT: Duration = Duration::from_secs(10);

/// What is known after the decision was asked for.
enum Outcome {
    Committed,
    RolledBack(MysqlError),
    Unknown(String),
}

/// Commits participants of which all but one at most are branches.
pub(crate) async fn commit<C: Connection>(
    participants: Vec<Participant<C>>,
    global: Global,
) -> Result<(), CommitError> {
    let (writers, readers): (Vec<_>, Vec<_>) =
        participants.into_iter().partition(|participant| participant.wrote);
    let writing = async {
        if writers.len() < 2 { commit_each(writers).await } else { commit_writers(writers, global).await }
    };
    let (result, ()) = tokio::join!(writing, end(readers));
    result
}

/// What only read has nothing that could fail to stay, so it ends by itself, whatever becomes of the rest.
async fn end<C: Connection>(readers: Vec<Participant<C>>) {
    together(readers.into_iter().map(|mut reader| async move {
        if !matches!(reader.commit().await, Ok(Ok(()))) {
            tracing::debug!(
                group = &*reader.name,
                "a group that was only read from did not end its transaction"
            );
            reader.undo().await;
        }
    }))
    .await;
}

async fn commit_writers<C: Connection>(
    writers: Vec<Participant<C>>,
    mut global: Global,
) -> Result<(), CommitError> {
    let (mut first, mut branches): (Vec<_>, Vec<_>) = writers.into_iter().partition(Participant::is_local);
    let mut first = first.pop();
    global.prepares();
    // Nothing of the record stays before its COMMIT, which is sent when both have succeeded.
    let (prepared, recorded) = tokio::join!(prepare(&mut branches, &global), record(first.as_mut(), &global));
    let outcome = match prepared.and(recorded) {
        Ok(()) => decide(first, &global).await,
        Err(error) => {
            roll_back(first.into_iter().collect()).await;
            Outcome::RolledBack(error)
        }
    };
    match outcome {
        Outcome::Committed => {
            finish(branches, global).await;
            Ok(())
        }
        Outcome::RolledBack(error) => {
            let undone = together(branches.into_iter().map(undo)).await;
            if undone.into_iter().all(|undone| undone) {
                global.is_finished();
            }
            Err(CommitError::RolledBack(error))
        }
        Outcome::Unknown(reason) => {
            tracing::warn!(gtrid = %global.gtrid, reason, "the outcome of a transaction is not known yet");
            global.decisions.count(false);
            Err(CommitError::InDoubt { gtrid: global.gtrid.clone(), reason })
        }
    }
}

/// Prepares all branches at once, and waits until they are as durable as commits.
async fn prepare<C: Connection>(branches: &mut [Participant<C>], global: &Global) -> Result<(), MysqlError> {
    let all = together(branches.iter_mut().map(|branch| prepare_one(branch, global)));
    match tokio::time::timeout(PREPARE_LIMIT, all).await {
        Ok(results) => results.into_iter().collect(),
        Err(_) => Err(MysqlError::new(
            ErrorCode::WaitTimeout,
            format!(
                "A group did not prepare its part within {} s; try restarting transaction",
                PREPARE_LIMIT.as_secs()
            ),
        )),
    }
}

async fn prepare_one<C: Connection>(branch: &mut Participant<C>, global: &Global) -> Result<(), MysqlError> {
    match branch.prepare().await {
        Ok(Ok(())) => {
            let passed = global.decisions.barrier(branch.group).await;
            branch.acknowledged = passed.map_err(|error| rolled_back(&branch.name, &error))?;
            Ok(())
        }
        Ok(Err(error)) => {
            // Whether there is a branch left is for the server to say once the connection is closed.
            branch.close();
            Err(error)
        }
        Err(error) => Err(rolled_back(&branch.name, &error)),
    }
}

/// Inserts the record into the first participant's transaction, which decides nothing yet.
async fn record<C: Connection>(
    first: Option<&mut Participant<C>>,
    global: &Global,
) -> Result<(), MysqlError> {
    // The first group has left since (a statement of its own was refused): its record will stand alone.
    let Some(first) = first else { return Ok(()) };
    let insert = record::insert(&global.place, &global.gtrid, Verdict::Commit, first.thread_id());
    match limited(first.run(&insert)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => {
            if GONE.contains(&error.number) {
                global.decisions.missing(global.place.group);
            }
            Err(if error.number == DUPLICATE { decided_by_others() } else { error })
        }
        // The COMMIT is never sent, and without it the server undoes what it had.
        Err(error) => Err(rolled_back(&first.name, &error)),
    }
}

/// The decision: one COMMIT on the first participant.
async fn decide<C: Connection>(first: Option<Participant<C>>, global: &Global) -> Outcome {
    let Some(mut first) = first else { return resolve(None, Verdict::Commit, global).await };
    match limited(first.run("COMMIT")).await {
        Ok(Ok(())) => {
            global.decisions.count(true);
            Outcome::Committed
        }
        // An error is no proof that nothing stayed; the record is.
        Ok(Err(error)) => {
            first.close();
            resolve(Some(error), Verdict::Abort, global).await
        }
        Err(error) => {
            let error = rolled_back(&first.name, &error);
            resolve(Some(error), Verdict::Abort, global).await
        }
    }
}

/// Looks for the record on another connection, as recovery does.
async fn resolve(error: Option<MysqlError>, wanted: Verdict, global: &Global) -> Outcome {
    match global.decisions.decide(&global.place, &global.gtrid, wanted, RESOLVE_LIMIT).await {
        Ok(Verdict::Commit) => {
            global.decisions.count(true);
            Outcome::Committed
        }
        Ok(Verdict::Abort) => Outcome::RolledBack(error.unwrap_or_else(decided_by_others)),
        Err(error) => Outcome::Unknown(error.to_string()),
    }
}

/// Tells the branches. What cannot be told now, recovery tells later; the transaction is committed either way.
async fn finish<C: Connection>(branches: Vec<Participant<C>>, mut global: Global) {
    let mut kept = vec![(global.place.group, Kept::Record(Arc::clone(&global.place)))];
    let parts = branches.iter().map(|part| (part.group, part.branch().cloned(), part.acknowledged));
    let parts: Vec<_> = parts.collect();
    let finished = together(branches.into_iter().map(|mut branch| async move {
        match tokio::time::timeout(FINISH_LIMIT, branch.finish()).await {
            Ok(Ok(Ok(()))) => return true,
            Ok(Ok(Err(error))) => tracing::info!(group = &*branch.name, %error, "XA COMMIT refused"),
            Ok(Err(error)) => tracing::info!(group = &*branch.name, %error, "XA COMMIT not answered"),
            Err(_) => tracing::info!(group = &*branch.name, "XA COMMIT not answered in time"),
        }
        false
    }))
    .await;
    kept.extend(parts.into_iter().zip(&finished).filter_map(|((group, branch, acknowledged), finished)| {
        Some((group, Kept::Branch { branch: branch?, finished: *finished, acknowledged }))
    }));
    global.decisions.kept(&global.gtrid, kept);
    if finished.into_iter().all(|finished| finished) {
        global.is_finished();
    }
}

/// Rolls one back; whether it said so within the time.
pub(crate) async fn undo<C: Connection>(mut branch: Participant<C>) -> bool {
    tokio::time::timeout(FINISH_LIMIT, branch.undo()).await.unwrap_or(false)
}

/// The answer to a COMMIT, or that there is none within the time.
pub(crate) async fn limited(
    answer: impl Future<Output = Result<Result<(), MysqlError>, RemoteError>>,
) -> Result<Result<(), MysqlError>, RemoteError> {
    tokio::time::timeout(DECIDE_LIMIT, answer).await.unwrap_or_else(|_| {
        Err(RemoteError::Lost {
            group: String::new(),
            server: String::new(),
            sent: true,
            reason: format!("no answer within {} s", DECIDE_LIMIT.as_secs()),
        })
    })
}

/// ER_NO_SUCH_TABLE, ER_BAD_DB_ERROR.
const GONE: [u16; 2] = [1146, 1049];
/// ER_DUP_ENTRY.
const DUPLICATE: u16 = 1062;

fn rolled_back(group: &str, error: &RemoteError) -> MysqlError {
    if let RemoteError::Refused(error) = error {
        return error.clone();
    }
    MysqlError::new(
        ErrorCode::BackendUnavailable,
        format!(
            "Group {group} was lost during COMMIT; the transaction was rolled back on all groups; run it again from its \
             start"
        ),
    )
}

fn decided_by_others() -> MysqlError {
    MysqlError::new(
        ErrorCode::Unknown,
        "COMMIT took so long that recovery has rolled the transaction back on all groups; run it again from its start",
    )
}
