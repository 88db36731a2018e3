//! infra/README.md as text: its commands, and the names that stand in it.

use std::collections::BTreeSet;

use crate::infra::check::infra;
use crate::problem::Problem;

/// The page, for whoever looks for something in it.
pub(super) fn read() -> Result<String, Problem> {
    // A command that goes on in the next line is one.
    Ok(std::fs::read_to_string(infra().join("README.md"))?.replace("\\\n", " "))
}

/// What stands between backticks or in a block of commands.
pub(super) fn codes(page: &str) -> Vec<&str> {
    let mut codes = Vec::new();
    for (index, block) in page.split("```").enumerate() {
        if index % 2 == 1 {
            codes.extend(block.lines().skip(1).map(|line| line.split("    #").next().unwrap_or(line).trim()));
        } else {
            codes.extend(block.split('`').skip(1).step_by(2));
        }
    }
    codes.retain(|code| !code.is_empty() && !code.starts_with('#'));
    codes
}

/// The words that follow `before`, each as far as `is` goes; once each.
pub(super) fn after<'a>(text: &'a str, before: &str, is: fn(char) -> bool) -> BTreeSet<&'a str> {
    let rests = text.match_indices(before).map(|(at, found)| &text[at + found.len()..]);
    rests.map(|rest| rest.split(|c| !is(c)).next().unwrap_or(rest)).filter(|word| !word.is_empty()).collect()
}

/// A letter of a path.
pub(super) fn in_a_path(c: char) -> bool {
    c.is_ascii_alphanumeric() || "/._-".contains(c)
}

/// A letter of a name.
pub(super) fn in_a_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || "._-".contains(c)
}
/// What a heading is called in a link.
pub(super) fn anchor(line: &str) -> String {
    let heading = line.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
    if line.starts_with('#') { heading.replace([',', ':', '\''], "") } else { String::new() }
}
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_read_from_blocks_and_between_backticks() {
        let page = "Say `florin outbox` or\n```sh\n# why\nflorin effects list    # all\nls\n```\nand `x_y`.";
        assert_eq!(codes(page), ["florin outbox", "florin effects list", "ls", "x_y"]);
    }

    #[test]
    fn names_end_where_they_must() {
        let names = after("-var region=x -var package_file=$PWD", "-var ", in_a_name);
        assert_eq!(names.into_iter().collect::<Vec<_>>(), ["package_file", "region"]);
        assert_eq!(anchor("## Moving a function, while"), "moving-a-function-while");
    }
}
