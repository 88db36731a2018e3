//! The files of .github as text: what is run, without comments.

use std::fs;
use std::path::{Path, PathBuf};

use crate::bring::workspace;
use crate::problem::Problem;

/// The directory .github of this checkout.
pub(super) fn github() -> PathBuf {
    workspace().join(".github")
}

/// The workflows below a directory like .github, in order.
pub(super) fn workflows(github: &Path) -> Result<Vec<PathBuf>, Problem> {
    files(&github.join("workflows"))
}

/// The scripts below a directory like .github, in order.
pub(super) fn scripts(github: &Path) -> Result<Vec<PathBuf>, Problem> {
    files(&github.join("deploy"))
}

fn files(directory: &Path) -> Result<Vec<PathBuf>, Problem> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory)? {
        found.push(entry?.path());
    }
    found.sort();
    Ok(found)
}

/// The lines of a file that are no comments, with those that a backslash continues joined.
pub(super) fn lines(file: &Path) -> Result<Vec<String>, Problem> {
    let mut lines: Vec<String> = Vec::new();
    let mut is_open = false;
    for line in fs::read_to_string(file)?.lines().map(str::trim) {
        if line.starts_with('#') {
            continue;
        }
        let (text, continues) = match line.strip_suffix('\\') {
            Some(text) => (text.trim_end(), true),
            None => (line, false),
        };
        match lines.last_mut() {
            Some(last) if is_open => {
                last.push(' ');
                last.push_str(text);
            }
            _ => lines.push(text.to_owned()),
        }
        is_open = continues;
    }
    Ok(lines)
}

/// The words of a command in a line after `start`, up to where the shell ends it.
pub(super) fn command_after<'a>(line: &'a str, start: &str) -> Option<Vec<&'a str>> {
    let (_, rest) = line.split_once(start)?;
    let end = rest.find([')', ';', '|', '>', '&', '`']).unwrap_or(rest.len());
    Some(rest[..end].split_whitespace().map(|word| word.trim_matches(['"', '\''])).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_ends_where_the_shell_ends_it() {
        let line = r#"services=$(cargo xtask affected --since "$last") && echo"#;
        assert_eq!(command_after(line, "cargo xtask "), Some(vec!["affected", "--since", "$last"]));
        assert_eq!(command_after(line, "cargo deny "), None);
    }
}
