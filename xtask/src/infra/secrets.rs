//! Whether infra/external-secrets makes the Secrets that the chart and Knative's manifests read, as part of the target helm.
//!
//! What it asks AWS for is compared with what Terraform makes there by the tests of infra/terraform/aws-kubernetes.

use std::path::PathBuf;
use std::process::Command;

use super::check::{Outcome, infra, output};
use super::kubernetes::{Broken, Programs, Scratch, find, with};
use super::{helm, knative};
use crate::problem::Problem;

/// The check.
pub(super) fn made() -> Result<Outcome, Problem> {
    with(|programs| {
        let scratch = Scratch::make()?;
        let ours = render(programs, &scratch)?;
        let objects = programs.check(&ours, &["manifests"])?;
        programs.check(&beside_readers(programs, &scratch)?, &["secrets"])?;
        filled_in(programs, &scratch, &programs.check(&ours, &["templates"])?)?;
        Ok(objects)
    })
}

/// What may go wrong in a manifest, and the words that name it.
const BROKEN: &[Broken] = &[
    Broken { from: "dataFrom:", to: "datafrom:", words: "is no field that anybody knows" },
    Broken { from: "service: SecretsManager", to: "service: SecretManager", words: "breaks enum" },
    Broken { from: "eks.amazonaws.com/role-arn", to: "eks.amazonaws.com/role", words: "with a role" },
    Broken {
        from: "name: florin-secrets\n  namespace",
        to: "name: florin-secret\n  namespace",
        words: "with a role",
    },
    Broken {
        from: "kind: SecretStore\n    name: florin",
        to: "kind: SecretStore\n    name: shop",
        words: "no SecretStore shop",
    },
    Broken {
        from: "        owner-url:",
        to: "        owner:",
        words: "no ExternalSecret makes florin-database/owner-url",
    },
    Broken { from: "secretKey: credential", to: "secretKey: key", words: "nobody reads florin-card/key" },
];

/// The check of the check.
pub(super) fn found() -> Result<Outcome, Problem> {
    with(|programs| {
        let scratch = Scratch::make()?;
        let all = beside_readers(programs, &scratch)?;
        find(programs, &scratch, &all, &[vec!["manifests"], vec!["secrets"]], BROKEN)
    })
}

fn render(programs: &Programs, scratch: &Scratch) -> Result<PathBuf, Problem> {
    let rendered =
        output(Command::new(&programs.kubectl).arg("kustomize").arg(infra().join("external-secrets")))?;
    scratch.write("external-secrets.yaml", &rendered)
}

/// The manifests in one file with those whose pods read the Secrets.
fn beside_readers(programs: &Programs, scratch: &Scratch) -> Result<PathBuf, Problem> {
    let mut all = Vec::new();
    for manifests in [
        render(programs, scratch)?,
        helm::render(programs, scratch, "split", helm::chart())?,
        knative::render(programs, scratch, "worker")?,
        knative::render(programs, scratch, "migration")?,
    ] {
        all.push(std::fs::read_to_string(manifests)?);
    }
    scratch.write("with-readers.yaml", &all.join("\n---\n"))
}

/// A password with every sign that an address would take for its own.
const PASSWORD: &str = "p:a#s%s?w[o]r+d&";
const SERVICES_URL: &str = "postgres://service:secret@db.example:5432/florin?sslmode=require";
const OWNERS_URL: &str =
    "postgres://florin_master:p%3Aa%23s%25s%3Fw%5Bo%5Dr+d&@db.example:5432/florin?sslmode=require";

/// Whether the templates make addresses of what Secrets Manager holds. Helm fills them in: it has the functions (sprig's) and the
/// language (Go's text/template) of the operator.
fn filled_in(programs: &Programs, scratch: &Scratch, templates: &str) -> Result<(), Problem> {
    let chart = scratch.path().join("filled-in");
    std::fs::create_dir_all(chart.join("templates"))?;
    std::fs::write(chart.join("Chart.yaml"), "apiVersion: v2\nname: filled-in\nversion: 0.0.0\n")?;
    let values = format!("username: florin_master\npassword: \"{PASSWORD}\"\nurl: {SERVICES_URL}\n");
    std::fs::write(chart.join("values.yaml"), values)?;
    for (name, wanted) in [("florin-database/url", SERVICES_URL), ("florin-database/owner-url", OWNERS_URL)] {
        let template = templates.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        let template = template.ok_or_else(|| Problem::Failed(format!("no template makes {name}")))?;
        let text = format!("kind: Secret\nvalue: >-\n  {{{{ with .Values }}}}{template}{{{{ end }}}}\n");
        std::fs::write(chart.join("templates/secret.yaml"), text)?;
        let said = output(Command::new(&programs.helm).arg("template").arg(&chart))?;
        if !said.lines().any(|line| line.trim() == wanted) {
            return Err(Problem::Failed(format!("{name} is not {wanted}:\n{said}")));
        }
    }
    Ok(())
}
