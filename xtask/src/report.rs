//! Tells the person what happens, on standard error; answers go to standard output.

use std::io::{IsTerminal, Write};

/// Writes a line. Where Cargo draws its progress bar the bar is wiped first.
pub(crate) fn line(text: &str) {
    let mut error = std::io::stderr().lock();
    let wipe = if error.is_terminal() { "\r\x1b[K" } else { "" };
    // Once the terminal is closed nobody reads this, and the servers are still to be stopped.
    let _ = writeln!(error, "{wipe}{text}");
}

/// Writes what was asked for, for a program to read.
pub(crate) fn output(text: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}
