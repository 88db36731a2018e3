//! A schedule for each job, whose input is the job's explicit tick.

use florin_kernel::catalog::By;
use serde_json::{Value, json};

use super::functions::serving;
use crate::aws::Aws;
use crate::{NAME, entries};

#[tokio::test]
async fn each_job_is_ticked_by_name_as_often_as_the_code_says() {
    let aws = Aws::here();
    let list = aws.get("scheduler", &format!("/schedules?ScheduleGroup={NAME}")).await;
    let mut there: Vec<_> =
        list["Schedules"].as_array().expect("a list").iter().map(|one| one["Name"].clone()).collect();
    let mut jobs = Vec::new();
    for entry in entries() {
        let By::Schedule(every) = entry.by else { continue };
        let schedule = aws.get("scheduler", &format!("/schedules/{}?groupName={NAME}", entry.name)).await;
        let minutes = every.as_secs() / 60;
        let rate = format!("rate({minutes} minute{})", if minutes == 1 { "" } else { "s" });
        assert_eq!(schedule["ScheduleExpression"], rate, "{}", entry.name);
        assert_eq!(schedule["State"], "ENABLED", "{}", entry.name);
        let input = schedule["Target"]["Input"].as_str().expect("an input");
        let input: Value = serde_json::from_str(input).expect("JSON");
        assert_eq!(input, json!({ "florin": { "job": entry.name } }));
        let lambda = serving(&aws, &entry.name).await;
        let alias = format!("{}:live", lambda["FunctionName"].as_str().expect("a name"));
        assert!(schedule["Target"]["Arn"].as_str().is_some_and(|arn| arn.ends_with(&alias)), "{schedule}");
        jobs.push(Value::from(entry.name));
    }
    there.sort_by_key(Value::to_string);
    jobs.sort_by_key(Value::to_string);
    assert_eq!(there, jobs);
}
