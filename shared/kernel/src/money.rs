//! Money: integer minor units with a currency; sums that do not fit or do not match are refused.

use std::fmt;
use std::str::FromStr;

/// An ISO 4217 alphabetic currency code.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

/// Codes in circulation (ISO 4217 list one, without funds, metals and testing codes), by decimal places.
const WITHOUT_DECIMALS: &str = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF";
const THREE_DECIMALS: &str = "BHD IQD JOD KWD LYD OMR TND";
const FOUR_DECIMALS: &str = "CLF UYW";
const TWO_DECIMALS: &str = "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN \
    BZD CAD CDF CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD \
    HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT \
    MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD \
    SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED \
    VES WST XCD XCG YER ZAR ZMW ZWG";
const CODES: [&str; 4] = [TWO_DECIMALS, WITHOUT_DECIMALS, THREE_DECIMALS, FOUR_DECIMALS];

impl Currency {
    /// The code.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("a currency is three ASCII letters")
    }

    /// How many decimal places its minor unit has: 2 for EUR, 0 for JPY, 3 for KWD.
    pub fn exponent(self) -> u32 {
        let among = |list: &str| list.split(' ').any(|code| code == self.as_str());
        if among(WITHOUT_DECIMALS) {
            0
        } else if among(THREE_DECIMALS) {
            3
        } else if among(FOUR_DECIMALS) {
            4
        } else {
            2
        }
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text is not a currency in circulation.
#[derive(Debug, thiserror::Error)]
#[error("not an ISO 4217 currency code in upper case, for example EUR")]
pub struct NotACurrency;

impl FromStr for Currency {
    type Err = NotACurrency;
    fn from_str(text: &str) -> Result<Self, NotACurrency> {
        let known = CODES.iter().any(|list| list.split_ascii_whitespace().any(|code| code == text));
        match text.as_bytes() {
            &[a, b, c] if known => Ok(Self([a, b, c])),
            _ => Err(NotACurrency),
        }
    }
}

crate::text::text_json!(Currency);

impl schemars::JsonSchema for Currency {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Currency".into()
    }
    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let mut schema = schemars::json_schema!({
            "type": "string", "description": "An ISO 4217 alphabetic code.", "examples": ["EUR"]
        });
        // Who asks must know which codes are taken; who listens must not break when a country gets a new one.
        if generator.contract().is_deserialize() {
            let mut codes: Vec<_> = CODES.into_iter().flat_map(str::split_ascii_whitespace).collect();
            codes.sort_unstable();
            schema.insert("enum".into(), codes.into());
        } else {
            schema.insert("pattern".into(), "^[A-Z]{3}$".into());
        }
        schema
    }
}
crate::text::text_column!(Currency);

/// An amount in the minor unit of a currency; may be negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Money {
    /// The amount in minor units: cents for EUR.
    pub minor: i64,
    /// The currency.
    pub currency: Currency,
}

/// An amount somebody asks for: 1 to 999,999,999,999 minor units. Floats, exponents and text are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub struct PositiveMinor(i64);

impl PositiveMinor {
    /// The most minor units of one amount.
    pub const MAX: i64 = 999_999_999_999;

    /// The minor units.
    pub fn get(self) -> i64 {
        self.0
    }
}

impl From<PositiveMinor> for i64 {
    fn from(amount: PositiveMinor) -> i64 {
        amount.0
    }
}

impl TryFrom<i64> for PositiveMinor {
    type Error = &'static str;
    fn try_from(minor: i64) -> Result<Self, Self::Error> {
        if (1..=Self::MAX).contains(&minor) {
            Ok(Self(minor))
        } else {
            Err("must be an integer of 1 to 999999999999 minor units")
        }
    }
}

impl schemars::JsonSchema for PositiveMinor {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "PositiveMinor".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "integer", "format": "int64", "minimum": 1, "maximum": Self::MAX,
            "description": "An amount in the currency's minor unit.", "examples": [2590]
        })
    }
}

/// A sum that cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Two currencies do not add up.
    #[error("{0} and {1} do not add up")]
    Mismatch(Currency, Currency),
    /// The sum is beyond 64 bits.
    #[error("the amount is beyond 64 bits")]
    Overflow,
    /// A split needs a positive total weight.
    #[error("a split needs weights that are not all zero")]
    NoWeight,
}

impl Money {
    /// An amount of minor units.
    pub const fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// The sum of two amounts of one currency.
    pub fn plus(self, other: Self) -> Result<Self, MoneyError> {
        self.same(other)?;
        let minor = self.minor.checked_add(other.minor).ok_or(MoneyError::Overflow)?;
        Ok(Self { minor, ..self })
    }

    /// The difference of two amounts of one currency.
    pub fn minus(self, other: Self) -> Result<Self, MoneyError> {
        self.same(other)?;
        let minor = self.minor.checked_sub(other.minor).ok_or(MoneyError::Overflow)?;
        Ok(Self { minor, ..self })
    }

    /// Parts in proportion to the weights that add up to the whole: the largest remainders get the odd units,
    /// earlier parts first.
    pub fn split(self, weights: &[u32]) -> Result<Vec<Self>, MoneyError> {
        let total: i128 = weights.iter().map(|w| i128::from(*w)).sum();
        if total == 0 {
            return Err(MoneyError::NoWeight);
        }
        let shares: Vec<(i128, i128)> = weights
            .iter()
            .map(|w| {
                let product = i128::from(self.minor) * i128::from(*w);
                (product.div_euclid(total), product.rem_euclid(total))
            })
            .collect();
        let odd = i128::from(self.minor) - shares.iter().map(|(share, _)| share).sum::<i128>();
        let mut order: Vec<usize> = (0..shares.len()).collect();
        order.sort_by_key(|i| (std::cmp::Reverse(shares[*i].1), *i));
        let mut parts: Vec<i128> = shares.iter().map(|(share, _)| *share).collect();
        for i in order.into_iter().take(usize::try_from(odd).unwrap_or(0)) {
            parts[i] += 1;
        }
        parts
            .into_iter()
            .map(|minor| {
                i64::try_from(minor).map(|minor| Self { minor, ..self }).map_err(|_| MoneyError::Overflow)
            })
            .collect()
    }

    fn same(self, other: Self) -> Result<(), MoneyError> {
        if self.currency == other.currency {
            Ok(())
        } else {
            Err(MoneyError::Mismatch(self.currency, other.currency))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn eur(minor: i64) -> Money {
        Money::new(minor, "EUR".parse().unwrap())
    }

    #[test]
    fn two_currencies_do_not_add_up() {
        let usd = Money::new(1, "USD".parse().unwrap());
        assert!(matches!(eur(1).plus(usd), Err(MoneyError::Mismatch(..))));
    }

    #[test]
    fn a_currency_is_an_upper_case_code_in_circulation() {
        for bad in ["eur", "EURO", "XXX", "XTS", "", "E R", "XAU"] {
            assert!(bad.parse::<Currency>().is_err(), "{bad} was taken");
        }
        for (code, exponent) in [("EUR", 2), ("JPY", 0), ("KWD", 3), ("UYW", 4)] {
            assert_eq!(code.parse::<Currency>().unwrap().exponent(), exponent);
        }
    }

    proptest! {
        #[test]
        fn the_parts_of_a_split_add_up_to_the_whole(minor: i64, weights in prop::collection::vec(0u32..1_000_000, 1..20)) {
            prop_assume!(weights.iter().any(|w| *w > 0));
            let parts = eur(minor).split(&weights).unwrap();
            prop_assert_eq!(parts.iter().map(|p| i128::from(p.minor)).sum::<i128>(), i128::from(minor));
        }
    }
}
