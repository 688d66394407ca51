//! Reading an answer in bursts of whole packets, after the answers of what preceded the statement.

use serval_remote::Burst;
use serval_wire::response::ResponseScanner;

use crate::accepted::Accepted;
use crate::command;
use crate::error::LinkError;
use crate::link::{Link, Phase};
use crate::prepare::is_forgotten;

impl Link {
    /// The next whole packets of the statement's answer; `None` where the server does not prepare a statement again
    /// that it has forgotten, for the reason in [`Phase::Refused`].
    ///
    /// # Errors
    /// [`LinkError::Server`] when a preamble was refused although the server had accepted it before: the statement
    /// behind it ran in a session that nobody knows, so the link is of no more use.
    pub(crate) async fn next_burst(&mut self, accepted: &Accepted) -> Result<Option<Burst>, LinkError> {
        loop {
            let begins = matches!(self.phase, Phase::Busy { repeatable: true, .. });
            let Some(burst) = self.buffered_burst(accepted)? else {
                self.fill().await?;
                continue;
            };
            if let Phase::Busy { repeatable, .. } = &mut self.phase {
                *repeatable = false;
            }
            if !(begins && is_forgotten(&burst)) {
                return Ok(Some(burst));
            }
            if !self.execute_again(accepted).await? {
                return Ok(None);
            }
        }
    }

    fn buffered_burst(&mut self, accepted: &Accepted) -> Result<Option<Burst>, LinkError> {
        loop {
            let Phase::Busy { awaited, scanner, first, .. } = &mut self.phase else {
                return Err(LinkError::closed());
            };
            let scanned = scanner.scan(&self.input)?;
            if scanned.consumed == 0 {
                return Ok(None);
            }
            let mut bytes = self.input.split_to(scanned.consumed);
            if awaited.is_empty() {
                if *first != 1 {
                    command::renumber(&mut bytes, first.wrapping_sub(1));
                }
                if let Some(completion) = &scanned.complete {
                    let first = *first;
                    self.end(completion, first)?;
                }
                return Ok(Some(Burst { bytes, completion: scanned.complete }));
            }
            let Some(completion) = scanned.complete else { continue };
            let step = awaited.remove(0);
            *scanner = ResponseScanner::with_sequence(true, if awaited.is_empty() { *first } else { 1 });
            self.note(&completion)?;
            if let Some(error) = completion.error {
                accepted.clear();
                return Err(LinkError::Server(error.to_mysql()));
            }
            step.done(self, accepted);
        }
    }
}
