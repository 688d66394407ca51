//! Numbers made of the time, a worker and a counter, so that taking one asks nobody.
//!
//! From the top: a zero bit, 32 bits of seconds since 2024, 10 bits of worker, 21 bits of counter. Seconds instead of
//! the usual milliseconds, because the numbers of one statement have to be consecutive: clients compute the ids of a
//! multi-row INSERT from the first. So two million rows fit into one statement.
//!
//! What makes numbers unique is not the clock. Each worker has a *horizon* in its lease, stored before it is used: only
//! seconds before it may appear in numbers, and whoever leases the worker next begins there.

use std::time::Duration;

/// 2024-01-01 00:00:00 UTC in Unix seconds.
const EPOCH: u64 = 1_704_067_200;
const WORKER_BITS: u32 = 10;
const COUNTER_BITS: u32 = 21;
/// The workers that there can be.
pub(super) const WORKERS: u64 = 1 << WORKER_BITS;
/// The numbers that a second has, and so the most that one statement can take.
pub(super) const IN_A_SECOND: u64 = 1 << COUNTER_BITS;
/// How far numbers may run ahead of the clock where more are taken than a second has.
const AHEAD: u64 = 5;
/// The last second that fits.
const LAST: u64 = (1 << 32) - 1;

/// The numbers of one worker, as far as its lease goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Snowflake {
    worker: u64,
    /// The first second that is not this worker's yet.
    horizon: u64,
    second: u64,
    counter: u64,
}

/// What came of taking numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    /// The first of them.
    First(u64),
    /// The lease does not reach far enough.
    Horizon,
    /// The numbers of the time are used up, because more were taken than time has, or because the clock was put back.
    Wait(Duration),
    /// No second has as many.
    TooMany,
    /// The year 2160.
    UsedUp,
}

/// The seconds of numbers at a Unix time. A clock before 2024 is wrong, and 2024 is then as good as any.
pub(super) fn seconds(unix: u64) -> u64 {
    unix.saturating_sub(EPOCH)
}

impl Snowflake {
    /// Numbers of `worker` from the second `begin` up to, not including, `horizon`.
    pub(super) fn new(worker: u64, begin: u64, horizon: u64) -> Self {
        Self { worker: worker % WORKERS, horizon, second: begin, counter: 0 }
    }

    /// The worker.
    pub(super) fn worker(&self) -> u64 {
        self.worker
    }

    /// The second that the next number has, if the clock stands still.
    pub(super) fn second(&self) -> u64 {
        self.second
    }

    /// Whether the lease ends within so many seconds.
    pub(super) fn is_short(&self, now: u64, left: u64) -> bool {
        now.max(self.second) + left >= self.horizon
    }

    /// The lease reaches further now.
    pub(super) fn extend(&mut self, horizon: u64) {
        self.horizon = self.horizon.max(horizon);
    }

    /// Takes `count` consecutive numbers. `now` is in [`seconds`].
    pub(super) fn take(&mut self, now: u64, count: u64) -> Taken {
        if count > IN_A_SECOND {
            return Taken::TooMany;
        }
        let (mut second, mut counter) = (self.second, self.counter);
        if now > second {
            (second, counter) = (now, 0);
        }
        if counter + count > IN_A_SECOND {
            if second + 1 > now + AHEAD {
                return Taken::Wait(Duration::from_secs(second + 1 - now - AHEAD));
            }
            (second, counter) = (second + 1, 0);
        }
        if second > LAST {
            return Taken::UsedUp;
        }
        if second >= self.horizon {
            return Taken::Horizon;
        }
        (self.second, self.counter) = (second, counter + count);
        Taken::First(second << (WORKER_BITS + COUNTER_BITS) | self.worker << COUNTER_BITS | counter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 90_000_000;

    fn first(taken: Taken) -> u64 {
        match taken {
            Taken::First(first) => first,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn numbers_are_consecutive_positive_and_increase() {
        let mut numbers = Snowflake::new(1023, NOW, NOW + 60);
        let one = first(numbers.take(NOW, 3));
        assert_eq!(first(numbers.take(NOW, 1)), one + 3);
        let next = first(numbers.take(NOW + 1, 1));
        assert!(next > one + 3 && i64::try_from(next).is_ok());
        let last = Snowflake::new(1023, LAST, LAST + 1).take(LAST, IN_A_SECOND);
        assert_eq!(first(last) + IN_A_SECOND - 1, i64::MAX as u64);
    }

    #[test]
    fn workers_never_meet() {
        let mut all = std::collections::HashSet::new();
        for worker in [0, 1, 512, 1023] {
            let mut numbers = Snowflake::new(worker, NOW, NOW + 60);
            for _ in 0..100 {
                assert!(all.insert(first(numbers.take(NOW, 1))));
            }
        }
    }

    #[test]
    fn a_clock_that_is_put_back_repeats_nothing() {
        let mut numbers = Snowflake::new(1, NOW, NOW + 60);
        let before = first(numbers.take(NOW, 5));
        assert_eq!(first(numbers.take(NOW - 3600, 1)), before + 5, "the second goes on");
        // Until it is full: then there is nothing to be had before the clock is back.
        assert_eq!(numbers.take(NOW - 3600, IN_A_SECOND), Taken::Wait(Duration::from_secs(3596)));
        assert_eq!(first(numbers.take(NOW - 3600, 1)), before + 6, "smaller ones still fit");
    }

    #[test]
    fn more_than_time_has_runs_ahead_a_little_and_then_waits() {
        let mut numbers = Snowflake::new(1, NOW, NOW + 60);
        let mut greatest = 0;
        for _ in 0..=AHEAD {
            let next = first(numbers.take(NOW, IN_A_SECOND));
            assert!(next > greatest);
            greatest = next + IN_A_SECOND - 1;
        }
        assert_eq!(numbers.take(NOW, 1), Taken::Wait(Duration::from_secs(1)));
        assert!(first(numbers.take(NOW + 1, 1)) > greatest);
    }

    #[test]
    fn nothing_is_given_beyond_the_lease() {
        let mut numbers = Snowflake::new(1, NOW, NOW + 2);
        first(numbers.take(NOW + 1, 1));
        let before = numbers.clone();
        assert_eq!(numbers.take(NOW + 2, 1), Taken::Horizon);
        assert_eq!(numbers, before, "nothing is lost by asking");
        numbers.extend(NOW + 60);
        first(numbers.take(NOW + 2, 1));
    }

    #[test]
    fn a_successor_begins_where_its_predecessor_could_have_ended() {
        let mut one = Snowflake::new(7, NOW, NOW + 60);
        // Its clock is an hour behind; the lease says where to begin.
        let mut two = Snowflake::new(7, NOW + 60, NOW + 120);
        let last = first(one.take(NOW + 59, IN_A_SECOND)) + IN_A_SECOND - 1;
        assert!(first(two.take(NOW - 3600, 1)) > last);
    }

    #[test]
    fn what_cannot_be_is_said() {
        assert_eq!(Snowflake::new(1, 0, 9).take(1, IN_A_SECOND + 1), Taken::TooMany);
        assert_eq!(Snowflake::new(1, 0, u64::MAX).take(LAST + 1, 1), Taken::UsedUp);
    }
}
