//! A panic is a line of the log like any other fault, with the trace it happened in.

/// Logs panics in place of Rust's own words, which are no JSON.
pub(super) fn log() {
    std::panic::set_hook(Box::new(|panicked| {
        let location = panicked.location();
        tracing::error!(
            error.type = "panic",
            error.message = panicked.payload_as_str().unwrap_or("a value that is no text"),
            log.origin.file.name = location.map(std::panic::Location::file),
            log.origin.file.line = location.map(std::panic::Location::line),
            "panicked"
        );
    }));
}
