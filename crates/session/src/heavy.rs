//! Work that takes long for large statements.

use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::task::block_in_place;

/// Shorter statements are scanned and planned in less time than handing a thread's other work over takes.
const LARGE: usize = 64 * 1024;

/// Does work whose time grows with a statement's length. A list of five megabytes takes a second to plan, and the
/// sessions that share a thread with it must not wait that long: another thread takes them over.
pub(crate) fn beside_others<T>(length: usize, work: impl FnOnce() -> T) -> T {
    let has_threads =
        || Handle::try_current().is_ok_and(|handle| handle.runtime_flavor() == RuntimeFlavor::MultiThread);
    if length > LARGE && has_threads() { block_in_place(work) } else { work() }
}
