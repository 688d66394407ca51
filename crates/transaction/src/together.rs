//! Waiting for several futures at once, on one task.

use std::future::Future;
use std::pin::Pin;
use std::task::Poll;

/// Runs all futures side by side; their outputs in the order of the futures.
///
/// They stay on the caller's task, so that dropping the whole drops each of them.
pub async fn together<F: Future>(futures: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    let mut running: Vec<Running<F>> =
        futures.into_iter().map(|future| Running::Waits(Box::pin(future))).collect();
    std::future::poll_fn(|context| {
        let mut all = true;
        for slot in &mut running {
            if let Running::Waits(future) = slot {
                match future.as_mut().poll(context) {
                    Poll::Ready(output) => *slot = Running::Done(output),
                    Poll::Pending => all = false,
                }
            }
        }
        if all { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    let output = |slot| match slot {
        Running::Done(output) => Some(output),
        Running::Waits(_) => None,
    };
    running.into_iter().filter_map(output).collect()
}

enum Running<F: Future> {
    Waits(Pin<Box<F>>),
    Done(F::Output),
}

// Outputs are moved, never pinned.
impl<F: Future> Unpin for Running<F> {}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn all_run_at_once_and_keep_their_order() {
        let began = tokio::time::Instant::now();
        let sleep = |seconds| async move {
            tokio::time::sleep(Duration::from_secs(seconds)).await;
            seconds
        };
        assert_eq!(together([sleep(3), sleep(1), sleep(2)]).await, [3, 1, 2]);
        assert_eq!(began.elapsed().as_secs(), 3);
        assert!(together(std::iter::empty::<std::future::Ready<()>>()).await.is_empty());
    }
}
