//! How often a job runs, in the words of the schedulers.

use std::time::Duration;

use crate::deployment::HostError;

/// As cron says it (five fields, UTC), at whole multiples of the period, where the job's slots begin.
///
/// # Errors
/// Cron cannot say it: a period that is no whole part of an hour or of a day in minutes.
pub(super) fn cron(job: &str, every: Duration) -> Result<String, HostError> {
    let minutes = minutes(job, every)?;
    match minutes {
        1 => Ok("* * * * *".to_owned()),
        2..60 if 60 % minutes == 0 => Ok(format!("*/{minutes} * * * *")),
        60 => Ok("0 * * * *".to_owned()),
        1440 => Ok("0 0 * * *".to_owned()),
        _ if minutes % 60 == 0 && 1440 % minutes == 0 => Ok(format!("0 */{} * * *", minutes / 60)),
        _ => Err(HostError(format!("{job}: cron has no words for every {minutes} minutes"))),
    }
}

/// As EventBridge Scheduler says it.
///
/// # Errors
/// It knows whole minutes only.
pub(super) fn rate(job: &str, every: Duration) -> Result<String, HostError> {
    let minutes = minutes(job, every)?;
    Ok(format!("rate({minutes} minute{})", if minutes == 1 { "" } else { "s" }))
}

fn minutes(job: &str, every: Duration) -> Result<u64, HostError> {
    let seconds = every.as_secs();
    if seconds == 0 || !seconds.is_multiple_of(60) || every.subsec_nanos() != 0 {
        return Err(HostError(format!(
            "{job}: schedulers know whole minutes only, and it runs every {every:?}"
        )));
    }
    Ok(seconds / 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_is_said_in_the_words_of_each_scheduler() {
        for (seconds, in_cron, in_aws) in [
            (60, "* * * * *", "rate(1 minute)"),
            (900, "*/15 * * * *", "rate(15 minutes)"),
            (3_600, "0 * * * *", "rate(60 minutes)"),
            (21_600, "0 */6 * * *", "rate(360 minutes)"),
            (86_400, "0 0 * * *", "rate(1440 minutes)"),
        ] {
            let every = Duration::from_secs(seconds);
            assert_eq!(cron("a.b", every).unwrap(), in_cron);
            assert_eq!(rate("a.b", every).unwrap(), in_aws);
        }
    }

    #[test]
    fn a_period_without_words_is_an_error_that_names_the_job() {
        for seconds in [0, 30, 7 * 60, 90 * 60] {
            let error = cron("a.b", Duration::from_secs(seconds)).unwrap_err().to_string();
            assert!(error.contains("a.b"), "{error}");
        }
    }
}
