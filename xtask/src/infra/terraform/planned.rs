//! The second root planned by the real provider, around a cluster that an emulator of AWS has.

use florin_servers::AwsServer;

use super::copy::{self, Copy};
use crate::infra::check::Outcome;
use crate::problem::Problem;
use crate::tools;

/// A cluster that exists; it is made on the emulator first.
const CLUSTER: &str = "terraform/emulator/cluster";
const ROOT: &str = "terraform/aws-kubernetes";

/// The check.
pub(super) fn run() -> Result<Outcome, Problem> {
    let Some(mut copy) = Copy::make("planned")? else { return Ok(copy::no_program()) };
    for root in [CLUSTER, ROOT] {
        if let Some(why) = copy.init(root)? {
            return Ok(Outcome::Skipped(why));
        }
    }
    let aws = AwsServer::queues(&tools::python()?)?;
    copy.emulated_by(&aws.url());
    copy.terraform(CLUSTER, &["apply", "-no-color", "-auto-approve"])?;
    let subnets = copy.terraform(CLUSTER, &["output", "-json", "subnet_ids"])?;
    for (name, value) in [
        ("region", "eu-central-1"),
        ("cluster_name", "shop"),
        ("broker_password", "a-password-of-a-test"),
        ("subnet_ids", subnets.trim()),
    ] {
        copy.variable(name, value);
    }
    let plan = copy.terraform(ROOT, &["plan", "-no-color"])?;
    match plan
        .lines()
        .find(|line| line.starts_with("Plan: ") && line.ends_with(" 0 to change, 0 to destroy."))
    {
        Some(line) => Ok(Outcome::Passed(line.to_owned())),
        None => Err(Problem::Failed(format!("no plan to make everything:\n{plan}"))),
    }
}
