//! The lengths of periods.

use crate::Moment;

/// How long a period is, and how periods are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::function) enum Unit {
    Hour,
    Day,
    /// So many days, counted from the day of that number.
    Days {
        every: i64,
        base: i64,
    },
    /// Of ISO 8601: from Monday.
    Week,
    Month,
    Year,
}

/// 1970-01-05, a Monday, in days since 1970-01-01, a Thursday.
const MONDAY: i64 = 4;

impl Unit {
    /// The number of the period that holds the moment, counted from some fixed period.
    pub(super) fn number(self, moment: &Moment) -> i64 {
        match self {
            Self::Hour => moment.day_number() * 24 + i64::from(moment.hour),
            Self::Day => moment.day_number(),
            Self::Days { every, base } => (moment.day_number() - base).div_euclid(every),
            Self::Week => (moment.day_number() - MONDAY).div_euclid(7),
            Self::Month => i64::from(moment.year) * 12 + i64::from(moment.month) - 1,
            Self::Year => moment.year.into(),
        }
    }

    /// The first moment of a period; `None` outside the years 0 to 9999.
    pub(super) fn start(self, number: i64) -> Option<Moment> {
        let small = |part: i64| u8::try_from(part).ok();
        match self {
            Self::Hour => {
                let day = Moment::of_day_number(number.div_euclid(24))?;
                Some(Moment { hour: small(number.rem_euclid(24))?, ..day })
            }
            Self::Day => Moment::of_day_number(number),
            Self::Days { every, base } => {
                Moment::of_day_number(number.checked_mul(every)?.checked_add(base)?)
            }
            Self::Week => Moment::of_day_number(number * 7 + MONDAY),
            Self::Month => {
                let year = u16::try_from(number.div_euclid(12)).ok().filter(|&year| year < 10_000)?;
                Some(Moment { year, month: small(number.rem_euclid(12) + 1)?, day: 1, ..Moment::default() })
            }
            Self::Year => {
                let year = u16::try_from(number).ok().filter(|&year| year < 10_000)?;
                Some(Moment { year, month: 1, day: 1, ..Moment::default() })
            }
        }
    }

    /// Whether the moment is the first of its period.
    pub(super) fn begins(self, moment: &Moment) -> bool {
        self.start(self.number(moment)) == Some(*moment)
    }

    /// Whether all moments of a day are of one period.
    pub(super) fn keeps_days_together(self) -> bool {
        self != Self::Hour
    }

    /// The period that a config names: `2026`, `2026-01`, `2026-W03`, `2026-01-31`, `2026-01-31 13`.
    pub(super) fn parse(self, text: &str) -> Option<i64> {
        let text = text.trim();
        let fits = |shape: &str| {
            text.len() == shape.len()
                && text.bytes().zip(shape.bytes()).all(|(byte, wanted)| match wanted {
                    b'0' => byte.is_ascii_digit(),
                    other => byte == other,
                })
        };
        let whole = match self {
            Self::Hour if fits("0000-00-00 00") => format!("{text}:00:00"),
            Self::Day | Self::Days { .. } if fits("0000-00-00") => text.to_owned(),
            Self::Week if fits("0000-W00") => {
                let (year, week) = (text[..4].parse().ok()?, text[6..].parse().ok()?);
                return Some(self.number(&Moment::of_iso_week(year, week)?));
            }
            Self::Month if fits("0000-00") => format!("{text}-01"),
            Self::Year if fits("0000") => format!("{text}-01-01"),
            _ => return None,
        };
        let (moment, _) = Moment::parse_text(&whole)?;
        (moment.year > 0).then(|| self.number(&moment))
    }

    /// As [`parse`](Self::parse) reads it.
    pub(super) fn show(self, number: i64) -> String {
        let Some(Moment { year, month, day, hour, .. }) = self.start(number) else { return "?".to_owned() };
        match self {
            Self::Hour => format!("{year:04}-{month:02}-{day:02} {hour:02}"),
            Self::Day | Self::Days { .. } => format!("{year:04}-{month:02}-{day:02}"),
            Self::Week => {
                let (year, week) = self.start(number).and_then(Moment::iso_week).unwrap_or((year, 0));
                format!("{year:04}-W{week:02}")
            }
            Self::Month => format!("{year:04}-{month:02}"),
            Self::Year => format!("{year:04}"),
        }
    }

    /// The end of a window whose last period this is: its last day where the periods have several.
    pub(super) fn show_last(self, number: i64) -> String {
        match self {
            Self::Days { every, base } => Self::Day.show((number + 1) * every + base - 1),
            _ => self.show(number),
        }
    }

    /// With its article.
    pub(super) fn noun(self) -> &'static str {
        match self {
            Self::Hour => "an hour",
            Self::Day | Self::Days { .. } => "a day",
            Self::Week => "a week",
            Self::Month => "a month",
            Self::Year => "a year",
        }
    }

    /// How to write a period.
    pub(super) fn advice(self) -> &'static str {
        match self {
            Self::Hour => "write the day and the hour, for example \"2026-01-31 13\"",
            Self::Day | Self::Days { .. } => "write the day, for example \"2026-01-31\"",
            Self::Week => "write the year and the week of ISO 8601, for example \"2026-W03\"",
            Self::Month => "write the year and the month, for example \"2026-01\"",
            Self::Year => "write the year, for example \"2026\"",
        }
    }

    /// What in a pattern names a period.
    pub(super) fn placeholder(self) -> &'static str {
        match self {
            Self::Hour => "{yyyymmddhh}",
            Self::Day | Self::Days { .. } => "{yyyymmdd}",
            Self::Week => "{yyyyww}",
            Self::Month => "{yyyymm}",
            Self::Year => "{yyyy}",
        }
    }
}
