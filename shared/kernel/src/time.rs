//! Instants as integers, in one fixed-width text form, and the clock that tests own.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::{Database, Postgres, Sqlite};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::sync::watch;

/// An instant in microseconds since the Unix epoch, UTC.
///
/// Its text form is RFC 3339 with exactly six fraction digits, so that text order is time order
/// (SQLite compares text; `12:00:00Z` sorts after `12:00:00.5Z`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From microseconds since the Unix epoch.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since the Unix epoch.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Milliseconds since the Unix epoch.
    pub const fn as_millis(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// This instant and a duration after it; the far end saturates.
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)))
    }

    /// This instant and a duration before it; the far end saturates.
    pub fn minus(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)))
    }

    /// How long after `earlier` this is; zero when it is not after.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// The start of the period of this length that holds this instant: a schedule's slot.
    pub fn slot(self, every: Duration) -> Self {
        let every = i64::try_from(every.as_micros()).unwrap_or(i64::MAX).max(1);
        Self(self.0.div_euclid(every) * every)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000)
            .unwrap_or(OffsetDateTime::UNIX_EPOCH);
        write!(
            f,
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z",
            at.year(),
            u8::from(at.month()),
            at.day(),
            at.hour(),
            at.minute(),
            at.second(),
            at.microsecond()
        )
    }
}

/// The text is not an RFC 3339 instant.
#[derive(Debug, thiserror::Error)]
#[error("not an RFC 3339 time, for example 2026-01-31T12:00:00Z")]
pub struct NotATime;

impl FromStr for Timestamp {
    type Err = NotATime;
    fn from_str(text: &str) -> Result<Self, NotATime> {
        let at = OffsetDateTime::parse(text, &Rfc3339).map_err(|_| NotATime)?;
        // RFC 3339 has years of four digits, also after an offset is taken off.
        let utc = at.checked_to_offset(time::UtcOffset::UTC).ok_or(NotATime)?;
        if !(0..=9999).contains(&utc.year()) {
            return Err(NotATime);
        }
        i64::try_from(utc.unix_timestamp_nanos().div_euclid(1_000)).map(Self).map_err(|_| NotATime)
    }
}

crate::text::text_value!(
    Timestamp, "date-time", "An RFC 3339 instant, UTC.",
    with { "examples": ["2026-01-31T12:00:00.000000Z"] }
);

impl sqlx::Type<Sqlite> for Timestamp {
    fn type_info() -> <Sqlite as Database>::TypeInfo {
        <String as sqlx::Type<Sqlite>>::type_info()
    }
    fn compatible(ty: &<Sqlite as Database>::TypeInfo) -> bool {
        // A column declared `timestamptz` holds the text form; SQLite only remembers the declared name.
        <String as sqlx::Type<Sqlite>>::compatible(ty) || ty.to_string() != "BLOB"
    }
}

impl<'q> sqlx::Encode<'q, Sqlite> for Timestamp {
    fn encode_by_ref(&self, to: &mut <Sqlite as Database>::ArgumentBuffer) -> Result<IsNull, BoxDynError> {
        <String as sqlx::Encode<'q, Sqlite>>::encode(self.to_string(), to)
    }
}

impl<'r> sqlx::Decode<'r, Sqlite> for Timestamp {
    fn decode(from: <Sqlite as Database>::ValueRef<'r>) -> Result<Self, BoxDynError> {
        Ok(<&'r str as sqlx::Decode<'r, Sqlite>>::decode(from)?.parse()?)
    }
}

/// 2000-01-01T00:00:00Z, the epoch of PostgreSQL's binary `timestamptz`, in microseconds after 1970.
const POSTGRES_EPOCH: i64 = 946_684_800_000_000;

impl sqlx::Type<Postgres> for Timestamp {
    fn type_info() -> <Postgres as Database>::TypeInfo {
        sqlx::postgres::PgTypeInfo::with_name("timestamptz")
    }
}

impl<'q> sqlx::Encode<'q, Postgres> for Timestamp {
    fn encode_by_ref(&self, to: &mut <Postgres as Database>::ArgumentBuffer) -> Result<IsNull, BoxDynError> {
        <i64 as sqlx::Encode<'q, Postgres>>::encode(self.0 - POSTGRES_EPOCH, to)
    }
}

impl<'r> sqlx::Decode<'r, Postgres> for Timestamp {
    fn decode(from: <Postgres as Database>::ValueRef<'r>) -> Result<Self, BoxDynError> {
        Ok(Self(<i64 as sqlx::Decode<'r, Postgres>>::decode(from)? + POSTGRES_EPOCH))
    }
}

/// Where `now` comes from. The host gives the system's; a test moves its own.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The operating system's clock.
    System,
    /// A clock that stands still until it is moved.
    Manual(Arc<watch::Sender<Timestamp>>),
}

impl Clock {
    /// A clock that stands at this instant until [`Clock::advance`].
    pub fn standing_at(now: Timestamp) -> Self {
        Self::Manual(Arc::new(watch::Sender::new(now)))
    }

    /// The instant now.
    pub fn now(&self) -> Timestamp {
        match self {
            #[expect(clippy::disallowed_methods, reason = "the one place where time comes from")]
            Self::System => {
                let now = OffsetDateTime::now_utc().unix_timestamp_nanos() / 1_000;
                let now = i64::try_from(now).unwrap_or(i64::MAX);
                #[cfg(feature = "failpoints")]
                let now = now.saturating_add(crate::failpoint::moved());
                Timestamp(now)
            }
            Self::Manual(at) => *at.borrow(),
        }
    }

    /// Moves a manual clock; the system's clock cannot be moved.
    pub fn advance(&self, by: Duration) {
        if let Self::Manual(at) = self {
            at.send_modify(|now| *now = now.plus(by));
        }
    }

    /// Waits until this clock shows that instant.
    pub async fn reaches(&self, instant: Timestamp) {
        match self {
            Self::System => tokio::time::sleep(instant.since(self.now())).await,
            // The sender is this clock's own: it cannot be gone.
            Self::Manual(at) => drop(at.subscribe().wait_for(|now| *now >= instant).await),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_order_is_time_order() {
        let early: Timestamp = "2026-01-01T12:00:00Z".parse().unwrap();
        let late: Timestamp = "2026-01-01T12:00:00.5Z".parse().unwrap();
        assert!(early < late);
        assert!(early.to_string() < late.to_string());
        assert_eq!(early.to_string(), "2026-01-01T12:00:00.000000Z");
    }

    #[test]
    fn a_year_beyond_four_digits_is_refused() {
        for text in ["9999-12-31T23:59:59-23:59", "0000-01-01T00:00:00+23:59"] {
            assert!(text.parse::<Timestamp>().is_err(), "{text}");
        }
        assert_eq!(
            "9999-12-31T23:59:59Z".parse::<Timestamp>().unwrap().to_string(),
            "9999-12-31T23:59:59.000000Z"
        );
    }

    #[test]
    fn an_offset_is_the_same_instant_in_utc() {
        let zoned: Timestamp = "2026-01-01T13:00:00+01:00".parse().unwrap();
        assert_eq!(zoned.to_string(), "2026-01-01T12:00:00.000000Z");
    }
}
