//! The address of a SQLite file, and the file of an address.

use std::path::{Path, PathBuf};

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, percent_encode};

/// What would end or change the path in a database's address (<https://www.sqlite.org/uri.html>).
const IN_ADDRESS: &AsciiSet = &CONTROLS.add(b'%').add(b'?').add(b'#');

/// The address of this file, whatever its directories are called.
pub(crate) fn address(file: &Path) -> String {
    format!("sqlite://{}", percent_encode(file.as_os_str().as_encoded_bytes(), IN_ADDRESS))
}

/// The file at this address; none when it is in memory, or on a server.
pub(crate) fn file(address: &str) -> Option<PathBuf> {
    let file = address.strip_prefix("sqlite:")?;
    let file = file.strip_prefix("//").unwrap_or(file).split('?').next().unwrap_or_default();
    (file != ":memory:").then(|| PathBuf::from(&*percent_decode_str(file).decode_utf8_lossy()))
}

#[cfg(test)]
mod tests {
    use florin_kernel::db::DbConfig;

    use super::*;

    #[tokio::test]
    async fn a_file_is_opened_where_it_is_whatever_its_directory_is_called() {
        let scratch = tempfile::tempdir().unwrap();
        for name in ["plain", "100%", "50%20off", "what?", "what?mode=ro", "a#b", "Bücher & Co", "a+b"] {
            let directory = scratch.path().join(name);
            std::fs::create_dir(&directory).unwrap();
            let wanted = directory.join("payments.db");
            let address = address(&wanted);
            let db = DbConfig::new(address.clone(), "payments").connect().await.unwrap();
            db.close().await;
            assert!(wanted.is_file(), "{address}");
            assert_eq!(file(&address), Some(wanted), "{address}");
        }
    }

    #[test]
    fn an_address_in_memory_or_on_a_server_has_no_file() {
        for address in ["sqlite::memory:", "sqlite://:memory:", "postgres://127.0.0.1/florin"] {
            assert_eq!(file(address), None, "{address}");
        }
        assert_eq!(file("sqlite:here.db?mode=rwc"), Some(PathBuf::from("here.db")));
    }
}
