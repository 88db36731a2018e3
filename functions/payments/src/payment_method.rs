//! A payment method by the provider's token for it, and never by the number of a card.

use std::fmt;
use std::str::FromStr;

use florin_kernel::text::Text;

/// A token of a payment method at the provider.
///
/// Text that is a card number by its length and check digit is refused: stored, it would bring the whole house into
/// the scope of PCI DSS (requirement 3), and no provider's token looks like one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PaymentMethod(Text<255>);

impl fmt::Display for PaymentMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for PaymentMethod {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, &'static str> {
        match text.parse() {
            Ok(_) if is_card_number(text) => Err("is the number of a card: give the provider's token for it"),
            Ok(token) => Ok(Self(token)),
            Err(_) => Err("must have 1 to 255 characters and no control characters"),
        }
    }
}

florin_kernel::text::text_value!(
    PaymentMethod, "", "The method's token at the provider.",
    with { "minLength": 1, "maxLength": 255, "pattern": "^[^\\u0000-\\u001f\\u007f-\\u009f]*$",
           "examples": ["pm_card_visa"] }
);

/// 12 to 19 digits, perhaps in groups, with a right check digit (ISO/IEC 7812-1, annex B).
fn is_card_number(text: &str) -> bool {
    if !text.chars().all(|c| c.is_ascii_digit() || c == ' ' || c == '-') {
        return false;
    }
    let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(10)).collect();
    let doubled = |digit: u32| if digit > 4 { digit * 2 - 9 } else { digit * 2 };
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| if place % 2 == 1 { doubled(*digit) } else { *digit })
        .sum();
    (12..=19).contains(&digits.len()) && sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_a_card_is_no_payment_method() {
        for number in ["4242424242424242", "4242 4242 4242 4242", "4242-4242-4242-4242", "378282246310005"] {
            assert!(number.parse::<PaymentMethod>().is_err(), "{number} was taken");
        }
        for token in ["pm_card_visa", "4242424242424241", "tok_4242424242424242", "12345"] {
            assert!(token.parse::<PaymentMethod>().is_ok(), "{token} was refused");
        }
    }
}
