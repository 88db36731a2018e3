//! What the page tells Terraform: a command names a root, that root's variables and outputs, and all that it must be given.

use std::path::Path;

use super::Seen;
use super::page::{after, codes, in_a_name};
use crate::bring::workspace;
use crate::problem::Problem;

pub(super) fn terraform(page: &str) -> Result<Seen, Problem> {
    let (mut missing, mut count) = (Vec::new(), 0);
    for command in codes(page).iter().flat_map(|code| code.split("terraform -chdir=").skip(1)) {
        count += 1;
        let (root, words) = command.split_once(' ').unwrap_or((command, ""));
        let Some(text) = text(&workspace().join(root))? else {
            missing.push(format!("there is no {root}"));
            continue;
        };
        // A list or an object stands between quotes, with its name.
        let words = words.replace('\'', "");
        let (given, asked) = (after(&words, "-var ", in_a_name), after(&words, "output -raw ", in_a_name));
        for (before, word, names) in [("-var ", "variable", &given), ("output -raw ", "output", &asked)] {
            let absent = names.iter().filter(|name| !text.contains(&format!("{word} \"{name}\" {{")));
            missing.extend(absent.map(|name| format!("`{before}{name}`: {root} has no such")));
        }
        if words.split_whitespace().next() == Some("apply") {
            let forgotten = required(&text).filter(|name| !given.contains(name));
            missing.extend(forgotten.map(|name| format!("{root}: apply is not given {name}")));
        }
    }
    Ok((missing, count))
}

/// All of a root's configuration; none where the directory is not there.
fn text(root: &Path) -> Result<Option<String>, Problem> {
    if !root.is_dir() {
        return Ok(None);
    }
    let mut text = String::new();
    for entry in std::fs::read_dir(root)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "tf") {
            text += &std::fs::read_to_string(path)?;
            text += "\n";
        }
    }
    Ok(Some(text))
}

/// The variables without a default. `terraform fmt` leaves the end of a block alone at the beginning of a line.
fn required(text: &str) -> impl Iterator<Item = &str> {
    let blocks = text.split("variable \"").skip(1).map(|rest| rest.split("\n}").next().unwrap_or(rest));
    blocks.filter(|block| !block.contains("\n  default ")).filter_map(|block| block.split('"').next())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_without_a_default_is_required() {
        let text = "variable \"a\" {\n  type = string\n}\n\nvariable \"b\" {\n  type    = string\n  default = \"\"\n}\n";
        assert_eq!(required(text).collect::<Vec<_>>(), ["a"]);
    }
}
