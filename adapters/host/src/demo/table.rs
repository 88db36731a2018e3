//! Text for people: numbers in groups, amounts in major units, lines of a name and a count.

use florin_kernel::money::Money;

/// 24409194 as `24,409,194`.
pub(super) fn grouped(number: impl ToString) -> String {
    let digits = number.to_string();
    let (sign, digits) = digits.split_at(usize::from(digits.starts_with('-')));
    let mut text = sign.to_owned();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// An amount for people: 24409194 minor units of USD are `244,091.94 USD`.
pub(super) fn major(money: Money) -> String {
    let decimals = money.currency.exponent() as usize;
    let digits = format!("{:0>width$}", money.minor.unsigned_abs(), width = decimals + 1);
    let (whole, part) = digits.split_at(digits.len() - decimals);
    let sign = if money.minor < 0 { "-" } else { "" };
    let point = if decimals > 0 { "." } else { "" };
    format!("{sign}{}{point}{part} {}", grouped(whole), money.currency)
}

/// A name and its value, in columns.
pub(super) fn line(name: &str, value: impl std::fmt::Display) -> String {
    format!("  {name:<26}{value:>20}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_read_groups_and_major_units() {
        for (number, text) in
            [(0, "0"), (999, "999"), (1_000, "1,000"), (24_409_194, "24,409,194"), (-1_000, "-1,000")]
        {
            assert_eq!(grouped(number), text);
        }
        let of = |minor, currency: &str| major(Money::new(minor, currency.parse().unwrap()));
        assert_eq!(of(24_409_194, "USD"), "244,091.94 USD");
        assert_eq!(of(5, "EUR"), "0.05 EUR");
        assert_eq!(of(1_500, "JPY"), "1,500 JPY");
        assert_eq!(of(1_234, "KWD"), "1.234 KWD");
    }
}
