//! A real suite with a real Prometheus beside it: after a morning of payments the panels have something to show.

use std::fs::File;
use std::process::Command;

use florin_servers::free_port;

use super::programs::{files, prometheus, script, skipped_where_missing};
use super::rules;
use crate::command::{self, Group};
use crate::infra::check::{Outcome, florin_program, output};
use crate::infra::kubernetes::{Scratch, probe};
use crate::problem::Problem;

pub(super) fn run() -> Result<Outcome, Problem> {
    skipped_where_missing(show())
}

fn show() -> Result<String, Problem> {
    let prometheus = prometheus("prometheus")?;
    let florin = florin_program()?;
    let scratch = Scratch::make()?;
    let (port, watch) = (free_port(), free_port());
    let mut serve = Command::new(&florin);
    serve.arg("serve").env_clear().current_dir(scratch.path());
    serve.env("FLORIN_LISTEN", format!("127.0.0.1:{port}"));
    let mut suite = start(&mut serve, &scratch, "florin")?;
    probe::answers(port, "/readyz", 200, || suite.is_running())?;

    std::fs::copy(rules::path(), scratch.path().join("rules.yml"))?;
    let configuration = format!(
        "global: {{ scrape_interval: 1s, evaluation_interval: 1s }}\n\
         rule_files: [rules.yml]\n\
         scrape_configs: [{{ job_name: florin, static_configs: [{{ targets: [\"127.0.0.1:{port}\"] }}] }}]\n"
    );
    let configuration = scratch.write("prometheus.yml", &configuration)?;
    let mut watching = Command::new(prometheus);
    watching.arg(format!("--config.file={}", configuration.display()));
    watching.arg(format!("--storage.tsdb.path={}", scratch.path().join("series").display()));
    watching.arg("--enable-feature=exemplar-storage");
    watching.arg(format!("--web.listen-address=127.0.0.1:{watch}"));
    let mut watcher = start(&mut watching, &scratch, "prometheus")?;
    probe::answers(watch, "/-/ready", 200, || watcher.is_running())?;

    // Nobody's token is refused on a good morning.
    probe::answers(port, "/v1/payments", 401, || suite.is_running())?;
    let mut morning = Command::new(&florin);
    // A rate needs two readings with something between them, so it goes on while the panels are asked.
    morning.args([
        "demo",
        "--url",
        &format!("http://127.0.0.1:{port}"),
        "--payments",
        "100000",
        "--concurrency",
        "2",
    ]);
    let _going_on = start(morning.env_clear().current_dir(scratch.path()), &scratch, "demo")?;
    let mut panels = script("panels.py")?;
    output(panels.arg(format!("http://127.0.0.1:{watch}")).args(files("grafana", "json")?))
}

fn start(program: &mut Command, scratch: &Scratch, name: &str) -> Result<Group, Problem> {
    let log = File::create(scratch.path().join(format!("{name}.log")))?;
    command::start(program.stdout(log.try_clone()?).stderr(log))
}
