//! One service of two in one release of Helm, by the script that the pipeline runs, with the real helm, kubectl and chart. The
//! API behind them is a stand-in without pods: what an admission refuses, or how long a pod takes, it does not tell.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use florin_servers::{find_program, free_port};

use super::on_knative::same;
use super::{lint, skipped_where_missing, text};
use crate::bring::workspace;
use crate::command::{self, Group};
use crate::infra::check::{Outcome, infra, output};
use crate::infra::kubernetes::{Programs, Scratch, probe};
use crate::problem::Problem;
use crate::tools;

/// The stand-in.
const API: &str = include_str!("kubernetes.py");

/// Payments has the common image, and no tag: the version of the chart is its tag. Audit has an image of its own.
const VALUES: &str = "\
database: { existingSecret: florin-database }
queue: { existingSecret: florin-queue }
identity: { issuer: https://login.example }
card: { url: https://provider.example }
publicUrl: https://pay.example
image: { repository: registry.example/florin }
services: { audit: { image: { repository: registry.example/audit, tag: '1' } } }
";

/// Of each Deployment: its component, image, and how often it was changed.
const SHOWN: &str = r#"{range .items[*]}{.metadata.labels.app\.kubernetes\.io/component} {.spec.template.spec.containers[0].image} {.metadata.generation}{"\n"}{end}"#;

/// What the script says before the command that frees a release.
const FREE: &str = "free it: ";

/// How long another program may take until something is seen; a loaded machine takes its time.
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) fn run() -> Result<Outcome, Problem> {
    skipped_where_missing(release())
}

fn release() -> Result<String, Problem> {
    // Each with a release of its own, and at once: helm waits most of the time.
    at_once([
        a_rollback_takes_back_one_service,
        what_failed_is_taken_back,
        two_at_once_take_turns,
        a_change_that_stays_pending_is_told,
    ])?;
    Ok("canary, promotion and rollback of 1 service of 2, at once and after failures".to_owned())
}

fn a_rollback_takes_back_one_service() -> Result<(), Problem> {
    let site = Site::open()?;
    site.runs("0", "1")?;
    let ran = site.image("payments")?;
    says(&site.released("payments", "2")?, "all pods have the new image, and all requests")?;
    let (repository, tag) = ran.split_once(':').unwrap_or_default();
    let remembered = format!(r#"{{"repository":"{repository}","tag":"{tag}","digest":""}}"#);
    same("what is gone back to", &site.before("payments")?, &remembered)?;
    site.released("audit", "2")?;
    // A person changes the common image: nobody runs it now, and payments goes back to what it ran.
    site.by_hand(&["--set", "image.tag=v9", "--set", "image.repository=registry.example/new"])?;
    site.runs("2", "2")?;
    let neighbour = site.deployments("audit")?;
    let jobs = site.jobs()?;
    site.script("payments", "rollback", "")?;
    site.runs("0", "2")?;
    same("audit", &site.deployments("audit")?, &neighbour)?;
    same("the migrations", &site.jobs()?, &jobs)?;
    same("the image", &site.image("payments")?, &ran)?;

    // What ran before 3 is 0, and not 2, which was taken back.
    site.released("payments", "3")?;
    site.script("payments", "promote", "3")?;
    site.script("payments", "rollback", "")?;
    site.runs("0", "2")?;
    // A digest is gone back to as well as a tag, and a rollback twice is one.
    site.released("payments", "4")?;
    site.released("payments", "5")?;
    site.script("payments", "rollback", "")?;
    site.script("payments", "rollback", "")?;
    site.runs("4", "2")
}

fn what_failed_is_taken_back() -> Result<(), Problem> {
    let site = Site::open()?;
    site.released("audit", "2")?;
    site.fails("payments", "broken")?;
    // Its pods are there: the old ones go when the new ones are ready.
    site.runs("b", "2")?;
    same("the release", &site.state()?, "failed")?;
    site.script("payments", "rollback", "")?;
    site.runs("0", "2")?;
    same("the release", &site.state()?, "deployed")?;

    // A neighbour that is released before the rollback does not take over what failed, and is not taken back.
    site.fails("payments", "broken")?;
    site.released("audit", "3")?;
    site.script("payments", "rollback", "")?;
    site.runs("0", "3")?;
    // What is remembered after a failure that nobody took back is what ran before it.
    site.fails("payments", "broken")?;
    site.released("payments", "4")?;
    site.script("payments", "rollback", "")?;
    site.runs("0", "3")
}

fn two_at_once_take_turns() -> Result<(), Problem> {
    let site = Site::open()?;
    at_once(["payments", "audit"].map(|service| || site.released(service, "2").map(drop)))?;
    site.runs("2", "2")?;
    // A person is quicker: the revision is there already, but only once.
    site.scratch.write("taken", "")?;
    says(&site.released("audit", "3")?, "waiting for another change of florin")?;
    site.runs("2", "3")?;

    // A person's change is waited for, and neither undoes the other.
    let person = site.pending()?;
    let log = site.scratch.path().join("log of payments");
    let waiting = File::create(&log)?;
    let mut canary = site.command("payments", "canary", "4", "60")?;
    let canary = command::start(canary.stdout(waiting.try_clone()?).stderr(waiting))?;
    until("the canary waits", || Ok(fs::read_to_string(&log)?.contains("is in progress")))?;
    fs::remove_file(site.scratch.path().join("slow"))?;
    if !(person.wait()? && canary.wait()?) {
        return Err(Problem::Failed(format!("one of both failed:\n{}", fs::read_to_string(log)?)));
    }
    same("the replicas", &site.web("audit", "{.spec.replicas}")?, "7")?;
    site.runs("4", "3")
}

fn a_change_that_stays_pending_is_told() -> Result<(), Problem> {
    let site = Site::open()?;
    site.script("payments", "remember", "")?;
    // Whoever made it is killed, and the revision stays pending.
    drop(site.pending()?);
    site.frees("payments", "helm rollback florin 1 --namespace florin")?;
    site.runs("0", "1")?;
    // So is a runner that held the lock.
    let lock = r#"{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "florin-lock"}}"#;
    let lock = site.scratch.write("lock.json", lock)?;
    output(site.program("kubectl")?.args(["--namespace", "florin", "create", "--filename"]).arg(lock))?;
    site.frees("payments", "kubectl --namespace florin delete configmap florin-lock")?;
    site.released("payments", "2")?;
    site.runs("2", "1")
}

/// A stand-in with the chart installed, and a directory that it reads.
struct Site {
    scratch: Scratch,
    programs: PathBuf,
    _api: Group,
}

impl Site {
    fn open() -> Result<Self, Problem> {
        find_program(&["jq"]).ok_or_else(|| Problem::Missing("jq is not installed".to_owned()))?;
        let programs = Programs::bring()?.helm.with_file_name("");
        let scratch = Scratch::make()?;
        scratch.write("values.yaml", VALUES)?;
        let port = free_port();
        let cluster = format!("{{name: here, cluster: {{server: 'http://127.0.0.1:{port}'}}}}");
        let context = "{name: here, context: {cluster: here, user: here}}";
        scratch.write(
            "kubeconfig",
            &format!("current-context: here\nclusters: [{cluster}]\ncontexts: [{context}]\n"),
        )?;
        let mut api = Command::new(tools::python()?);
        let log = File::create(scratch.path().join("log of the API"))?;
        api.arg(scratch.write("kubernetes.py", API)?).arg(port.to_string()).current_dir(scratch.path());
        let mut api = command::start(api.stdout(log.try_clone()?).stderr(log))?;
        probe::answers(port, "/version", 200, || api.is_running())?;
        let site = Self { scratch, programs, _api: api };
        let mut install = site.program("helm")?;
        install.args(["install", "florin"]).arg(infra().join("helm/florin"));
        output(install.args([
            "--namespace",
            "florin",
            "--wait",
            "--timeout",
            "60s",
            "--values",
            "values.yaml",
        ]))?;
        Ok(site)
    }

    /// A program in the directory, which knows the stand-in and nothing of who runs this.
    fn program(&self, name: &str) -> Result<Command, Problem> {
        let mut program = Command::new(name);
        let here = self.scratch.path();
        program.current_dir(here).env("PATH", lint::search_path(&[&self.programs])?);
        program.env("HOME", here).env("KUBECONFIG", here.join("kubeconfig"));
        for theirs in ["HELM_DRIVER", "HELM_KUBECONTEXT", "HELM_KUBEAPISERVER", "HELM_NAMESPACE"] {
            program.env_remove(theirs);
        }
        Ok(program)
    }

    /// The script of the pipeline, with an image that is called by a digit, or by a word.
    fn command(&self, service: &str, verb: &str, image: &str, wait: &str) -> Result<Command, Problem> {
        let mut script = self.program(&text::github().join("deploy/helm").display().to_string())?;
        script.arg(verb).current_dir(workspace()).env("SERVICE", service).env("FLORIN_WAIT_SECONDS", wait);
        script.env("FLORIN_NAME", "florin").env("FLORIN_NAMESPACE", "florin").env("FLORIN_CLUSTER", "");
        let digit = image.get(..1).unwrap_or_default();
        script.env("IMAGE", format!("registry.example/{service}-{image}"));
        script.env("DIGEST", format!("sha256:{}", digit.repeat(64)));
        Ok(script)
    }

    fn script(&self, service: &str, verb: &str, image: &str) -> Result<String, Problem> {
        output(&mut self.command(service, verb, image, "60")?)
    }

    /// Remembers, and gives the service a new image.
    fn released(&self, service: &str, image: &str) -> Result<String, Problem> {
        self.script(service, "remember", image)?;
        self.script(service, "canary", image)
    }

    /// Whether a release fails because its pods do not become ready.
    fn fails(&self, service: &str, image: &str) -> Result<(), Problem> {
        match self.released(service, image) {
            Err(Problem::Failed(said)) => says(&said, "Progress deadline exceeded"),
            other => Err(Problem::Failed(format!("{image} is taken: {other:?}"))),
        }
    }

    /// Whether the script does not wait for ever, and the command that it names frees the release for a rollback.
    fn frees(&self, service: &str, command: &str) -> Result<(), Problem> {
        match output(&mut self.command(service, "rollback", "", "1")?) {
            Err(Problem::Failed(said)) => {
                let named = said.lines().find_map(|line| line.split_once(FREE));
                same("the command", named.map_or(&*said, |(_, command)| command), command)?;
            }
            other => return Err(Problem::Failed(format!("what is pending is not told: {other:?}"))),
        }
        output(self.program("sh")?.args(["-c", command]))?;
        self.script(service, "rollback", "").map(drop)
    }

    /// What a person does, beside the pipelines.
    fn upgrade(&self, values: &[&str]) -> Result<Command, Problem> {
        let mut upgrade = self.program("helm")?;
        upgrade.args(["upgrade", "florin"]).arg(infra().join("helm/florin"));
        upgrade.args(["--namespace", "florin", "--reset-then-reuse-values", "--wait"]).args(values);
        Ok(upgrade)
    }

    fn by_hand(&self, values: &[&str]) -> Result<(), Problem> {
        output(&mut self.upgrade(values)?).map(drop)
    }

    /// A person's change that is under way until the file `slow` is gone.
    fn pending(&self) -> Result<Group, Problem> {
        self.scratch.write("slow", "")?;
        let values = "services.audit.image.repository=registry.example/slow,services.audit.web.replicas=7";
        let mut upgrade = self.upgrade(&["--set", values])?;
        let group = command::start(upgrade.stdout(Stdio::null()).stderr(Stdio::null()))?;
        until("a change is pending", || Ok(self.state()? == "pending-upgrade"))?;
        Ok(group)
    }

    /// The status of the last revision.
    fn state(&self) -> Result<String, Problem> {
        let status = output(self.program("helm")?.args(["status", "florin", "--namespace", "florin"]))?;
        let line = status.lines().find_map(|line| line.strip_prefix("STATUS: "));
        Ok(line.unwrap_or(&status).to_owned())
    }

    /// The Deployments of a service.
    fn deployments(&self, service: &str) -> Result<String, Problem> {
        let shown = self.get(&["deployments", "--output", &format!("jsonpath={SHOWN}")])?;
        let own = shown.lines().filter(|line| line.split([' ', '-']).next() == Some(service));
        Ok(own.collect::<Vec<_>>().join("\n"))
    }

    /// A field of what answers requests.
    fn web(&self, service: &str, field: &str) -> Result<String, Problem> {
        self.get(&["deployment", &format!("florin-{service}"), "--output", &format!("jsonpath={field}")])
    }

    fn image(&self, service: &str) -> Result<String, Problem> {
        self.web(service, "{.spec.template.spec.containers[0].image}")
    }

    /// What is remembered of a service.
    fn before(&self, service: &str) -> Result<String, Problem> {
        let name = format!("florin-{service}-before");
        self.get(&["configmap", &name, "--output", "jsonpath={.data.image}"])
    }

    /// Whether all Deployments of both services run these images, called by the last letter.
    fn runs(&self, payments: &str, audit: &str) -> Result<(), Problem> {
        for (service, wanted) in [("payments", payments), ("audit", audit)] {
            let shown = self.deployments(service)?;
            let images = shown.lines().filter_map(|line| line.split(' ').nth(1));
            let mut letters: Vec<&str> = images.map(|image| &image[image.len() - 1..]).collect();
            letters.dedup();
            same(service, &letters.concat(), wanted)?;
        }
        Ok(())
    }

    /// The Jobs that were made so far.
    fn jobs(&self) -> Result<String, Problem> {
        Ok(fs::read_to_string(self.scratch.path().join("jobs"))?)
    }

    fn get(&self, words: &[&str]) -> Result<String, Problem> {
        output(self.program("kubectl")?.args(["--namespace", "florin", "get"]).args(words))
    }
}

/// Does all of it at the same time.
fn at_once<const N: usize>(tasks: [impl FnOnce() -> Result<(), Problem> + Send; N]) -> Result<(), Problem> {
    std::thread::scope(|scope| {
        let tasks = tasks.map(|task| scope.spawn(task));
        let panicked = |_| Err(Problem::Failed("a thread panicked".to_owned()));
        tasks.into_iter().try_for_each(|task| task.join().unwrap_or_else(panicked))
    })
}

fn says(said: &str, wanted: &str) -> Result<(), Problem> {
    if said.contains(wanted) {
        return Ok(());
    }
    Err(Problem::Failed(format!("nobody says \"{wanted}\":\n{said}")))
}

pub(super) fn until(what: &str, mut seen: impl FnMut() -> Result<bool, Problem>) -> Result<(), Problem> {
    let began = Instant::now();
    while !seen()? {
        if florin_servers::interrupted() {
            return Err(Problem::Interrupted);
        }
        if began.elapsed() > PATIENCE {
            return Err(Problem::Failed(format!("not seen in {} s: {what}", PATIENCE.as_secs())));
        }
        #[expect(clippy::disallowed_methods, reason = "what another program does has no event to wait for")]
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}
