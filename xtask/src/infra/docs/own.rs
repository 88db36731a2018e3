//! What the page names of this project: paths, tasks of `cargo xtask`, commands of the binary and its variables.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use super::Seen;
use super::page::{after, anchor, codes, in_a_name, in_a_path};
use crate::arguments;
use crate::bring::workspace;
use crate::infra::check::{florin_program, output};
use crate::infra::pipelines::catalog;
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
    let mut known = help(&["serve"])?;
    // What a script of .github/deploy reads is looked at with its command.
    for command in scripts_of(page) {
        known.extend(command.variables.iter().map(|(name, _)| format!("{name} ")));
    }
    let variables = after(page, "FLORIN_", |c| c.is_ascii_uppercase() || c == '_');
    let unknown = variables.iter().filter(|name| !known.contains(&format!("FLORIN_{name} ")));
    missing.extend(unknown.map(|name| format!("florin does not know FLORIN_{name}")));
    Ok((missing, commands.len() + variables.len()))
}

/// A command that runs a script of .github/deploy: `NAME=VALUE ... .github/deploy/PLATFORM VERB`.
struct Script<'a> {
    variables: Vec<(&'a str, &'a str)>,
    name: &'a str,
    verb: &'a str,
}

fn scripts_of(page: &str) -> Vec<Script<'_>> {
    let commands = codes(page).into_iter().filter_map(|code| {
        let (before, after) = code.split_once(".github/deploy/")?;
        let mut words = after.split_whitespace();
        Some(Script {
            variables: before.split_whitespace().filter_map(|word| word.split_once('=')).collect(),
            name: words.next().unwrap_or_default(),
            verb: words.next().unwrap_or_default(),
        })
    });
    commands.collect()
}

/// Whether every script has the verb, reads what it is given, and starts every service of the catalog anew.
pub(super) fn scripts(page: &str) -> Result<Seen, Problem> {
    let services = catalog(&fs::read_to_string(workspace().join("infra/catalog/terraform.json"))?);
    let scripts = scripts_of(page);
    let mut missing = Vec::new();
    for Script { variables, name, verb } in &scripts {
        let Ok(text) = fs::read_to_string(workspace().join(".github/deploy").join(name)) else {
            missing.push(format!("there is no .github/deploy/{name}"));
            continue;
        };
        let usage =
            text.lines().find_map(|line| line.split_once("usage: $0 ")).map_or("", |(_, usage)| usage);
        if !usage.split(['|', ' ', '"']).any(|known| known == *verb) {
            missing.push(format!(".github/deploy/{name} has no verb {verb}"));
        }
        let unread = variables.iter().filter(|(variable, _)| !text.contains(&format!("${variable}")));
        missing.extend(unread.map(|(variable, _)| format!(".github/deploy/{name} does not read {variable}")));
        let told = scripts.iter().filter(|other| other.name == *name && other.verb == *verb);
        let told: BTreeSet<String> = told
            .flat_map(|other| &other.variables)
            .filter(|it| it.0 == "SERVICE")
            .map(|it| it.1.to_owned())
            .collect();
        if *verb == "refresh" && told != services {
            missing
                .push(format!(".github/deploy/{name} refresh: {told:?}, and the catalog has {services:?}"));
        }
    }
    Ok((missing, scripts.len()))
}
