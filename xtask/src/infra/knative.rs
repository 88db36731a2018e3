//! `cargo xtask infra knative`: every overlay renders, is valid, delivers what the catalog says, and starts.

use std::path::{Path, PathBuf};
use std::process::Command;

use florin_servers::free_port;

use super::check::{Check, DECLARED, Outcome, Target, infra, output};
use super::kubernetes::{Broken, Programs, Scratch, Site, Start, find, probe, with};
use crate::problem::Problem;

/// The target.
pub(super) const TARGET: Target = Target {
    name: "knative",
    checks: &[
        DECLARED,
        Check { name: "overlays are valid, careful and as the catalog says", slow: false, run: rendered },
        Check { name: "a new service is data alone", slow: false, run: grown },
        Check { name: "what is wrong in an overlay is found", slow: true, run: found },
        Check { name: "the binary starts with what each container is given", slow: true, run: started },
    ],
};

/// The kustomizations that a person applies, and whether they deliver events.
const OVERLAYS: &[(&str, bool)] = &[
    ("worker", true),
    ("broker", true),
    ("broker-token", true),
    ("broker-token-keys", true),
    ("migration", false),
];

/// What is in the cluster already.
const GIVEN: &[&str] = &[
    "Secret/florin-database",
    "Secret/florin-queue",
    "Secret/florin-card",
    "Secret/florin-deliveries",
    "ConfigMap/florin-cluster-keys",
];

/// What opens the guarded door in these checks.
pub(super) const SECRET: &str = "a-secret-of-the-checks-alone";

/// What Go's HTTP client makes of `florin:SECRET@` in an address: Basic credentials (RFC 7617).
const CREDENTIALS: &str = "Basic ZmxvcmluOmEtc2VjcmV0LW9mLXRoZS1jaGVja3MtYWxvbmU=";

fn rendered() -> Result<Outcome, Problem> {
    let catalog = infra().join("helm/florin/catalog.json");
    with(|programs| sound(programs, &Scratch::make()?, &catalog, OVERLAYS.iter()))
}

fn grown() -> Result<Outcome, Problem> {
    with(|programs| {
        let scratch = Scratch::make()?;
        let catalog = scratch.path().join("catalog.json");
        output(Command::new("cp").arg(infra().join("helm/florin/catalog.json")).arg(&catalog))?;
        let copy = copied(&scratch)?;
        let [services, eventing, worker] =
            ["services", "eventing", "worker"].map(|part| copy.join(part).join("catalog.json"));
        programs.grow(&[&catalog, &services, &eventing, &worker])?;
        sound(programs, &scratch, &catalog, OVERLAYS.iter().filter(|(_, delivers)| *delivers))
    })
}

/// Whether overlays render what is valid, and those that deliver what this catalog says.
fn sound<'a>(
    programs: &Programs,
    scratch: &Scratch,
    catalog: &Path,
    overlays: impl Iterator<Item = &'a (&'a str, bool)>,
) -> Result<String, Problem> {
    let catalog = catalog.display().to_string();
    let mut said = Vec::new();
    for (name, delivers) in overlays {
        let manifests = render(programs, scratch, name)?;
        let objects = programs.check(&manifests, &[&["manifests"], GIVEN].concat())?;
        if *delivers {
            programs.check(&manifests, &["knative", &catalog])?;
        }
        said.push(format!("{name}: {objects}"));
    }
    Ok(said.join(", "))
}

/// What may go wrong in the kustomization with a Broker on RabbitMQ, and the words that name it.
const BROKEN: &[Broken] = &[
    Broken {
        from: "containerConcurrency",
        to: "containerConcurency",
        words: "is no field that anybody knows",
    },
    Broken {
        from: "queueType: quorum",
        to: "queueType: stream",
        words: "RabbitmqBrokerConfig florin: /spec/queueType",
    },
    Broken { from: "retry: 100", to: "retry: 10", words: "the broker would give up before Florin does" },
    Broken {
        from: "backoffPolicy: linear",
        to: "backoffPolicy: exponential",
        words: "an event would wait for long at a door that is open again",
    },
    Broken {
        from: "backoffDelay: PT5S",
        to: "backoffDelay: PT50S",
        words: "an event would wait for long at a door that is open again",
    },
    Broken {
        from: "backoffDelay: PT5S",
        to: "backoffDelay: PT1S",
        words: "the broker would give up while a database is away",
    },
    Broken {
        from: "FLORIN_CARD_CREDENTIAL",
        to: "FLORIN_QUEUE_TOKEN_FILE",
        words: "nobody mounts its token",
    },
    Broken { from: "timeout: PT30S", to: "format: json", words: "delivery.timeout is missing" },
    Broken { from: "broker: florin", to: "broker: florins", words: "no Broker florins" },
    Broken { from: "florin:a-secret-of-the-checks-alone@", to: "", words: "nothing opens the guarded door" },
    Broken {
        from: "FLORIN_DELIVERY_SECRET",
        to: "FLORIN_CARD_CREDENTIAL",
        words: "one guard must open its door",
    },
    Broken { from: "cluster-local", to: "public", words: "its visibility is the wrong one" },
    Broken { from: "name: h2c", to: "name: http1", words: "its port must be called h2c" },
    Broken { from: "namespace: florin", to: "namespace: shop", words: "no Service at http://" },
    Broken { from: "schedule: 0 * * * *", to: "schedule: 0 0 * * *", words: "not as often as the job" },
    Broken {
        from: "_deliver/audit.record_event",
        to: "_deliver/audit.record",
        words: "does not serve audit.record",
    },
    Broken { from: "runAsUser: 65532", to: "runAsUser: root", words: "runAsUser breaks type" },
    Broken {
        from: "kind: RabbitmqBrokerConfig\n    name: florin",
        to: "kind: RabbitmqBrokerConfig\n    name: shop",
        words: "no RabbitmqBrokerConfig shop in florin",
    },
];

/// What may go wrong in the one with a channel-based Broker.
const BROKEN_CHANNELS: &[Broken] = &[
    Broken {
        from: "FLORIN_QUEUE_TOKEN_FILE",
        to: "FLORIN_QUEUE_URL",
        words: "the Broker would refuse what it publishes without a token",
    },
    Broken {
        from: "value: /oidc/token",
        to: "value: /var/run/token",
        words: "the Broker would refuse what it publishes without a token",
    },
    Broken {
        from: "    kind: ConfigMap\n    name: florin-channel",
        to: "    kind: ConfigMap\n    name: config-br-default-channel",
        words: "no ConfigMap config-br-default-channel in florin",
    },
    Broken { from: "channel-template-spec", to: "channelTemplateSpec", words: "keeps no second copy" },
    Broken { from: "replicationFactor: 3", to: "replicationFactor: 1", words: "keeps no second copy" },
    Broken {
        from: "numPartitions: 3",
        to: "partitions: 3",
        words: "KafkaChannel florin-channel: /spec/partitions",
    },
    Broken {
        from: "kind: KafkaChannel",
        to: "kind: KafkaChanel",
        words: "nobody knows messaging.knative.dev",
    },
];

/// What may go wrong in the one with Florin's own consumer.
const BROKEN_WORKERS: &[Broken] = &[
    Broken { from: "payments.sweep,", to: "", words: "worker: payments.sweep is missing" },
    Broken { from: "value: \"on\"", to: "value: \"off\"", words: "PingSource: payments.sweep is missing" },
];

fn found() -> Result<Outcome, Problem> {
    with(|programs| {
        let scratch = Scratch::make()?;
        let catalog = infra().join("helm/florin/catalog.json").display().to_string();
        let tasks = [[&["manifests"], GIVEN].concat(), vec!["knative", &catalog]];
        let mut said = Vec::new();
        for (overlay, broken) in
            [("broker", BROKEN), ("broker-token", BROKEN_CHANNELS), ("worker", BROKEN_WORKERS)]
        {
            let manifests = render(programs, &scratch, overlay)?;
            said.push(format!("{overlay}: {}", find(programs, &scratch, &manifests, &tasks, broken)?));
        }
        Ok(said.join(", "))
    })
}

fn started() -> Result<Outcome, Problem> {
    with(|programs| {
        let site = Site::open()?;
        let scratch = Scratch::make()?;
        let job = Start { kind: "Job", name: "florin-migrate", platform: &[], port: None };
        site.run(programs, &render(programs, &scratch, "migration")?, &job)?;
        let mut count = 0;
        for (name, delivers) in OVERLAYS {
            let manifests = render(programs, &scratch, name)?;
            if !delivers {
                continue;
            }
            for object in programs.check(&manifests, &["names", "Service"])?.lines() {
                serve_on_knative(programs, &site, &manifests, object, *name == "broker")?;
                count += 1;
            }
            for object in programs.check(&manifests, &["names", "Deployment"])?.lines() {
                let start = Start { kind: "Deployment", name: object, platform: &[], port: None };
                site.serves(programs, &manifests, &start, |_| Ok(()))?;
                count += 1;
            }
        }
        Ok(format!("{count} containers, on PostgreSQL"))
    })
}

/// Starts a Service as Knative does: `PORT`, its own names, and where a SinkBinding sends events.
fn serve_on_knative(
    programs: &Programs,
    site: &Site,
    manifests: &Path,
    name: &str,
    by_secret: bool,
) -> Result<(), Problem> {
    let port = free_port();
    let platform = [
        ("PORT", port.to_string()),
        ("K_SERVICE", name.to_owned()),
        ("K_REVISION", format!("{name}-00001")),
        ("K_CONFIGURATION", name.to_owned()),
        ("K_SINK", format!("http://127.0.0.1:{}/florin", free_port())),
    ];
    let start = Start { kind: "Service", name, platform: &platform, port: Some(port) };
    let delivered = name.strip_prefix("florin-").and_then(|name| name.strip_suffix("-deliveries"));
    site.serves(programs, manifests, &start, |port| {
        let Some(service) = delivered else { return ticked(port, "anything", "", 404) };
        // Its door is there, closed to strangers, and opens to what the rendered senders bring.
        let sweep = format!("{service}.sweep");
        ticked(port, &sweep, "", 401)?;
        ticked(port, &sweep, CREDENTIALS, if by_secret { 202 } else { 401 })
    })
}

/// Sends a PingSource's event to the guarded door.
fn ticked(port: u16, function: &str, credentials: &str, wanted: u16) -> Result<(), Problem> {
    let request = format!(
        "POST /_deliver/{function} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: {credentials}\r\n\
         Ce-Specversion: 1.0\r\nCe-Id: 1\r\nCe-Source: /apis/v1/namespaces/florin/pingsources/sweep\r\n\
         Ce-Type: dev.knative.sources.ping\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{{}}"
    );
    let status = probe::request(port, &request)?;
    if status == wanted {
        return Ok(());
    }
    let who = if credentials.is_empty() { "without credentials" } else { "with the secret" };
    Err(Problem::Failed(format!("POST /_deliver/{function} {who} answers {status}, not {wanted}")))
}

/// The manifests of a kustomization that a person applies.
pub(super) fn render(programs: &Programs, scratch: &Scratch, name: &str) -> Result<PathBuf, Problem> {
    let copy = copied(scratch)?;
    let overlay = copy.join("overlays").join(name);
    let directory = if overlay.is_dir() { overlay } else { copy.join(name) };
    let rendered = output(Command::new(&programs.kubectl).arg("kustomize").arg(directory))?;
    scratch.write(&format!("{name}.yaml"), &rendered)
}

/// A copy of infra/knative, because the file with the senders' secret is nobody's to write in a checkout.
fn copied(scratch: &Scratch) -> Result<PathBuf, Problem> {
    let copy = scratch.path().join("knative");
    if !copy.exists() {
        output(Command::new("cp").arg("-R").arg(infra().join("knative")).arg(&copy))?;
        let sender = format!("beginning=http://florin:{SECRET}@\n");
        std::fs::write(copy.join("overlays/broker/sender.env"), sender)?;
    }
    Ok(copy)
}
