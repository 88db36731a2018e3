//! Whether the pipelines know every service of the catalog: as a folder, as a feature, and as a choice.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::text;
use crate::bring::workspace;
use crate::infra::check::{Outcome, infra};
use crate::problem::Problem;

/// The file that `florin catalog verify` keeps as the code is.
const CATALOG: &str = "catalog/terraform.json";

pub(super) fn run() -> Result<Outcome, Problem> {
    chosen(&text::github()).map(Outcome::Passed)
}

/// Whether `affected`, which reads the folders, the features of the host and the choices of the workflows name the same.
pub(super) fn chosen(github: &Path) -> Result<String, Problem> {
    let services = catalog(&fs::read_to_string(infra().join(CATALOG))?);
    let mut folders = BTreeSet::new();
    for entry in fs::read_dir(workspace().join("functions"))? {
        folders.insert(entry?.file_name().to_string_lossy().into_owned());
    }
    same("the folders of functions/", &folders, &services)?;
    let host = fs::read_to_string(workspace().join("adapters/host/Cargo.toml"))?;
    let features: BTreeSet<String> = services
        .iter()
        .filter(|service| host.contains(&format!("\n{service} = [\"dep:florin-{service}\"")))
        .cloned()
        .collect();
    same("the features of adapters/host", &features, &services)?;
    let mut choices = 0;
    for file in text::workflows(github)? {
        for line in text::lines(&file)? {
            let Some(list) = line.strip_prefix("options: [").and_then(|rest| rest.strip_suffix(']')) else {
                continue;
            };
            let options = list.split(',').map(|option| option.trim().to_owned()).collect();
            same(&format!("the options of {}", file.display()), &options, &services)?;
            choices += 1;
        }
    }
    if choices == 0 {
        return Err(Problem::Failed("no workflow lets a service be chosen".to_owned()));
    }
    Ok(services.into_iter().collect::<Vec<_>>().join(", "))
}

fn same(what: &str, named: &BTreeSet<String>, services: &BTreeSet<String>) -> Result<(), Problem> {
    if named == services {
        return Ok(());
    }
    Err(Problem::Failed(format!("{what} are {named:?}, and the catalog has {services:?}")))
}

/// The names of the services: the keys at the second level of a file that we write ourselves.
pub(in crate::infra) fn catalog(json: &str) -> BTreeSet<String> {
    let names = json.lines().filter_map(|line| line.strip_prefix("    \"")?.strip_suffix("\": {"));
    names.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_services_are_the_keys_of_the_second_level() {
        let json = "{\n  \"services\": {\n    \"audit\": {\n      \"functions\": {\n      }\n    },\n    \"payments\": {\n";
        assert_eq!(catalog(json), BTreeSet::from(["audit".to_owned(), "payments".to_owned()]));
    }
}
