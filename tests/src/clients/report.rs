//! What a client can do directly and through the proxy, side by side.

use std::fmt;

use super::steps::Outcome;

/// One client's steps.
#[derive(Clone, Debug)]
pub struct Report {
    /// The client.
    pub client: &'static str,
    /// Its steps in order.
    pub rows: Vec<Row>,
}

/// One step on both targets; `None` where a target does not have it.
#[derive(Clone, Debug)]
pub struct Row {
    /// The step.
    pub step: String,
    /// On the plain server.
    pub direct: Option<Result<(), String>>,
    /// Through the proxy.
    pub proxied: Option<Result<(), String>>,
}

impl Report {
    pub(super) fn new(client: &'static str, direct: &[Outcome], proxied: &[Outcome]) -> Report {
        let mut steps: Vec<&str> = proxied.iter().map(|outcome| outcome.step.as_str()).collect();
        steps.extend(
            direct
                .iter()
                .map(|outcome| outcome.step.as_str())
                .filter(|step| proxied.iter().all(|outcome| outcome.step != *step)),
        );
        let row = |step: &str| Row {
            step: step.to_owned(),
            direct: find(direct, step),
            proxied: find(proxied, step),
        };
        Report { client, rows: steps.into_iter().map(row).collect() }
    }

    /// Whether the proxy does all that the plain server does.
    #[must_use]
    pub fn passes(&self) -> bool {
        self.rows.iter().all(Row::passes)
    }

    /// How many steps there are that pass through the proxy.
    #[must_use]
    pub fn passed(&self) -> usize {
        self.rows.iter().filter(|row| matches!(row.proxied, Some(Ok(())))).count()
    }
}

impl Row {
    /// A step that the plain server has not been asked for (a plugin that it lacks) has to work; one that fails there
    /// proves nothing; one that was reported there only has been left out through the proxy.
    fn passes(&self) -> bool {
        match (&self.direct, &self.proxied) {
            (_, Some(Ok(()))) | (Some(Err(_)), _) => true,
            (_, Some(Err(_)) | None) => false,
        }
    }
}

fn find(outcomes: &[Outcome], step: &str) -> Option<Result<(), String>> {
    let outcome = outcomes.iter().find(|outcome| outcome.step == step)?;
    Some(outcome.failure.clone().map_or(Ok(()), Err))
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for row in &self.rows {
            let mark = |result: &Option<Result<(), String>>| match result {
                Some(Ok(())) => "ok",
                Some(Err(_)) => "FAILS",
                None => "-",
            };
            let (direct, proxied) = (mark(&row.direct), mark(&row.proxied));
            writeln!(f, "{:<18} {:<32} {direct:<8} {proxied}", self.client, row.step)?;
            for (target, result) in [("direct", &row.direct), ("serval", &row.proxied)] {
                if let Some(Err(why)) = result {
                    writeln!(f, "{:<18}   {target}: {why}", "")?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(step: &str, failure: Option<&str>) -> Outcome {
        Outcome { step: step.to_owned(), failure: failure.map(str::to_owned) }
    }

    #[test]
    fn only_what_works_directly_has_to_work() {
        let direct = [outcome("a", None), outcome("b", Some("x"))];
        let same = [outcome("a", None), outcome("b", Some("y"))];
        assert!(Report::new("c", &direct, &same).passes());
        let worse = [outcome("a", Some("y")), outcome("b", None)];
        assert!(!Report::new("c", &direct, &worse).passes());
        let less = [outcome("b", None)];
        assert!(!Report::new("c", &direct, &less).passes());
        let more = [outcome("a", None), outcome("d", Some("y"))];
        assert!(!Report::new("c", &direct, &more).passes());
    }
}
