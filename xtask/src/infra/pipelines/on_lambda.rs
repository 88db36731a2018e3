//! One service released to an emulator of AWS by the script that the pipeline runs: migrated, shared, watched, promoted, taken
//! back, and its neighbour never touched.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use florin_servers::AwsServer;

use super::on_knative::same;
use super::{lint, programs, skipped_where_missing, text};
use crate::infra::check::{Outcome, output};
use crate::infra::kubernetes::Scratch;
use crate::problem::Problem;
use crate::{command, tools};

/// The service's own function, one of its functions that has one of its own, and another service's.
const FUNCTIONS: &[&str] = &["florin-payments", "florin-payments-expire_authorizations", "florin-audit"];

/// What stands in the place of Docker: it writes down what it is asked to run, and with which database.
const DOCKER: &str = "#!/bin/sh\necho \"$FLORIN_DATABASE_URL $*\" > docker.log\n";

/// What stands before the client: the emulator runs no code, so whether a version answers stands in the file closed, and where a
/// package is downloaded from is made up.
const AWS: &str = r#"#!/bin/sh
case "$1 $2" in
  "lambda invoke")
    echo "$4 $6" >> invoked
    cp "${8#fileb://}" question
    if grep --quiet --line-regexp --fixed-strings "$4 $6" closed; then status=503; else status=200; fi
    echo "{\"statusCode\": $status}" > "$9"
    ;;
  "lambda get-function") echo "https://packages.example/$4/$6" ;;
  *) exec REAL "$@" ;;
esac
"#;

/// What stands in the place of curl: the package that ran first is the only one that is asked for.
const CURL: &str = "#!/bin/sh\necho \"$6\" >> downloads\ncp one.zip \"$5\"\n";

/// A package whose program says its second argument.
const PACKAGE: &str = "import sys, zipfile\n\
    with zipfile.ZipFile(sys.argv[1], 'w') as package:\n\
    \x20   package.writestr('bootstrap', '#!/bin/sh\\necho ' + sys.argv[2] + '\\n')\n";

pub(super) fn run() -> Result<Outcome, Problem> {
    skipped_where_missing(release())
}

fn release() -> Result<String, Problem> {
    let site = Site::open()?;
    site.make()?;

    site.script("migrate", &[])?;
    let asked = fs::read_to_string(site.scratch.path().join("docker.log"))?;
    let wanted = "postgres://owner:a%2Fb%40c@db.example/florin?sslmode=require run --rm --env FLORIN_DATABASE_URL \
                  registry.example/florin-payments@sha256:0 migrate";
    same("the migration", asked.trim(), wanted)?;

    site.script("remember", &[])?;
    site.script("canary", &[("ZIP", "two.zip")])?;
    site.lives(["1, 2 gets 0.1", "1, 2 gets 0.1", "1"])?;
    site.script("watch", &[])?;
    site.alarm("florin-audit-errors", "ALARM")?;
    site.script("watch", &[])?;
    for alarm in ["florin-api-5xx", "florin-payments-errors"] {
        site.alarm(alarm, "ALARM")?;
        match site.script("watch", &[]) {
            Err(Problem::Failed(said)) if said.contains(&format!("an alarm tells: {alarm}")) => {}
            other => return Err(Problem::Failed(format!("the alarm is not told: {other:?}"))),
        }
        site.alarm(alarm, "OK")?;
    }
    site.script("watch", &[])?;
    site.alarm("florin-payments-errors", "ALARM")?;
    // The same alarm, seen from a canary that begins long after it: it was there before.
    site.script("watch", &[("CANARY_BEGAN", "9999999999")])?;
    site.script("rollback", &[])?;
    site.lives(["1", "1", "1"])?;

    // One that does not start gets no share, and neither does another function's of the same package.
    site.scratch.write("closed", "florin-payments-expire_authorizations 3")?;
    site.script("remember", &[])?;
    match site.script("canary", &[("ZIP", "three.zip")]) {
        Err(Problem::Failed(said)) if said.contains("version 3 is not ready") => {}
        other => return Err(Problem::Failed(format!("a version that answers 503 is taken: {other:?}"))),
    }
    site.lives(["1", "1", "1"])?;
    site.script("rollback", &[])?;

    site.scratch.write("closed", "")?;
    site.script("remember", &[])?;
    site.script("canary", &[("ZIP", "four.zip")])?;
    if site.script("refresh", &[]).is_ok() {
        return Err(Problem::Failed("a canary is started anew, for all calls".to_owned()));
    }
    site.script("promote", &[])?;
    site.lives(["4", "4", "1"])?;
    // What ran before is 1, and not 2 or 3, which were taken back.
    site.script("rollback", &[])?;
    site.lives(["1", "1", "1"])?;

    // A secret changed: what runs is published once more, and not the newest code.
    site.script("refresh", &[])?;
    site.lives(["5", "5", "1"])?;
    let downloads = fs::read_to_string(site.scratch.path().join("downloads"))?;
    let wanted = FUNCTIONS[..2].iter().map(|name| format!("https://packages.example/{name}/1\n"));
    same("the packages", &downloads, &wanted.collect::<String>())?;
    for version in ["1", "5"] {
        same("the code", &site.code("florin-payments", version)?, &site.code("florin-audit", "1")?)?;
    }
    site.script("refresh", &[])?;
    site.lives(["6", "6", "1"])?;
    site.script("rollback", &[])?;
    site.lives(["1", "1", "1"])?;
    Ok("canary, watch, promote, rollback and refresh of 2 functions of 3".to_owned())
}

/// An emulator, and a directory with packages and the stand-in of Docker.
struct Site {
    aws: AwsServer,
    programs: PathBuf,
    scratch: Scratch,
}

impl Site {
    fn open() -> Result<Self, Problem> {
        let programs = programs::aws()?;
        let python = tools::python()?;
        let scratch = Scratch::make()?;
        for package in ["one", "two", "three", "four"] {
            let zip = scratch.path().join(format!("{package}.zip"));
            command::run(Command::new(&python).args(["-c", PACKAGE]).arg(zip).arg(package))?;
        }
        let aws = AWS.replace("REAL", &programs.join("aws").display().to_string());
        for (name, stand_in) in [("docker", DOCKER), ("aws", &aws), ("curl", CURL)] {
            fs::set_permissions(scratch.write(name, stand_in)?, fs::Permissions::from_mode(0o755))?;
        }
        scratch.write("closed", "")?;
        Ok(Self { aws: AwsServer::queues(&python)?, programs, scratch })
    }

    /// What Terraform makes, as far as a release sees it.
    fn make(&self) -> Result<(), Problem> {
        let trust = r#"{"Version": "2012-10-17", "Statement": []}"#;
        let role = self.aws(&[
            "iam",
            "create-role",
            "--role-name",
            "florin",
            "--assume-role-policy-document",
            trust,
            "--query",
            "Role.Arn",
        ])?;
        for name in FUNCTIONS {
            let made = "lambda create-function --runtime provided.al2023 --handler bootstrap --zip-file fileb://one.zip --publish";
            self.aws(&[words(made), vec!["--function-name", name, "--role", role.trim()]].concat())?;
            let alias = "lambda create-alias --name live --function-version 1";
            self.aws(&[words(alias), vec!["--function-name", name]].concat())?;
        }
        for name in ["florin-payments-errors", "florin-audit-errors", "florin-api-5xx"] {
            let alarm = "cloudwatch put-metric-alarm --namespace AWS/Lambda --metric-name Errors --statistic Sum --period 60 \
                         --evaluation-periods 5 --threshold 0 --comparison-operator GreaterThanThreshold";
            self.aws(&[words(alarm), vec!["--alarm-name", name]].concat())?;
        }
        let owner = r#"{"username": "owner", "password": "a/b@c"}"#;
        self.aws(&["secretsmanager", "create-secret", "--name", "owner", "--secret-string", owner])?;
        Ok(())
    }

    fn alarm(&self, name: &str, state: &str) -> Result<(), Problem> {
        let tells = "cloudwatch set-alarm-state --state-reason test";
        self.aws(&[words(tells), vec!["--alarm-name", name, "--state-value", state]].concat()).map(drop)
    }

    /// The digest of a version's package.
    fn code(&self, name: &str, version: &str) -> Result<String, Problem> {
        let asked = "lambda get-function-configuration --query CodeSha256";
        self.aws(&[words(asked), vec!["--function-name", name, "--qualifier", version]].concat())
    }

    /// The versions behind the aliases, in the order of [`FUNCTIONS`].
    fn lives(&self, wanted: [&str; 3]) -> Result<(), Problem> {
        for (name, wanted) in FUNCTIONS.iter().zip(wanted) {
            let query =
                "join(' ', [FunctionVersion, to_string(RoutingConfig.AdditionalVersionWeights || `{}`)])";
            let alias = self.aws(&[
                "lambda",
                "get-alias",
                "--name",
                "live",
                "--function-name",
                name,
                "--query",
                query,
            ])?;
            let alias = alias.trim().replace(" {}", "").replace(" {\"", ", ");
            same(name, &alias.replace("\":", " gets ").replace('}', ""), wanted)?;
        }
        Ok(())
    }

    /// The script of the pipeline, for a canary that began before all that happens here.
    fn script(&self, verb: &str, more: &[(&str, &str)]) -> Result<String, Problem> {
        let mut script = self.command(&text::github().join("deploy/lambda"))?;
        script.arg(verb).env("CANARY_BEGAN", "0").env("CANARY_SECONDS", "0").env("CANARY_PERCENT", "10");
        script.env("SERVICE", "payments").env("FLORIN_NAME", "florin");
        script.env("IMAGE", "registry.example/florin-payments").env("DIGEST", "sha256:0");
        script.env("FLORIN_DATABASE_OWNER_SECRET", "owner").env("FLORIN_DATABASE_ENDPOINT", "db.example");
        output(script.envs(more.iter().copied()))
    }

    fn aws(&self, arguments: &[&str]) -> Result<String, Problem> {
        let mut aws = self.command(&self.programs.join("aws"))?;
        output(aws.args(arguments).args(["--output", "text"]))
    }

    fn command(&self, program: &Path) -> Result<Command, Problem> {
        let mut command = Command::new(program);
        let path = lint::search_path(&[self.scratch.path(), &self.programs])?;
        command.current_dir(self.scratch.path()).env("PATH", path).env("AWS_ENDPOINT_URL", self.aws.url());
        command.env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", "test");
        command.env("AWS_DEFAULT_REGION", "eu-central-1").env("AWS_EC2_METADATA_DISABLED", "true");
        for mine in ["AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"] {
            command.env_remove(mine);
        }
        Ok(command)
    }
}

fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}
