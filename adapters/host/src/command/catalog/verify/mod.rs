//! `florin catalog verify`: whether what is deployed is what the code says, and which line to mend where it is not.

mod hcl;
mod module;
mod sealed;

use std::fmt;
use std::path::{Path, PathBuf};

use clap::Args;

use super::generated::{self, GENERATED};
use crate::deployment::HostError;

/// Compares the generated files of infra/ and the settings of its modules with the code.
#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// The directory.
    #[arg(long, value_name = "DIRECTORY", default_value = "infra")]
    infra: PathBuf,
    /// First write the generated files anew.
    #[arg(long)]
    write: bool,
}

/// A line to mend.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Finding {
    /// The file.
    pub(super) file: PathBuf,
    /// Its line, from 1.
    pub(super) line: usize,
    /// What is wrong with it, and what it should be.
    pub(super) what: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file.display(), self.line, self.what)
    }
}

impl Verify {
    pub(super) fn run(self) -> Result<(), HostError> {
        if self.write {
            generated::write(&self.infra)?;
        }
        let findings = findings(&self.infra)?;
        if findings.is_empty() {
            return super::super::print(&format!("{}: as the code says\n", self.infra.display()));
        }
        let lines: Vec<String> = findings.iter().map(Finding::to_string).collect();
        Err(HostError(format!("what is deployed is not what the code says:\n{}", lines.join("\n"))))
    }
}

/// Everything that is wrong under this directory.
pub(super) fn findings(infra: &Path) -> Result<Vec<Finding>, HostError> {
    let mut findings = Vec::new();
    for file in GENERATED {
        let path = infra.join(file.path);
        let there = std::fs::read_to_string(&path).unwrap_or_default();
        findings.extend(difference(&path, &there, &file.text()?));
    }
    findings.extend(module::findings(infra)?);
    Ok(findings)
}

/// The first line that differs, and how.
fn difference(file: &Path, there: &str, wanted: &str) -> Option<Finding> {
    let (mut there, mut wanted) = (there.lines(), wanted.lines());
    let mut line = 1;
    loop {
        let what = match (there.next(), wanted.next()) {
            (None, None) => return None,
            (Some(a), Some(b)) if a == b => {
                line += 1;
                continue;
            }
            (Some(a), Some(b)) => format!("`{}` must be `{}`", a.trim(), b.trim()),
            (Some(a), None) => format!("`{}` is too much", a.trim()),
            (None, Some(b)) => format!("`{}` is missing", b.trim()),
        };
        let what = format!("{what}; `florin catalog verify --write` writes it anew");
        return Some(Finding { file: file.to_owned(), line, what });
    }
}
