//! Tables that are read at the same time.
//!
//! A table that is read by the keys of another comes after it, and so does one that is copied from another. All others
//! can be read at once, each over connections of its own; inside a transaction, which has one connection per group, they
//! are read one after the other.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;

use serval_planner::primitive::{Gather, Primitive};
use serval_remote::Backend;
use serval_types::GroupId;

use crate::context::Context;

/// More tables than this are not read at once: what stores their rows is one connection.
const MOST: usize = 4;

/// The sources in the order of their loading, in waves of those that are read at once.
pub(super) fn waves(gather: &Gather, width: usize) -> Vec<Vec<usize>> {
    let mut waves: Vec<Vec<usize>> = Vec::new();
    for &index in &gather.order {
        let Some(source) = gather.sources.get(index) else { continue };
        let needs = |other: &usize| {
            source.copy_of == Some(*other)
                || source.reductions.iter().any(|reduction| reduction.from == *other)
        };
        match waves.last_mut() {
            Some(wave) if wave.len() < width && !wave.iter().any(needs) => wave.push(index),
            _ => waves.push(vec![index]),
        }
    }
    waves
}

/// How many tables the statement's connections suffice for.
pub(super) fn width<B: Backend>(gather: &Gather, context: &Context<'_, B>) -> usize {
    if context.transaction.is_open() {
        return 1;
    }
    let groups = gather.sources.iter().flat_map(|source| groups(&source.rows, context));
    groups.map(|group| context.backend.fan_out(group)).min().unwrap_or(1).clamp(1, MOST)
}

fn groups<B: Backend>(rows: &Primitive, context: &Context<'_, B>) -> Vec<GroupId> {
    let targets = rows.route().into_iter().flat_map(|route| &route.targets);
    targets.map(|target| context.catalog.node(target.node).group).collect()
}

/// Runs all of them in one task, until all have ended or one has failed.
pub(super) async fn all<F: Future<Output = Result<(), E>>, E>(
    futures: impl IntoIterator<Item = F>,
) -> Result<(), E> {
    let mut running: Vec<Pin<Box<F>>> = futures.into_iter().map(Box::pin).collect();
    poll_fn(|context| {
        let mut failure = None;
        running.retain_mut(|future| match future.as_mut().poll(context) {
            Poll::Pending => true,
            Poll::Ready(Ok(())) => false,
            Poll::Ready(Err(error)) => {
                failure.get_or_insert(error);
                false
            }
        });
        match failure {
            Some(error) => Poll::Ready(Err(error)),
            None if running.is_empty() => Poll::Ready(Ok(())),
            None => Poll::Pending,
        }
    })
    .await
}

#[cfg(test)]
mod tests {
    use serval_planner::primitive::{GatherSource, Reduction, Route, Target};
    use serval_types::NodeId;

    use super::*;

    fn source(copy_of: Option<usize>, keys_of: Option<usize>) -> GatherSource {
        let (key, marker) = (String::new(), String::new());
        GatherSource {
            tables: 0..1,
            result: None,
            names: Vec::new(),
            name: String::new(),
            create: String::new(),
            insert: String::new(),
            in_utf8: false,
            columns: Vec::new(),
            copy_of,
            reductions: keys_of.map(|from| Reduction { from, column: 0, key, marker }).into_iter().collect(),
            rows: Box::new(Primitive::Route(Route { targets: Vec::new(), replica_safe: true, hidden: 0 })),
            filters: 0,
            first: None,
            rewrites: Vec::new(),
        }
    }

    #[test]
    fn what_needs_another_waits_for_it() {
        let sources = vec![
            source(None, None),
            source(None, None),
            source(None, Some(1)),
            source(None, None),
            source(Some(0), None),
        ];
        let statement = Target::new(NodeId::SCRATCH, None, Vec::new());
        let gather =
            Gather { sources, order: vec![0, 1, 2, 3, 4], statement, then: None, sets_variables: false };
        assert_eq!(waves(&gather, 4), [vec![0, 1], vec![2, 3, 4]]);
        assert_eq!(waves(&gather, 1).len(), 5);
    }

    #[tokio::test]
    async fn all_run_at_once_and_the_first_error_ends_them() {
        let barrier = tokio::sync::Barrier::new(3);
        let together = (0..3).map(|_| async {
            barrier.wait().await;
            Ok::<(), ()>(())
        });
        assert_eq!(all(together).await, Ok(()));
        let one_fails = (0..3).map(|number| async move {
            if number == 1 {
                return Err(number);
            }
            std::future::pending().await
        });
        assert_eq!(all(one_fails).await, Err(1));
    }
}
