//! `cargo xtask infra docs`: what infra/README.md names is there.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::check::{Check, Outcome, Target, florin_program, infra, output};
use crate::arguments;
use crate::bring::workspace;
use crate::problem::Problem;

/// The target.
pub(super) const TARGET: Target = Target {
    name: "docs",
    checks: &[
        Check { name: "paths and links lead somewhere", slow: false, run: || looked(paths) },
        Check { name: "the tasks of cargo xtask parse", slow: false, run: || looked(tasks) },
        Check { name: "commands, options and variables are florin's", slow: false, run: || looked(commands) },
        Check { name: "what the platforms are told is theirs", slow: false, run: || looked(told) },
        Check { name: "what is wrong in the page is found", slow: true, run: found },
    ],
};

fn page() -> Result<String, Problem> {
    // A command that goes on in the next line is one.
    Ok(std::fs::read_to_string(infra().join("README.md"))?.replace("\\\n", " "))
}

/// What stands between backticks or in a block of commands.
fn codes(page: &str) -> Vec<&str> {
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
fn after<'a>(text: &'a str, before: &str, is: fn(char) -> bool) -> BTreeSet<&'a str> {
    let rests = text.match_indices(before).map(|(at, found)| &text[at + found.len()..]);
    rests.map(|rest| rest.split(|c| !is(c)).next().unwrap_or(rest)).filter(|word| !word.is_empty()).collect()
}

fn in_a_path(c: char) -> bool {
    c.is_ascii_alphanumeric() || "/._-".contains(c)
}

fn in_a_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || "._-".contains(c)
}

/// What a look at the page came to: what is not there, and how much was looked at.
type Seen = (Vec<String>, usize);

fn looked(look: fn(&str) -> Result<Seen, Problem>) -> Result<Outcome, Problem> {
    let (missing, count) = look(&page()?)?;
    if count == 0 {
        return Err(Problem::Failed("nothing was found to look at".to_owned()));
    }
    if missing.is_empty() {
        return Ok(Outcome::Passed(format!("{count} looked at")));
    }
    Err(Problem::Failed(format!("infra/README.md:\n{}", missing.join("\n"))))
}

fn paths(page: &str) -> Result<Seen, Problem> {
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

/// What a heading is called in a link.
fn anchor(line: &str) -> String {
    let heading = line.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
    if line.starts_with('#') { heading.replace([',', ':', '\''], "") } else { String::new() }
}

fn tasks(page: &str) -> Result<Seen, Problem> {
    let tasks: Vec<&str> =
        codes(page).into_iter().filter_map(|code| code.strip_prefix("cargo xtask ")).collect();
    let wrong = tasks.iter().filter_map(|task| {
        arguments::parse(task.split_whitespace().map(str::to_owned)).err().map(|why| format!("{task}: {why}"))
    });
    Ok((wrong.collect(), tasks.len()))
}

fn commands(page: &str) -> Result<Seen, Problem> {
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

/// Every file under a directory of infra/ that a person wrote or the catalog, as one text.
fn texts(directory: &Path) -> Result<String, Problem> {
    let mut text = String::new();
    for entry in std::fs::read_dir(directory)? {
        let path: PathBuf = entry?.path();
        if path.is_dir() {
            text += &texts(&path)?;
        } else if path != infra().join("README.md") {
            // Some are archives.
            text += &String::from_utf8_lossy(&std::fs::read(path)?);
        }
    }
    Ok(text)
}

/// What follows these words must stand in that text, in this form.
struct Told {
    before: &'static str,
    within: &'static str,
    form: fn(&str) -> String,
}

const TOLD: &[Told] = &[
    Told {
        before: "-var ",
        within: "terraform/aws-serverless/examples/complete",
        form: |it| format!("variable \"{it}\""),
    },
    Told {
        before: "output -raw ",
        within: "terraform/aws-serverless/examples/complete",
        form: |it| format!("output \"{it}\""),
    },
    Told { before: "--set ", within: "helm/florin", form: |it| format!("| `{it}` |") },
    Told { before: "--profile ", within: "containers", form: |it| format!("| `{it}`") },
    Told { before: "profile `", within: "containers", form: |it| format!("| `{it}`") },
    Told { before: "run --rm ", within: "containers", form: |it| format!("\n  {it}:\n") },
    Told { before: "--build-arg ", within: "containers", form: |it| format!("\nARG {it}=") },
    Told { before: "secret generic ", within: "knative", form: |it| format!("name: {it},") },
    Told { before: "--from-literal=", within: "knative", form: |it| format!("key: {it}") },
    Told { before: "job/", within: "knative/migration", form: |it| format!("name: {it}\n") },
    Told {
        before: "kubectl apply -k infra/knative/",
        within: "knative",
        form: |_| "kind: Kustomization".to_owned(),
    },
    Told { before: "-k infra/knative/overlays/", within: "knative", form: |it| format!("overlays/{it}") },
];

fn told(page: &str) -> Result<Seen, Problem> {
    let (mut missing, mut count) = (Vec::new(), 0);
    for Told { before, within, form } in TOLD {
        let text = texts(&infra().join(within))?;
        let names = after(page, before, in_a_name);
        if names.is_empty() {
            missing
                .push(format!("nothing is said any more with `{before}`: the check has nothing to look at"));
        }
        count += names.len();
        let absent = names.iter().filter(|name| !text.contains(&form(name)));
        missing.extend(absent.map(|name| format!("`{before}{name}`: infra/{within} has no such")));
    }
    // A setting, a metric, a role or a test that is named by itself.
    let everything = texts(&infra())? + &texts(&workspace().join("adapters/conformance/tests"))?;
    for code in codes(page) {
        let name = code.split(" = ").next().unwrap_or(code);
        let plain = name.chars().all(|c| c.is_ascii_lowercase() || c == '_') && name.contains('_');
        if plain {
            count += 1;
            if !everything.contains(name) {
                missing.push(format!("`{name}`: neither infra/ nor a test has such"));
            }
        }
    }
    // A value of the chart, such as `card.url`.
    let values = texts(&infra().join("helm/florin"))?;
    for code in codes(page) {
        let dotted = code.chars().all(|c| c.is_ascii_alphabetic() || c == '.') && code.contains('.');
        let ending = code.rsplit('.').next().unwrap_or_default();
        if dotted && !["yaml", "yml", "json", "env"].contains(&ending) && code != "trace.id" {
            count += 1;
            if !values.contains(&format!("| `{code}` |")) {
                missing.push(format!("`{code}`: the chart has no such value"));
            }
        }
    }
    Ok((missing, count))
}

/// What may be wrong in the page, and the words that name it.
const BROKEN: &[(&str, &str, &str)] = &[
    ("infra/knative/migration", "infra/knative/migrations", "there is no infra/knative/migrations"),
    ("](#watching-it)", "](#watching)", "there is no infra/#watching"),
    ("`cargo xtask infra helm`", "`cargo xtask infra helmet`", "there is no target `helmet`"),
    ("`florin migrate`", "`florin migrates`", "florin has no command migrates"),
    ("florin effects list ", "florin effects lists ", "florin effects has no command lists"),
    ("florin migrate --database-url", "florin migrate --database", "florin migrate has no option --database"),
    ("`FLORIN_AUDIENCE`", "`FLORIN_AUDIENCES`", "florin does not know FLORIN_AUDIENCES"),
    ("-var card_url=", "-var card_address=", "`-var card_address`"),
    ("--set identity.issuer=", "--set issuer=", "`--set issuer`"),
    ("--profile metrics", "--profile metric", "`--profile metric`"),
    ("job/florin-migrate", "job/migrate", "`job/migrate`"),
    ("`own_functions = ", "`functions_apart = ", "`functions_apart`"),
    ("`worker.keda.enabled`", "`worker.scaled.enabled`", "the chart has no such value"),
];

fn found() -> Result<Outcome, Problem> {
    let page = page()?;
    for (from, to, words) in BROKEN {
        if !page.contains(from) {
            return Err(Problem::Failed(format!("`{from}` is no longer there to be broken")));
        }
        let broken = page.replace(from, to);
        let mut said = Vec::new();
        for look in [paths, tasks, commands, told] {
            said.extend(look(&broken)?.0);
        }
        if !said.iter().any(|one| one.contains(words)) {
            let said = said.join("\n");
            return Err(Problem::Failed(format!("`{to}` for `{from}`: nobody says \"{words}\"\n{said}")));
        }
    }
    Ok(Outcome::Passed(format!("{} mistakes", BROKEN.len())))
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
