//! The runtime contract (knative/specs, specs/serving/runtime-contract.md), as far as a process must know it.

use std::time::Duration;

/// Knative sends requests to a process after it has sent SIGTERM: it keeps serving for so long.
pub const LINGER: Duration = Duration::from_secs(5);

/// The address to serve on, when Knative runs this process: `K_SERVICE` is set, and `PORT` names the one port.
///
/// The processor may be withdrawn between requests, so such a process polls no queue and runs no schedule.
pub fn address(k_service: Option<&str>, port: Option<&str>) -> Option<String> {
    let port: u16 = k_service.and(port)?.parse().ok()?;
    Some(format!("0.0.0.0:{port}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_process_that_knative_runs_listens_on_its_port() {
        assert_eq!(address(Some("payments"), Some("8080")).as_deref(), Some("0.0.0.0:8080"));
        assert_eq!(address(None, Some("8080")), None);
        assert_eq!(address(Some("payments"), None), None);
        assert_eq!(address(Some("payments"), Some("eighty")), None);
    }
}
