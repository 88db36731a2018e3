//! What the page names of this project: paths, tasks of `cargo xtask`, commands of the binary and its variables.

use std::collections::BTreeSet;
use std::process::Command;

use super::Seen;
use super::page::{after, anchor, codes, in_a_name, in_a_path};
use crate::arguments;
use crate::bring::workspace;
use crate::infra::check::{florin_program, output};
use crate::problem::Problem;

pub(super) fn paths(page: &str) -> Result<Seen, Problem> {
    let named = after(page, "infra/", in_a_path).into_iter().map(|path| format!("infra/{path}"));
    let linked =
        after(page, "](", |c| in_a_path(c) || c == '#').into_iter().map(|link| format!("infra/{link}"));
    let all: BTreeSet<String> = named.chain(linked).collect();
    let missing = all.iter().filter_map(|path| {
        let (file, heading) = path.split_once('#').unwrap_or((path, ""));
        let file = file.trim_end_matches(['.', '/']);
        let there = workspace().join(file).exists();
        let heading_there = heading.is_empty() || page.lines().any(|line| anchor(line) == heading);
        (!there || !heading_there).then(|| format!("there is no {path}"))
    });
    Ok((missing.collect(), all.len()))
}

pub(super) fn tasks(page: &str) -> Result<Seen, Problem> {
    let tasks: Vec<&str> =
        codes(page).into_iter().filter_map(|code| code.strip_prefix("cargo xtask ")).collect();
    let wrong = tasks.iter().filter_map(|task| {
        arguments::parse(task.split_whitespace().map(str::to_owned)).err().map(|why| format!("{task}: {why}"))
    });
    Ok((wrong.collect(), tasks.len()))
}

pub(super) fn commands(page: &str) -> Result<Seen, Problem> {
    let florin = florin_program()?;
    let help = |words: &[&str]| output(Command::new(&florin).args(words).arg("--help"));
    let mut missing = Vec::new();
    let commands: Vec<&str> =
        codes(page).into_iter().filter_map(|code| code.strip_prefix("florin ")).collect();
    for command in &commands {
        let words: Vec<&str> = command.split_whitespace().collect();
        let plain: Vec<&str> = words.iter().copied().take_while(|word| !word.starts_with('-')).collect();
        let Some(first) = plain.first() else { continue };
        let mut said = match help(&[first]) {
            Ok(said) => said,
            Err(Problem::Failed(_)) => {
                missing.push(format!("florin has no command {first}"));
                continue;
            }
            Err(problem) => return Err(problem),
        };
        if let Some(second) = plain.get(1).filter(|_| said.contains("\nCommands:")) {
            match help(&[first, second]) {
                Ok(more) => said += &more,
                Err(Problem::Failed(_)) => missing.push(format!("florin {first} has no command {second}")),
                Err(problem) => return Err(problem),
            }
        }
        let options = words.iter().filter_map(|word| word.strip_prefix("--"));
        missing.extend(
            options
                .filter(|option| !after(&said, "--", in_a_name).contains(*option))
                .map(|option| format!("florin {first} has no option --{option}")),
        );
    }
    let known = help(&["serve"])?;
    let variables = after(page, "FLORIN_", |c| c.is_ascii_uppercase() || c == '_');
    let unknown = variables.iter().filter(|name| !known.contains(&format!("FLORIN_{name} ")));
    missing.extend(unknown.map(|name| format!("florin does not know FLORIN_{name}")));
    Ok((missing, commands.len() + variables.len()))
}
