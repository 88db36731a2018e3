//! What the page tells the platforms: values of the chart, profiles of compose, names of Kubernetes.

use std::path::{Path, PathBuf};

use super::Seen;
use super::page::{after, codes, in_a_name};
use crate::bring::workspace;
use crate::infra::check::infra;
use crate::problem::Problem;

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

pub(super) fn told(page: &str) -> Result<Seen, Problem> {
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
