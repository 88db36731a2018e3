//! Money is a plain integer in a known currency, and no arithmetic loses or makes a unit.

use florin_kernel::input::Input;
use florin_kernel::money::{Currency, Money, PositiveMinor};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    amount: PositiveMinor,
}

/// Holds for all bytes, as an amount in a request, as a currency, and as amounts and weights.
pub(crate) fn holds(data: &[u8]) {
    amount(data);
    currency(&String::from_utf8_lossy(data));
    let mut numbers = data.chunks(8).map(|chunk| {
        let mut bytes = [0; 8];
        bytes[..chunk.len()].copy_from_slice(chunk);
        i64::from_le_bytes(bytes)
    });
    let (one, other) = (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default());
    sums(one, other);
    let weights: Vec<u32> = data.iter().skip(8).map(|byte| u32::from(*byte) * 16_777_259).collect();
    splits(one, &weights);
}

/// Whatever stands in the place of an amount is taken only as it would be written by hand.
fn amount(data: &[u8]) {
    let mut input = Input::default();
    let body = [b"{\"amount\": ", data, b"}"].concat();
    let Ok(asked) = input.body(&body).and_then(|()| input.parse::<Asked>()) else { return };
    let text = std::str::from_utf8(data).expect("JSON is UTF-8");
    let digits = text.trim_matches([' ', '\t', '\r', '\n']);
    assert_eq!(digits, asked.amount.get().to_string(), "{text:?} was taken");
    assert!((1..=PositiveMinor::MAX).contains(&asked.amount.get()));
}

/// A code is taken in its one spelling.
fn currency(text: &str) {
    if let Ok(currency) = text.parse::<Currency>() {
        assert_eq!(currency.to_string(), text);
        assert!(text.len() == 3 && text.bytes().all(|b| b.is_ascii_uppercase()), "{text:?} was taken");
        assert!(currency.exponent() <= 4);
    }
}

fn euro(minor: i64) -> Money {
    Money::new(minor, "EUR".parse().expect("the euro"))
}

/// Sums and differences are exact, or refused where 64 bits do not hold them.
fn sums(one: i64, other: i64) {
    let exact = |sum: i128, taken: Option<Money>| {
        assert_eq!(taken.map(|money| i128::from(money.minor)), i64::try_from(sum).ok().map(i128::from));
    };
    exact(i128::from(one) + i128::from(other), euro(one).plus(euro(other)).ok());
    exact(i128::from(one) - i128::from(other), euro(one).minus(euro(other)).ok());
}

/// The parts add up to the whole, and none is a unit or more away from its share.
fn splits(minor: i64, weights: &[u32]) {
    let total: i128 = weights.iter().map(|weight| i128::from(*weight)).sum();
    let Ok(parts) = euro(minor).split(weights) else {
        assert_eq!(total, 0, "a split with weights was refused");
        return;
    };
    assert_eq!(parts.iter().map(|part| i128::from(part.minor)).sum::<i128>(), i128::from(minor));
    for (part, weight) in parts.iter().zip(weights) {
        let share = i128::from(minor) * i128::from(*weight);
        assert!((i128::from(part.minor) * total - share).abs() < total, "{part:?} of {minor} by {weights:?}");
    }
}

#[cfg(test)]
proptest::proptest! {
    #[test]
    fn money_is_exact(data: Vec<u8>) {
        holds(&data);
    }

    #[test]
    fn an_amount_is_a_plain_integer(text in "[ \t\n]?[-+]?[0-9]{0,22}([.][0-9]{0,3})?([eE][-+]?[0-9]{1,3})?[ ,}\"]?") {
        holds(text.as_bytes());
    }
}
