//! The bill of materials of each service: valid, and without a neighbour of the service.

use std::fs;
use std::process::Command;

use super::services::catalog;
use super::{programs, skipped_where_missing};
use crate::infra::check::{Outcome, infra, output};
use crate::infra::kubernetes::Scratch;
use crate::problem::Problem;
use crate::sbom::{self, Sbom};

/// Prints how many components the document has, or what is wrong with it.
const VALIDATE: &str = "import sys, json\n\
    from cyclonedx.schema import SchemaVersion\n\
    from cyclonedx.validation.json import JsonStrictValidator\n\
    text = open(sys.argv[1]).read()\n\
    wrong = JsonStrictValidator(SchemaVersion.V1_5).validate_str(text)\n\
    sys.exit(str(wrong)) if wrong else print(len(json.loads(text)['components']))\n";

pub(super) fn run() -> Result<Outcome, Problem> {
    skipped_where_missing(valid())
}

fn valid() -> Result<String, Problem> {
    let python = programs::cyclonedx()?;
    let scratch = Scratch::make()?;
    let services = catalog(&fs::read_to_string(infra().join("catalog/terraform.json"))?);
    let mut said = Vec::new();
    for service in &services {
        let asked = Sbom::of(
            &format!("florin-{service}.zip"),
            &format!("lambda,sqs,otlp,{service}"),
            "aarch64-unknown-linux-gnu",
        );
        let bill = sbom::document(&asked)?;
        for other in &services {
            if bill.contains(&format!("\"name\": \"florin-{other}\"")) != (other == service) {
                return Err(Problem::Failed(format!("{service}: florin-{other} is in the wrong bill")));
            }
        }
        let file = scratch.write(&format!("{service}.cdx.json"), &bill)?;
        let count = output(Command::new(&python).args(["-c", VALIDATE]).arg(file))?;
        said.push(format!("{service}: {} crates", count.trim()));
    }
    Ok(said.join(", "))
}
