//! Runs the strict validators that the Python environment carries.

use std::path::PathBuf;
use std::process::Command;

use florin_servers::Part;
use serde_json::Value;

/// A document as a file for a program.
fn written(name: &str, document: &Value) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, format!("{document:#}\n")).expect("the document is written");
    path
}

/// Runs a Python program on a document; what it said when it refused. `None` when there is no Python.
pub(crate) fn refused(
    program: &str,
    name: &str,
    document: &Value,
    arguments: &[&str],
) -> Option<Result<(), String>> {
    let python = Part::Python.needed()?;
    let path = written(name, document);
    let ran = Command::new(python).args(["-c", program]).arg(&path).args(arguments).output();
    let ran = ran.expect("Python runs");
    let said = [ran.stdout, ran.stderr].concat();
    Some(if ran.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&said).into_owned()) })
}
