//! `cargo xtask sbom`: what an artifact of florin-host is built from, as CycloneDX 1.5.
//!
//! From `cargo tree`, which resolves the features of one package. `cargo metadata`, which the generators that are published
//! ask, resolves those of the whole workspace together, and lists the neighbours of a service as parts of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;

use crate::bring::workspace;
use crate::infra::check::output;
use crate::problem::Problem;
use crate::report;

/// What is asked.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Sbom {
    /// What the artifact is called.
    name: String,
    features: String,
    target: String,
}

impl Sbom {
    /// Reads the words after `cargo xtask sbom`.
    pub(crate) fn parse(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
        let (mut name, mut features, mut target) = (None, None, None);
        while let Some(word) = words.next() {
            let said = match word.as_str() {
                "--name" => &mut name,
                "--features" => &mut features,
                "--target" => &mut target,
                _ => return Err(format!("sbom does not know `{word}`")),
            };
            *said = Some(words.next().ok_or_else(|| format!("{word} needs a value"))?);
        }
        let needed = |said: Option<String>, what: &str| said.ok_or_else(|| format!("sbom needs {what}"));
        Ok(Self {
            name: needed(name, "--name ARTIFACT")?,
            features: needed(features, "--features LIST")?,
            target: needed(target, "--target TRIPLE")?,
        })
    }
}

impl Sbom {
    /// For an artifact with these features, separated by commas.
    pub(crate) fn of(name: &str, features: &str, target: &str) -> Self {
        Self { name: name.to_owned(), features: features.to_owned(), target: target.to_owned() }
    }
}

/// Prints the document.
pub(crate) fn run(asked: &Sbom) -> Result<(), Problem> {
    report::output(&document(asked)?);
    Ok(())
}

/// The document.
pub(crate) fn document(asked: &Sbom) -> Result<String, Problem> {
    let mut tree = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    tree.current_dir(workspace()).args([
        "tree",
        "--locked",
        "--package",
        "florin-host",
        "--no-default-features",
    ]);
    tree.args(["--features", &asked.features, "--target", &asked.target]);
    tree.args(["--edges", "normal,build", "--prefix", "depth", "--format", "|{p}|{l}|"]);
    let parts = Parts::read(&output(&mut tree)?);
    let sums = checksums(&fs::read_to_string(workspace().join("Cargo.lock"))?);
    Ok(parts.document(&asked.name, &sums))
}

/// Name and version of a crate.
type Crate = (String, String);

/// What `cargo tree` says.
#[derive(Default)]
struct Parts {
    /// The license of each crate, an SPDX expression.
    licenses: BTreeMap<Crate, String>,
    /// What each crate is built with.
    uses: BTreeMap<Crate, BTreeSet<Crate>>,
    /// The crate of the artifact.
    root: Option<Crate>,
}

impl Parts {
    /// Reads lines such as `2|serde v1.0.229 (proc-macro)|MIT OR Apache-2.0|`.
    fn read(tree: &str) -> Self {
        let mut parts = Self::default();
        let mut above: Vec<Crate> = Vec::new();
        for line in tree.lines() {
            let fields: Vec<&str> = line.split('|').collect();
            let [depth, package, license, ..] = fields[..] else { continue };
            let mut words = package.split_whitespace();
            let (Some(name), Some(version), Ok(depth)) = (words.next(), words.next(), depth.parse()) else {
                continue;
            };
            let this = (name.to_owned(), version.trim_start_matches('v').to_owned());
            above.truncate(depth);
            match above.last() {
                Some(user) => {
                    parts.uses.entry(user.clone()).or_default().insert(this.clone());
                }
                None => parts.root = Some(this.clone()),
            }
            // The slash is what `OR` was before SPDX expressions.
            parts.licenses.insert(this.clone(), license.replace('/', " OR "));
            above.push(this);
        }
        parts
    }

    /// CycloneDX 1.5, the same bytes for the same tree.
    fn document(&self, artifact: &str, sums: &BTreeMap<Crate, String>) -> String {
        let components: Vec<String> = self
            .licenses
            .iter()
            .map(|(this, license)| {
                let hash = sums.get(this).map_or(String::new(), |sum| {
                    format!(r#", "hashes": [{{"alg": "SHA-256", "content": "{sum}"}}]"#)
                });
                let (name, version) = this;
                let url = url(this);
                format!(
                    r#"    {{"type": "library", "bom-ref": "{url}", "name": "{name}", "version": "{version}", "purl": "{url}", "licenses": [{{"expression": "{license}"}}]{hash}}}"#
                )
            })
            .collect();
        let mut dependencies: Vec<String> = self
            .root
            .iter()
            .map(|root| format!(r#"    {{"ref": "artifact", "dependsOn": ["{}"]}}"#, url(root)))
            .collect();
        dependencies.extend(self.uses.iter().map(|(user, used)| {
            let used: Vec<String> = used.iter().map(|used| format!("\"{}\"", url(used))).collect();
            format!(r#"    {{"ref": "{}", "dependsOn": [{}]}}"#, url(user), used.join(", "))
        }));
        format!(
            "{{\n  \"bomFormat\": \"CycloneDX\",\n  \"specVersion\": \"1.5\",\n  \"version\": 1,\n  \"metadata\": {{\"component\": \
             {{\"type\": \"application\", \"bom-ref\": \"artifact\", \"name\": \"{artifact}\"}}}},\n  \"components\": [\n{}\n  ],\n  \
             \"dependencies\": [\n{}\n  ]\n}}",
            components.join(",\n"),
            dependencies.join(",\n")
        )
    }
}

/// Its package URL (purl-spec, type cargo). A build number is behind a plus, which is escaped there.
fn url((name, version): &Crate) -> String {
    format!("pkg:cargo/{name}@{}", version.replace('+', "%2B"))
}

/// The SHA-256 of each crate that comes from a registry, from Cargo.lock.
fn checksums(lock: &str) -> BTreeMap<Crate, String> {
    let mut sums = BTreeMap::new();
    for entry in lock.split("[[package]]") {
        let field = |key: &str| {
            entry.lines().find_map(|line| Some(line.strip_prefix(key)?.trim_matches('"').to_owned()))
        };
        if let (Some(name), Some(version), Some(sum)) =
            (field("name = "), field("version = "), field("checksum = "))
        {
            sums.insert((name, version), sum);
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    const TREE: &str = "0|florin-host v0.1.0 (/code/adapters/host)|Apache-2.0|\n1|sqlx v0.9.0|MIT/Apache-2.0|\n\
                        2|url v2.5.4|MIT|\n1|url v2.5.4|MIT| (*)\n";

    #[test]
    fn every_crate_of_the_tree_is_a_component_with_its_licence_and_its_sum() {
        let sums = checksums("[[package]]\nname = \"url\"\nversion = \"2.5.4\"\nchecksum = \"abc\"\n");
        let document = Parts::read(TREE).document("florin.zip", &sums);
        assert!(document.contains(r#""purl": "pkg:cargo/url@2.5.4", "licenses": [{"expression": "MIT"}], "hashes": [{"alg": "SHA-256", "content": "abc"}]}"#), "{document}");
        assert!(document.contains(r#"{"expression": "MIT OR Apache-2.0"}"#), "{document}");
        assert_eq!(document.matches("\"type\": \"library\"").count(), 3, "{document}");
    }

    #[test]
    fn what_a_crate_is_built_with_is_said() {
        let document = Parts::read(TREE).document("florin.zip", &BTreeMap::new());
        assert!(
            document.contains(r#"{"ref": "artifact", "dependsOn": ["pkg:cargo/florin-host@0.1.0"]}"#),
            "{document}"
        );
        let uses = r#"{"ref": "pkg:cargo/florin-host@0.1.0", "dependsOn": ["pkg:cargo/sqlx@0.9.0", "pkg:cargo/url@2.5.4"]}"#;
        assert!(document.contains(uses), "{document}");
    }

    #[test]
    fn what_is_asked_must_be_said() {
        let parsed = |line: &str| Sbom::parse(line.split_whitespace().map(str::to_owned));
        let asked = Sbom { name: "a.zip".into(), features: "audit".into(), target: "x".into() };
        assert_eq!(parsed("--name a.zip --features audit --target x"), Ok(asked));
        assert_eq!(parsed("--name a.zip --target x"), Err("sbom needs --features LIST".into()));
    }
}
