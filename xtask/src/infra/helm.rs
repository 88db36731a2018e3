//! `cargo xtask infra helm`: the chart is right, renders what the catalog says, and what it renders starts.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::check::{Check, DECLARED, Outcome, Target, infra, output};
use super::kubernetes::{Broken, Programs, Scratch, Site, Start, find, with};
use super::secrets;
use crate::problem::Problem;

/// The target.
pub(super) const TARGET: Target = Target {
    name: "helm",
    checks: &[
        DECLARED,
        Check { name: "the rules are those of infra/observability", slow: false, run: rules },
        Check { name: "README, values and schema tell the same", slow: false, run: values },
        Check { name: "lint", slow: false, run: lint },
        Check { name: "wrong values are refused by name", slow: false, run: refused },
        Check { name: "manifests are valid, careful and as the catalog says", slow: false, run: rendered },
        Check { name: "a new service is data alone", slow: false, run: grown },
        Check { name: "what is wrong in a manifest is found", slow: true, run: found },
        Check {
            name: "infra/external-secrets makes the Secrets that are read",
            slow: false,
            run: secrets::made,
        },
        Check { name: "what is wrong in infra/external-secrets is found", slow: true, run: secrets::found },
        Check { name: "the packaged chart renders the same", slow: false, run: packaged },
        Check { name: "the binary starts with what each container is given", slow: true, run: started },
    ],
};

/// A file of values in the chart's directory ci, and the `httpRoute.match` in it.
const CASES: &[(&str, &str)] = &[("split", "prefix"), ("suite", "regex")];

/// What is in the cluster already.
const GIVEN: &[&str] =
    &["Secret/florin-database", "Secret/florin-queue", "Secret/florin-card", "ConfigMap/florin-jwks"];

/// The chart.
pub(super) fn chart() -> PathBuf {
    infra().join("helm/florin")
}

fn case(name: &str) -> PathBuf {
    chart().join(format!("ci/{name}-values.yaml"))
}

/// Helm reads only files inside the chart, so it has a copy.
fn rules() -> Result<Outcome, Problem> {
    let (theirs, ours) = (infra().join("observability/prometheus/rules.yml"), chart().join("rules.yml"));
    if std::fs::read(&theirs)? == std::fs::read(&ours)? {
        return Ok(Outcome::Passed(String::new()));
    }
    Err(Problem::Failed(format!("copy {} to {}", theirs.display(), ours.display())))
}

fn values() -> Result<Outcome, Problem> {
    with(|programs| {
        let mut node = Command::new(&programs.node);
        node.arg(infra().join("kubernetes/values.mjs")).arg(&programs.models).arg(chart());
        Ok(output(&mut node)?.trim().to_owned())
    })
}

fn lint() -> Result<Outcome, Problem> {
    with(|programs| {
        for (name, _) in CASES {
            output(helm(programs).args(["lint", "--strict"]).arg(chart()).arg("--values").arg(case(name)))?;
        }
        Ok(format!("{} sets of values", CASES.len()))
    })
}

/// What a person may get wrong, and what the refusal must name.
const REFUSED: &[(&[&str], &str)] = &[
    (&["wbe.replicas=3"], "'wbe' not allowed"),
    (&["web.replica=3"], "'replica' not allowed"),
    (&["services.audit.web.replica=3"], "'replica' not allowed"),
    (&["services.audit.image.tag=v2"], "services.audit: with suite all services are one deployment"),
    (&["services.ledger.enabled=true"], "services.ledger: the catalog has only"),
    (&["services.payments.enabled=false", "services.audit.enabled=false"], "every service is disabled"),
    (&["identity.issuer="], "identity.issuer: say who issues tokens"),
    (&["database.existingSecret="], "database.existingSecret: name the Secret"),
    (&["queue.existingSecret="], "queue.existingSecret: name the Secret"),
    (&["publicUrl="], "publicUrl: the card provider sends browsers back to it"),
    (&["sandbox.enabled=false", "card.url="], "card.url: suite takes cards"),
    (&["networkPolicy.fromGateway=null"], "networkPolicy.fromGateway"),
    (&["image.digest=abc"], "does not match pattern"),
    (&["pod.runAsUser=0"], "minimum: got 0, want 1"),
];

fn refused() -> Result<Outcome, Problem> {
    with(|programs| {
        for (values, words) in REFUSED {
            let mut helm = helm(programs);
            helm.args(["template", "florin"]).arg(chart()).arg("--values").arg(case("suite"));
            for value in *values {
                helm.args(["--set", value]);
            }
            match output(&mut helm) {
                Err(Problem::Failed(said)) if said.contains(words) => {}
                Err(Problem::Failed(said)) => {
                    return Err(Problem::Failed(format!(
                        "{values:?} is refused without \"{words}\":\n{said}"
                    )));
                }
                Err(problem) => return Err(problem),
                Ok(_) => return Err(Problem::Failed(format!("{values:?} is taken"))),
            }
        }
        Ok(format!("{} mistakes", REFUSED.len()))
    })
}

fn rendered() -> Result<Outcome, Problem> {
    with(|programs| sound(programs, &Scratch::make()?, &chart()))
}

fn grown() -> Result<Outcome, Problem> {
    with(|programs| {
        let scratch = Scratch::make()?;
        let copy = scratch.path().join("chart");
        output(Command::new("cp").arg("-R").arg(chart()).arg(&copy))?;
        programs.grow(&[&copy.join("catalog.json")])?;
        sound(programs, &scratch, &copy)
    })
}

/// Whether each case of a chart renders what is valid, and what the chart's catalog says.
fn sound(programs: &Programs, scratch: &Scratch, chart: &Path) -> Result<String, Problem> {
    let catalog = chart.join("catalog.json").display().to_string();
    let mut said = Vec::new();
    for (name, paths) in CASES {
        let manifests = render(programs, scratch, name, chart.to_owned())?;
        let objects = programs.check(&manifests, &[&["manifests"], GIVEN].concat())?;
        programs.check(&manifests, &["helm", &catalog, paths])?;
        said.push(format!("{name}: {objects}"));
    }
    Ok(said.join(", "))
}

/// What may go wrong in a template, and the words that name it.
const BROKEN: &[Broken] = &[
    Broken {
        from: "readOnlyRootFilesystem",
        to: "readOnlyRootFileSystem",
        words: "is no field that anybody knows",
    },
    Broken { from: "pathType: Prefix", to: "pathType: Prefx", words: "pathType breaks enum" },
    Broken { from: "periodSeconds: 5", to: "periodSeconds: \"5\"", words: "periodSeconds breaks type" },
    Broken {
        from: "minReplicaCount",
        to: "minReplicas",
        words: "ScaledObject florin-audit-worker: /spec/minReplicas",
    },
    Broken { from: "averageUtilization", to: "averageUse", words: "HorizontalPodAutoscaler florin-payments" },
    Broken { from: "targetPort: http", to: "targetPort: htp", words: "no pod has a port htp" },
    Broken { from: "- configMapRef:", to: "- secretRef:", words: "no Secret florin-settings" },
    Broken { from: "runAsNonRoot: true", to: "runAsNonRoot: false", words: "must run as non-root" },
    Broken {
        from: "florin-payments\n          port: 80",
        to: "florin-payment\n          port: 80",
        words: "HTTPRoute",
    },
    Broken { from: "enableServiceLinks: false", to: "enableServiceLinks: true", words: "must be false" },
    Broken { from: "method: POST", to: "method: PUT", words: "HTTPRoute: POST /v1/payments is missing" },
    Broken {
        from: "\"audit.record_event\"",
        to: "\"audit.record_events\"",
        words: "audit.record_event is missing",
    },
    Broken { from: ",payments.sweep", to: "", words: "payments.sweep is missing" },
];

fn found() -> Result<Outcome, Problem> {
    with(|programs| {
        let scratch = Scratch::make()?;
        let catalog = chart().join("catalog.json").display().to_string();
        let manifests = render(programs, &scratch, "split", chart())?;
        let tasks = [[&["manifests"], GIVEN].concat(), vec!["helm", &catalog, "prefix"]];
        find(programs, &scratch, &manifests, &tasks, BROKEN)
    })
}

fn packaged() -> Result<Outcome, Problem> {
    with(|programs| {
        let scratch = Scratch::make()?;
        output(helm(programs).arg("package").arg(chart()).arg("--destination").arg(scratch.path()))?;
        let version = output(helm(programs).args(["show", "chart"]).arg(chart()))?;
        let version = version.lines().find_map(|line| line.strip_prefix("version: ")).unwrap_or_default();
        let package = scratch.path().join(format!("florin-{version}.tgz"));
        for (name, _) in CASES {
            let ours = std::fs::read_to_string(render(programs, &scratch, name, chart())?)?;
            let theirs = std::fs::read_to_string(render(programs, &scratch, name, package.clone())?)?;
            if ours != theirs {
                return Err(Problem::Failed(format!("{name}: {} renders something else", package.display())));
            }
        }
        Ok(String::new())
    })
}

fn started() -> Result<Outcome, Problem> {
    with(|programs| {
        let site = Site::open()?;
        let scratch = Scratch::make()?;
        let mut count = 0;
        for (name, _) in CASES {
            let manifests = render(programs, &scratch, name, chart())?;
            for kind in ["Job", "Deployment"] {
                for object in programs.check(&manifests, &["names", kind])?.lines() {
                    // The sandbox is another command, whose address is an argument.
                    if object.ends_with("-sandbox") {
                        continue;
                    }
                    let start = Start { kind, name: object, platform: &[], port: None };
                    if kind == "Job" {
                        site.run(programs, &manifests, &start)?;
                    } else {
                        site.serves(programs, &manifests, &start, |_| Ok(()))?;
                    }
                    count += 1;
                }
            }
        }
        Ok(format!("{count} containers, on PostgreSQL"))
    })
}

/// The manifests of a chart with one set of values.
pub(super) fn render(
    programs: &Programs,
    scratch: &Scratch,
    name: &str,
    from: PathBuf,
) -> Result<PathBuf, Problem> {
    let mut helm = helm(programs);
    helm.args(["template", "florin"]).arg(from).args(["--namespace", "florin", "--values"]).arg(case(name));
    scratch.write(&format!("{name}.yaml"), &output(&mut helm)?)
}

fn helm(programs: &Programs) -> Command {
    Command::new(&programs.helm)
}
