//! Decimal text to minor units, digit by digit: no float ever holds money.

use florin_kernel::money::Currency;

/// `29.33` of a currency with two decimals is 2933. Fails with what is wrong with the text.
pub(super) fn minor_units(text: &str, currency: Currency) -> Result<i64, String> {
    let not_decimal = || "is not a decimal number like 29.33".to_owned();
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
    let (whole, part) = match digits.split_once('.') {
        Some((_, "")) => return Err(not_decimal()),
        Some(both) => both,
        None => (digits, ""),
    };
    if whole.is_empty() || !whole.bytes().chain(part.bytes()).all(|b| b.is_ascii_digit()) {
        return Err(not_decimal());
    }
    let decimals = currency.exponent() as usize;
    // Zeros beyond the minor unit say nothing; another digit there is an amount that nobody can pay.
    let significant = part.trim_end_matches('0');
    if significant.len() > decimals {
        return Err(format!("has more than the {decimals} decimal places of {currency}"));
    }
    let minor = format!("{whole}{significant:0<decimals$}");
    let minor: i64 = minor.parse().map_err(|_| "is beyond 64 bits".to_owned())?;
    Ok(if negative { -minor } else { minor })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, currency: &str, expected: Result<i64, &str>) {
        let minor = minor_units(text, currency.parse().unwrap());
        match expected {
            Ok(expected) => assert_eq!(minor, Ok(expected), "{text} {currency}"),
            Err(part) => {
                assert!(minor.as_ref().is_err_and(|e| e.contains(part)), "{text} {currency}: {minor:?}")
            }
        }
    }

    #[test]
    fn decimal_text_becomes_the_currencys_minor_units() {
        for (text, currency, minor) in [
            ("29.33", "USD", 2933),
            ("0.00", "USD", 0),
            ("0.07", "USD", 7),
            ("100", "USD", 10_000),
            ("5.5", "USD", 550),
            ("29.330", "USD", 2933),
            ("-1.05", "USD", -105),
            ("1500", "JPY", 1500),
            ("1500.00", "JPY", 1500),
            ("1.234", "KWD", 1234),
            ("0.0001", "UYW", 1),
            // What a 64 bit float cannot hold.
            ("90071992547409.93", "USD", 9_007_199_254_740_993),
            ("92233720368547758.07", "USD", i64::MAX),
        ] {
            check(text, currency, Ok(minor));
        }
    }

    #[test]
    fn what_is_no_amount_of_the_currency_is_refused() {
        for text in ["", ".", "1.", ".5", "1e3", "1,00", "+1", "--1", " 1", "NaN", "0x10", "1.2.3", "١"] {
            check(text, "USD", Err("is not a decimal number"));
        }
        check("29.333", "USD", Err("2 decimal places of USD"));
        check("0.5", "JPY", Err("0 decimal places of JPY"));
        check("92233720368547758.08", "USD", Err("beyond 64 bits"));
    }
}
