//! The numbers of one table that this proxy may hand out.

/// Numbers from `next` up to, not including, `end`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Segment {
    next: u64,
    end: u64,
    /// The stored counter as last seen: everything below it is somebody's.
    stored: u64,
    /// Since the counter began, nobody else has moved it.
    alone: bool,
}

/// The stored counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stored {
    pub(super) next: u64,
    /// It was just made, by this proxy.
    pub(super) fresh: bool,
}

/// A segment, and the counter to be stored for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Advance {
    /// The stored counter stays.
    Keep(Segment),
    /// It becomes this segment's end.
    Store(Segment),
    /// No such numbers are left.
    UsedUp,
}

impl Segment {
    /// Takes `count` numbers off the front, if there are as many.
    pub(super) fn take(&mut self, count: u64) -> Option<u64> {
        let first = self.next;
        let behind = first.checked_add(count).filter(|behind| *behind <= self.end)?;
        self.next = behind;
        Some(first)
    }

    /// This segment with room for `count`, when the counter stands at `stored`. What is left here is used up first,
    /// if nobody else has taken numbers since; otherwise the numbers would not be consecutive.
    pub(super) fn refilled(&self, counter: Stored, count: u64, step: u64) -> Advance {
        let stored = counter.next;
        let next = if stored == self.end && self.next < self.end { self.next } else { stored };
        let missing = count.saturating_sub(stored - next);
        Self::stored(next, stored.checked_add(missing.max(step)), self.is_alone(counter))
    }

    /// Steps over `value`, if it is known here that nothing else need be done.
    pub(super) fn skip_past(&mut self, value: u64) -> bool {
        if (self.next..self.end).contains(&value) {
            self.next = value + 1;
        }
        value < self.stored
    }

    /// This segment above `value`, when the counter stands at `stored`.
    pub(super) fn pushed(&self, counter: Stored, value: u64, step: u64) -> Advance {
        let alone = self.is_alone(counter);
        if value < counter.next {
            return Advance::Keep(Self { stored: counter.next, alone, ..*self });
        }
        match value.checked_add(1) {
            Some(next) => Self::stored(next, next.checked_add(step).or(Some(u64::MAX)), alone),
            None => Advance::Store(Self { next: u64::MAX, end: u64::MAX, stored: u64::MAX, alone }),
        }
    }

    /// This segment at 1 again, if no other proxy can hold numbers that would then be given twice.
    pub(super) fn restarted(&self, counter: Stored) -> Advance {
        if self.is_alone(counter) {
            return Self::stored(1, Some(1), true);
        }
        Advance::Keep(Self { alone: false, ..*self })
    }

    fn stored(next: u64, end: Option<u64>, alone: bool) -> Advance {
        end.map_or(Advance::UsedUp, |end| Advance::Store(Self { next, end, stored: end, alone }))
    }

    fn is_alone(&self, counter: Stored) -> bool {
        counter.fresh || self.alone && counter.next == self.stored
    }

    /// What the stored counter becomes.
    pub(super) fn end(&self) -> u64 {
        self.end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store(advance: Advance) -> Segment {
        match advance {
            Advance::Store(segment) => segment,
            other => panic!("{other:?}"),
        }
    }

    fn at(next: u64) -> Stored {
        Stored { next, fresh: false }
    }

    fn fresh(next: u64) -> Stored {
        Stored { next, fresh: true }
    }

    #[test]
    fn a_counter_that_nobody_else_moved_can_restart() {
        let segment = store(Segment::default().refilled(fresh(1), 1, 10));
        let segment = store(segment.refilled(at(11), 20, 10));
        let mut restarted = store(segment.restarted(at(21)));
        assert_eq!((restarted.end(), restarted.take(1)), (1, None));
        assert_eq!(store(restarted.refilled(at(1), 1, 10)).take(1), Some(1));
    }

    #[test]
    fn a_counter_that_others_know_goes_on() {
        let segment = store(Segment::default().refilled(fresh(1), 1, 10));
        assert!(matches!(segment.restarted(at(21)), Advance::Keep(_)), "another proxy took numbers since");
        let segment = store(segment.refilled(at(21), 20, 10));
        assert!(matches!(segment.restarted(at(41)), Advance::Keep(_)), "and may still hold them");
        let segment = store(Segment::default().refilled(at(1), 1, 10));
        assert!(matches!(segment.restarted(at(11)), Advance::Keep(_)), "another proxy made the counter");
    }

    #[test]
    fn numbers_are_consecutive_across_segments() {
        let mut segment = store(Segment::default().refilled(at(1), 1, 10));
        assert_eq!(segment.take(7), Some(1));
        assert_eq!(segment.take(5), None);
        let mut segment = store(segment.refilled(at(11), 5, 10));
        assert_eq!((segment.take(5), segment.end()), (Some(8), 21));
    }

    #[test]
    fn what_is_left_is_given_up_when_others_took_numbers() {
        let mut segment = store(Segment::default().refilled(at(1), 1, 10));
        segment.take(7);
        let mut segment = store(segment.refilled(at(31), 5, 10));
        assert_eq!((segment.take(5), segment.end()), (Some(31), 41));
    }

    #[test]
    fn a_large_request_takes_what_it_needs() {
        let mut segment = store(Segment::default().refilled(at(1), 1000, 10));
        assert_eq!((segment.take(1000), segment.end()), (Some(1), 1001));
    }

    #[test]
    fn given_values_push_forward() {
        let mut segment = store(Segment::default().refilled(at(1), 1, 10));
        assert!(segment.skip_past(4));
        assert_eq!(segment.take(1), Some(5));
        assert!(segment.skip_past(2));
        assert!(!segment.skip_past(100));
        let mut segment = store(segment.pushed(at(11), 100, 10));
        assert_eq!((segment.take(1), segment.end()), (Some(101), 111));
        assert!(segment.skip_past(110), "increasing values cost nothing within a segment");
        assert_eq!(segment.take(1), None);
    }

    #[test]
    fn a_counter_that_is_ahead_stays() {
        let mut segment = store(Segment::default().refilled(at(1), 1, 10));
        assert!(matches!(segment.pushed(at(50), 40, 10), Advance::Keep(kept) if kept.stored == 50));
        assert_eq!(segment.take(1), Some(1));
    }

    #[test]
    fn the_end_of_numbers_is_an_end() {
        assert_eq!(Segment::default().refilled(at(u64::MAX), 1, 10), Advance::UsedUp);
        let mut last = store(Segment::default().pushed(at(1), u64::MAX, 10));
        assert_eq!(last.take(1), None);
    }
}
