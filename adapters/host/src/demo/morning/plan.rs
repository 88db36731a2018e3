//! The morning's payments, decided beforehand: who pays what, and how it will go.

use florin_kernel::money::{Currency, Money};

use super::chance::Chance;

/// How a payment goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Story {
    /// Created and confirmed at once, and paid.
    Paid,
    /// Created first, confirmed when the customer has decided.
    ConfirmedLater,
    /// Authorized, then captured as a whole.
    Captured,
    /// Authorized, then captured in part; the rest is released.
    CapturedInPart,
    /// Authorized, captured in two parts, then refunded in part.
    CapturedTwiceAndRefunded,
    /// Declined by the issuer, with this card.
    Declined(Card),
    /// Declined, then paid with another card.
    DeclinedThenPaid,
    /// Paid after the customer approved on the bank's page.
    Authenticated,
    /// The customer refused on the bank's page.
    AuthenticationRefused,
    /// Canceled before it was confirmed.
    Canceled,
    /// Authorized, then canceled: the reservation is released.
    Released,
    /// Paid, then refunded in part.
    RefundedInPart,
    /// Paid, then refunded in two parts, as a whole.
    RefundedTwice,
}

/// A card of the sandbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Card {
    Visa,
    Declined,
    InsufficientFunds,
    Expired,
    AuthenticationRequired,
}

impl Card {
    /// Its payment method.
    pub(super) fn payment_method(self) -> &'static str {
        match self {
            Self::Visa => "pm_card_visa",
            Self::Declined => "pm_card_declined",
            Self::InsufficientFunds => "pm_card_insufficient_funds",
            Self::Expired => "pm_card_expired",
            Self::AuthenticationRequired => "pm_card_authentication_required",
        }
    }

    /// Why it is declined, if it is.
    pub(super) fn decline_code(self) -> Option<&'static str> {
        match self {
            Self::Visa | Self::AuthenticationRequired => None,
            Self::Declined => Some("generic_decline"),
            Self::InsufficientFunds => Some("insufficient_funds"),
            Self::Expired => Some("expired_card"),
        }
    }
}

/// How often each story happens in a hundred payments. The first ones come first where the morning is short.
const STORIES: [(Story, u64); 15] = [
    (Story::CapturedTwiceAndRefunded, 4),
    (Story::Paid, 40),
    (Story::Declined(Card::InsufficientFunds), 3),
    (Story::Authenticated, 9),
    (Story::RefundedInPart, 7),
    (Story::Canceled, 3),
    (Story::Captured, 6),
    (Story::CapturedInPart, 5),
    (Story::Released, 3),
    (Story::ConfirmedLater, 6),
    (Story::DeclinedThenPaid, 4),
    (Story::Declined(Card::Declined), 2),
    (Story::Declined(Card::Expired), 2),
    (Story::AuthenticationRefused, 2),
    (Story::RefundedTwice, 4),
];

/// Currencies of a European shop, the most frequent ones more than once; lowest and highest price in major units.
const PRICES: [(&str, u64, u64); 10] = [
    ("EUR", 5, 180),
    ("EUR", 5, 180),
    ("EUR", 20, 900),
    ("USD", 5, 200),
    ("USD", 10, 600),
    ("GBP", 5, 150),
    ("CHF", 10, 300),
    ("SEK", 50, 2_000),
    ("JPY", 500, 40_000),
    ("KWD", 2, 60),
];

/// One payment to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Planned {
    /// Counted from 1.
    pub(super) number: usize,
    /// How it goes.
    pub(super) story: Story,
    /// What is to be paid.
    pub(super) total: Money,
    /// The total in three parts, for captures and refunds.
    pub(super) parts: [Money; 3],
}

/// The payments of a morning; the same for the same seed.
pub(super) fn plan(payments: u32, seed: u64) -> Result<Vec<Planned>, String> {
    let mut chance = Chance::of(seed);
    let mut stories: Vec<Story> = STORIES.iter().map(|(story, _)| *story).collect();
    stories.truncate(payments as usize);
    while stories.len() < payments as usize {
        stories.push(by_weight(&mut chance));
    }
    chance.shuffle(&mut stories);
    stories.into_iter().zip(1..).map(|(story, number)| planned(number, story, &mut chance)).collect()
}

fn by_weight(chance: &mut Chance) -> Story {
    let mut at = chance.below(STORIES.iter().map(|(_, weight)| weight).sum());
    for (story, weight) in STORIES {
        if at < weight {
            return story;
        }
        at -= weight;
    }
    Story::Paid
}

fn planned(number: usize, story: Story, chance: &mut Chance) -> Result<Planned, String> {
    let (code, lowest, highest) = chance.pick(&PRICES);
    let currency: Currency = code.parse().map_err(|error| format!("{code}: {error}"))?;
    let unit = 10_u64.pow(currency.exponent());
    let major = lowest + chance.below(highest - lowest);
    // Prices end as prices do: .99, .50, .00.
    let ending = chance.pick(&[unit - unit.div_ceil(100), unit / 2, 0]);
    let total = Money::new((major * unit + ending) as i64, currency);
    let parts = total.split(&[5, 3, 2]).map_err(|error| error.to_string())?;
    let parts = <[Money; 3]>::try_from(parts).map_err(|_| "a split in three has three parts")?;
    Ok(Planned { number, story, total, parts })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_same_seed_makes_the_same_morning_and_another_one_another() {
        assert_eq!(plan(50, 7).unwrap(), plan(50, 7).unwrap());
        assert_ne!(plan(50, 7).unwrap(), plan(50, 8).unwrap());
    }

    #[test]
    fn every_story_happens_and_most_payments_are_plain() {
        let morning = plan(200, 1).unwrap();
        let stories: BTreeSet<_> = morning.iter().map(|planned| planned.story).collect();
        assert_eq!(stories.len(), STORIES.len());
        let paid = morning.iter().filter(|planned| planned.story == Story::Paid).count();
        assert!((60..110).contains(&paid), "{paid}");
        let currencies: BTreeSet<_> = morning.iter().map(|planned| planned.total.currency).collect();
        assert!(currencies.len() >= 6, "{currencies:?}");
        assert_eq!(STORIES.iter().map(|(_, weight)| weight).sum::<u64>(), 100);
    }

    #[test]
    fn a_short_morning_has_as_many_payments_as_asked_for() {
        for payments in [1, 2, 14, 15, 16] {
            assert_eq!(plan(payments, 3).unwrap().len(), payments as usize);
        }
    }

    #[test]
    fn the_parts_are_positive_and_add_up() {
        for planned in plan(2_000, 11).unwrap() {
            assert!(planned.parts.iter().all(|part| part.minor > 0), "{planned:?}");
            assert_eq!(planned.parts.iter().map(|part| part.minor).sum::<i64>(), planned.total.minor);
        }
    }
}
