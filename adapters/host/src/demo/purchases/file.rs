//! The file of purchases: read as a whole before anything is paid, and named by its digest.

use std::path::Path;

use aws_lc_rs::digest::{SHA256, digest};
use serde::Deserialize;

/// A file of purchases.
#[derive(Debug)]
pub(super) struct PurchaseFile {
    /// The first 16 hexadecimal digits of the SHA-256 of its bytes.
    pub(super) digest: String,
    /// Its rows.
    pub(super) purchases: Vec<Purchase>,
}

/// One row as it stands in the file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Purchase {
    /// Counted from 1 below the header: rows that are otherwise alike are still separate purchases.
    pub(super) row: usize,
    /// Idempotency-Key and reference: the digest and the row.
    pub(super) key: String,
    /// Its fields.
    pub(super) fields: Fields,
}

/// The columns.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Fields {
    pub(super) customer: String,
    pub(super) date: String,
    pub(super) quantity: String,
    /// In major units.
    pub(super) amount: String,
    pub(super) currency: String,
}

impl PurchaseFile {
    /// Reads a file; fails when it is not CSV with the five columns.
    pub(super) fn read(path: &Path) -> Result<Self, String> {
        let bytes = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
        Self::parse(&bytes).map_err(|error| format!("{}: {error}; nothing was paid", path.display()))
    }

    fn parse(bytes: &[u8]) -> Result<Self, csv::Error> {
        let hash = hex::encode(digest(&SHA256, bytes));
        let digest = hash[..16].to_owned();
        let mut purchases = Vec::new();
        for (fields, row) in csv::Reader::from_reader(bytes).deserialize().zip(1..) {
            purchases.push(Purchase { row, key: format!("{digest}-{row}"), fields: fields? });
        }
        Ok(Self { digest, purchases })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "customer,date,quantity,amount,currency\n";

    #[test]
    fn rows_that_are_alike_are_separate_purchases() {
        let row = "00004,1997-01-01,2,29.33,USD\n";
        let file = PurchaseFile::parse(format!("{HEADER}{row}{row}").as_bytes()).unwrap();
        let [first, second] = &file.purchases[..] else { panic!("{file:?}") };
        assert_eq!(first.fields, second.fields);
        assert_eq!((first.key.as_str(), second.key.as_str()), ("cdee1cb7983752a3-1", "cdee1cb7983752a3-2"));
    }

    #[test]
    fn a_changed_byte_makes_another_file() {
        let digest = |text: &str| PurchaseFile::parse(text.as_bytes()).unwrap().digest;
        let one = format!("{HEADER}4,1997-01-01,2,29.33,USD\n");
        assert_ne!(digest(&one), digest(&one.replace("29.33", "29.34")));
    }

    #[test]
    fn the_columns_may_stand_in_any_order() {
        let file = PurchaseFile::parse(b"amount,currency,customer,date,quantity\n1.00,EUR,7,2026-01-01,1\n")
            .unwrap();
        assert_eq!(file.purchases[0].fields.amount, "1.00");
        assert_eq!(file.purchases[0].fields.customer, "7");
    }

    #[test]
    fn a_file_that_does_not_read_is_refused_as_a_whole() {
        for text in ["customer,date,quantity,amount\n1,2,3,4\n", &format!("{HEADER}1,2,3\n"), "a,b\n1,2\n"] {
            assert!(PurchaseFile::parse(text.as_bytes()).is_err(), "{text} was taken");
        }
    }
}
