//! Whether what the workflows and scripts name is there: tasks, commands of the program, paths, variables.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use super::text;
use crate::arguments;
use crate::bring::workspace;
use crate::infra::check::{Outcome, florin_program, output};
use crate::problem::Problem;

/// Where paths begin that a script or workflow may name.
const ROOTS: &[&str] = &["infra/", "adapters/", ".github/", ".ci/"];

/// How a workflow runs the script of an environment's platform.
const DEPLOY: &str = ".github/deploy/\"$PLATFORM\" ";

/// How a script runs the program of an image.
const PROGRAM: &str = "\"$IMAGE@$DIGEST\" ";

pub(super) fn run() -> Result<Outcome, Problem> {
    there(&text::github()).map(Outcome::Passed)
}

/// Looks at everything below a directory like .github.
pub(super) fn there(github: &Path) -> Result<String, Problem> {
    let mut count = 0;
    for file in text::workflows(github)?.into_iter().chain(text::scripts(github)?) {
        for line in text::lines(&file)? {
            let wrong = |why: String| Problem::Failed(format!("{}: `{line}`: {why}", file.display()));
            if let Some(words) = text::command_after(&line, "cargo xtask ") {
                // A list that the shell fills in is none of the words yet.
                let said = words.iter().filter(|word| !word.ends_with("[@]}"));
                arguments::parse(said.map(|word| (*word).to_owned())).map_err(wrong)?;
                count += 1;
            }
            if let Some(words) = text::command_after(&line, DEPLOY) {
                for script in text::scripts(github)?.iter().filter(|script| is_platform(script)) {
                    knows(script, words.first().copied().unwrap_or_default()).map_err(wrong)?;
                    count += 1;
                }
            }
            if let Some(words) = text::command_after(&line, PROGRAM).filter(|_| line.contains("docker run")) {
                output(Command::new(florin_program()?).args(&words).arg("--help"))?;
                count += 1;
            }
            for path in paths(&line) {
                let there = path
                    .strip_prefix(".github/")
                    .map_or_else(|| workspace().join(path), |path| github.join(path));
                if !there.exists() {
                    return Err(wrong(format!("there is no {path}")));
                }
                count += 1;
            }
            for argument in line.split("--build-arg ").skip(1) {
                let name = argument.split('=').next().unwrap_or_default();
                if !fs::read_to_string(workspace().join("infra/containers/Dockerfile"))?
                    .contains(&format!("\nARG {name}="))
                {
                    return Err(wrong(format!("the Dockerfile has no argument {name}")));
                }
                count += 1;
            }
        }
    }
    count += given(github)?;
    Ok(format!("{count} of them"))
}

/// A script of a platform has verbs; what it shares with others has none.
fn is_platform(script: &Path) -> bool {
    !["children", "later", "pages"].iter().any(|shared| script.ends_with(shared))
}

fn knows(script: &Path, verb: &str) -> Result<(), String> {
    let text = fs::read_to_string(script).map_err(|why| why.to_string())?;
    let usage = text.lines().find_map(|line| line.split_once("usage: $0 "));
    let verbs = usage.and_then(|(_, rest)| rest.split('"').next()).unwrap_or_default();
    if verbs.split('|').any(|known| known == verb) {
        return Ok(());
    }
    Err(format!("{} knows only {verbs}", script.display()))
}

/// The paths of the repository that a line names, up to the first character that the shell replaces.
fn paths(line: &str) -> Vec<&str> {
    let words = line.split(|c: char| !(c.is_ascii_alphanumeric() || "._/-".contains(c)));
    words
        .map(|word| word.strip_prefix("/.github/").map_or(word, |_| &word[1..]))
        .filter(|word| ROOTS.iter().any(|root| word.starts_with(root)))
        .collect()
}

/// Whether the workflow that deploys gives the scripts every variable that they read.
fn given(github: &Path) -> Result<usize, Problem> {
    let deploy = text::lines(&github.join("workflows/deploy.yml"))?;
    let given: BTreeSet<&str> = deploy.iter().filter_map(|line| Some(line.split_once(": ")?.0)).collect();
    let mut count = 0;
    for script in &text::scripts(github)? {
        for variable in read(script)? {
            if !given.contains(variable.as_str()) {
                return Err(Problem::Failed(format!(
                    "{}: deploy.yml does not give {variable}",
                    script.display()
                )));
            }
            count += 1;
        }
    }
    Ok(count)
}

/// The variables in capitals that a script reads and does not set itself.
fn read(script: &Path) -> Result<BTreeSet<String>, Problem> {
    let text = text::lines(script)?.join("\n");
    let mut names = BTreeSet::new();
    for rest in text.split('$').skip(1) {
        let rest = rest.strip_prefix('{').unwrap_or(rest);
        let end = rest.find(|c: char| !(c.is_ascii_uppercase() || c == '_')).unwrap_or(rest.len());
        let name = &rest[..end];
        // SECONDS is the shell's own, GITHUB_... every run's, and `$LATEST` is what Lambda calls what is not published.
        let is_given = ["SECONDS", "LATEST"].contains(&name) || name.starts_with("GITHUB_");
        if !name.is_empty() && !is_given && !text.contains(&format!("{name}=$(")) {
            names.insert(name.to_owned());
        }
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_read_up_to_what_the_shell_replaces() {
        assert_eq!(paths("run: .github/deploy/\"$PLATFORM\" watch"), [".github/deploy/"]);
        assert_eq!(paths("uses: $/.github/workflows/test.yml"), [".github/workflows/test.yml"]);
        assert_eq!(
            paths("docker build --file infra/containers/Dockerfile ."),
            ["infra/containers/Dockerfile"]
        );
        assert_eq!(paths("cd sinfra/x"), Vec::<&str>::new());
    }
}
