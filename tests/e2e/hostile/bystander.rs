//! A well-behaved client beside the others, and how long it waits.

use std::time::{Duration, Instant};

use serval_tests::World;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// The longest that a point query may take while others misbehave. Loose: tests share a small machine with compilers.
const PATIENCE: Duration = Duration::from_secs(4);

/// A client that asks for one row, again and again.
pub(crate) struct Bystander {
    stop: oneshot::Sender<()>,
    asking: JoinHandle<(usize, Duration)>,
}

impl Bystander {
    pub(crate) async fn start(world: &World) -> Bystander {
        let mut client = world.client().await;
        let (stop, mut stopped) = oneshot::channel();
        let asking = tokio::spawn(async move {
            let (mut count, mut longest) = (0, Duration::ZERO);
            while stopped.try_recv().is_err() {
                let begun = Instant::now();
                assert_eq!(client.value("SELECT 1").await, "1");
                longest = longest.max(begun.elapsed());
                count += 1;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            (count, longest)
        });
        Bystander { stop, asking }
    }

    /// It has always been answered, and soon.
    pub(crate) async fn noticed_nothing(self) {
        let _ = self.stop.send(());
        let (count, longest) = self.asking.await.expect("the bystander is served to the end");
        assert!(count > 0 && longest < PATIENCE, "the slowest of {count} queries took {longest:?}");
    }
}
