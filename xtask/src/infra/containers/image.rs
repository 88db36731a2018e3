//! The image: the binary built as the Dockerfile builds it, and its last stage by buildah, which needs no daemon.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use florin_servers::{find_program, free_port};

use crate::bring::workspace;
use crate::command;
use crate::infra::check::{Outcome, infra, output};
use crate::infra::kubernetes::{Scratch, probe};
use crate::problem::Problem;

/// The most that an image may hold, in bytes: its binary, and certificates of a fifth of a megabyte.
const MOST_BYTES: u64 = 30_000_000;

/// The public authorities that TLS trusts; without them no client can be built.
const CERTIFICATES: &str = "/etc/ssl/certs/ca-certificates.crt";

/// What `SERVICES` may say.
const SERVICES: &[&str] = &["payments,audit", "payments", "audit"];

pub(super) fn run() -> Result<Outcome, Problem> {
    let Some(buildah) = find_program(&["buildah"]) else {
        return Ok(Outcome::Skipped("no builder of images is installed (Debian: buildah, crun)".to_owned()));
    };
    if !Path::new(CERTIFICATES).is_file() {
        return Ok(Outcome::Skipped(format!("no {CERTIFICATES} (Debian: ca-certificates)")));
    }
    let scratch = Scratch::make()?;
    let mut said = Vec::new();
    for services in SERVICES {
        let binary = build(services)?;
        let bytes = fs::metadata(&binary)?.len();
        let megabytes = bytes as f64 / 1e6;
        if bytes > MOST_BYTES {
            return Err(Problem::Failed(format!("{services}: {megabytes:.1} MB are too many")));
        }
        is_static(&binary)?;
        serves(&buildah, &scratch, &binary)?;
        said.push(format!("{services}: {megabytes:.1} MB"));
    }
    Ok(Outcome::Passed(said.join(", ")))
}

/// As the Dockerfile's first stage does, with the dependencies that this machine has built already.
fn build(services: &str) -> Result<PathBuf, Problem> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(workspace()).args(["rustc", "--locked", "--quiet", "--release"]);
    cargo.args(["--package", "florin-host", "--bin", "florin", "--no-default-features"]);
    cargo.args([
        "--features",
        &format!("{services},rabbitmq,otlp"),
        "--",
        "-C",
        "target-feature=+crt-static",
    ]);
    command::run(&mut cargo)?;
    let target = florin_servers::target_directory().unwrap_or_else(|| workspace().join("target"));
    Ok(target.join("release/florin"))
}

/// Whether the program needs nothing of the system it runs on.
fn is_static(binary: &Path) -> Result<(), Problem> {
    let headers = output(Command::new("readelf").args(["--wide", "--program-headers"]).arg(binary))?;
    if headers.contains("INTERP") {
        return Err(Problem::Failed(format!("{} is not static", binary.display())));
    }
    Ok(())
}

/// Builds the image, looks at what it says of itself, and runs it as the user it names.
fn serves(buildah: &Path, scratch: &Scratch, binary: &Path) -> Result<(), Problem> {
    let context = scratch.path().join("context");
    fs::create_dir_all(context.join("empty"))?;
    fs::create_dir_all(context.join("image/etc/ssl/certs"))?;
    fs::copy(binary, context.join("image/florin"))?;
    fs::copy(CERTIFICATES, context.join("image").join(CERTIFICATES.trim_start_matches('/')))?;
    // No base image can be pulled where no registry is reached, so the stage that needs one is left out.
    let file = fs::read_to_string(infra().join("containers/Dockerfile"))?;
    let last = file.find("FROM scratch").map(|at| file[at..].replace("--from=build ", ""));
    let last = last.ok_or_else(|| Problem::Failed("the Dockerfile has no stage from scratch".to_owned()))?;
    fs::write(context.join("Dockerfile"), last)?;

    let storage = Storage { buildah, root: scratch.path().join("storage") };
    storage.run(&["build", "--isolation", "chroot", "--tag", "florin", &context.display().to_string()])?;
    let user =
        storage.run(&["inspect", "--type", "image", "--format", "{{.OCIv1.Config.User}}", "florin"])?;
    if user.trim() != "65532:65532" {
        return Err(Problem::Failed(format!("the image runs as {}", user.trim())));
    }
    let container = storage.run(&["from", "florin"])?.trim().to_owned();
    let port = free_port();
    let listen = format!("FLORIN_LISTEN=127.0.0.1:{port}");
    let mut run =
        storage.command(&["run", "--isolation", "chroot", "--env", &listen, &container, "/florin", "serve"]);
    let log = scratch.path().join("image.log");
    let output = fs::File::create(&log)?;
    let mut group = command::start(run.stdout(output.try_clone()?).stderr(output))?;
    let answered = probe::answers(port, "/readyz", 200, || group.is_running());
    drop(group);
    storage.run(&["rm", &container])?;
    answered.map_err(|problem| {
        Problem::Failed(format!("{problem}\n{}", fs::read_to_string(&log).unwrap_or_default()))
    })
}

/// A store of images of the check's own.
struct Storage<'a> {
    buildah: &'a Path,
    root: PathBuf,
}

impl Storage<'_> {
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.buildah);
        command.args(["--storage-driver", "vfs", "--root"]).arg(self.root.join("root"));
        command.arg("--runroot").arg(self.root.join("run")).args(arguments);
        command
    }

    fn run(&self, arguments: &[&str]) -> Result<String, Problem> {
        output(&mut self.command(arguments))
    }
}
