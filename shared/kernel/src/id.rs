//! Identifiers: a prefix that names the kind, and a UUIDv7 that sorts by creation.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use uuid::Uuid;

use crate::time::Clock;

/// A kind of thing that has an identifier; `enum PaymentKind {}` with `PREFIX = "pay"` gives `pay_...`.
pub trait Kind: Send + Sync + 'static {
    /// What stands before the underscore.
    const PREFIX: &'static str;
}

/// `prefix_` and the 32 hexadecimal digits of a UUIDv7 (RFC 9562). An `Id` of another kind does not compile.
pub struct Id<K>(Uuid, PhantomData<fn() -> K>);

impl<K> Id<K> {
    /// The bare UUID, for a peer that wants one.
    pub fn uuid(&self) -> Uuid {
        self.0
    }
}

impl<K> Clone for Id<K> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<K> Copy for Id<K> {}
impl<K> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}
impl<K> Eq for Id<K> {}
impl<K> PartialOrd for Id<K> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<K> Ord for Id<K> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.cmp(&other.0)
    }
}
impl<K> Hash for Id<K> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}
impl<K: Kind> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
impl<K: Kind> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", K::PREFIX, self.0.as_simple())
    }
}

/// The text is not an identifier of the wanted kind.
#[derive(Debug, thiserror::Error)]
#[error("not an identifier of the form {0}_ and 32 hexadecimal digits")]
pub struct NotAnId(&'static str);

impl<K: Kind> FromStr for Id<K> {
    type Err = NotAnId;
    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let digits = text
            .strip_prefix(K::PREFIX)
            .and_then(|rest| rest.strip_prefix('_'))
            // Only the one form that `Display` writes, so that an id has one spelling.
            .filter(|rest| rest.len() == 32 && rest.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')))
            .ok_or(NotAnId(K::PREFIX))?;
        Uuid::try_parse(digits).map(|uuid| Self(uuid, PhantomData)).map_err(|_| NotAnId(K::PREFIX))
    }
}

crate::text::text_value!(
    Id<K>, "", format!("{}_ and 32 hexadecimal digits of a UUIDv7", K::PREFIX),
    with {
        "pattern": format!("^{}_[0-9a-f]{{32}}$", K::PREFIX),
        "examples": [format!("{}_0192f0c1a2b37c4d8e5f60718293a4b5", K::PREFIX)]
    }, <K: Kind>
);
crate::text::text_column!(Id<K>, <K: Kind>);

/// Where new identifiers come from: the given clock's time and the operating system's randomness.
#[derive(Clone, Debug)]
pub struct Ids {
    clock: Clock,
    /// The last one's 48 bits of milliseconds and 12 bits of counter, shared by all clones.
    last: Arc<AtomicU64>,
}

impl Ids {
    /// Identifiers stamped by this clock.
    pub fn new(clock: Clock) -> Self {
        Self { clock, last: Arc::default() }
    }

    /// A new identifier, which sorts after all that came from here before: 48 bits of milliseconds, 12 bits of a
    /// counter that starts anywhere in a millisecond (RFC 9562, section 6.2, method 1), 62 bits of randomness.
    pub fn new_id<K: Kind>(&self) -> Id<K> {
        let mut random = [0u8; 10];
        // An exhausted system source would make identifiers guessable: better to stop than to go on.
        aws_lc_rs::rand::fill(&mut random).expect("the operating system gives randomness");
        let millis = u64::try_from(self.clock.now().as_millis()).unwrap_or(0);
        // The upper half of the counter stays free for those that follow in the same millisecond.
        let first = (millis << 12) | (u64::from(u16::from_be_bytes([random[0], random[1]])) & 0x7ff);
        let before =
            self.last.fetch_update(Ordering::AcqRel, Ordering::Acquire, |last| Some(first.max(last + 1)));
        // The closure always gives a value, so both arms hold what stood before.
        let (Ok(before) | Err(before)) = before;
        let stamp = first.max(before + 1);
        let counter = u16::try_from(stamp & 0xfff).unwrap_or(0).to_be_bytes();
        random[..2].copy_from_slice(&counter);
        Id(uuid::Builder::from_unix_timestamp_millis(stamp >> 12, &random).into_uuid(), PhantomData)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    enum Parcel {}
    impl Kind for Parcel {
        const PREFIX: &'static str = "par";
    }

    #[test]
    fn an_identifier_has_one_spelling() {
        let id: Id<Parcel> = Ids::new(Clock::System).new_id();
        let text = id.to_string();
        assert_eq!(text.parse::<Id<Parcel>>().unwrap(), id);
        for other in [
            text.to_uppercase(),
            text.replace("par_", "pay_"),
            text.replace("par_", "par"),
            format!("{text}0"),
            String::new(),
        ] {
            assert!(other.parse::<Id<Parcel>>().is_err(), "{other} was taken");
        }
    }

    #[test]
    fn later_identifiers_sort_after_earlier_ones() {
        let clock = Clock::standing_at(crate::time::Timestamp::from_micros(1_700_000_000_000_000));
        let ids = Ids::new(clock.clone());
        // Far more than a counter of 12 bits holds, in a millisecond that does not end.
        let mut all: Vec<String> = (0..10_000).map(|_| ids.new_id::<Parcel>().to_string()).collect();
        clock.advance(std::time::Duration::from_secs(1));
        all.push(ids.clone().new_id::<Parcel>().to_string());
        assert!(all.is_sorted());
        all.dedup();
        assert_eq!(all.len(), 10_001);
    }
}
