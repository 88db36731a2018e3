//! The `OTEL_` variables that decide whether, where and how much is exported.

use crate::config::{Config, ConfigError};

/// What is exported and where to.
pub(super) struct Settings {
    /// Where spans go.
    pub(super) traces: Option<String>,
    /// Where metrics go.
    pub(super) metrics: Option<String>,
    /// Which share of the traces that begin here is sampled.
    pub(super) share: f64,
}

impl Settings {
    /// None unless a collector is named: nobody should find out by its absence that one was looked for.
    pub(super) fn of(config: &Config) -> Result<Option<Self>, ConfigError> {
        if config.otel("SDK_DISABLED").is_some_and(|said| said.eq_ignore_ascii_case("true")) {
            return Ok(None);
        }
        for variable in
            ["EXPORTER_OTLP_PROTOCOL", "EXPORTER_OTLP_TRACES_PROTOCOL", "EXPORTER_OTLP_METRICS_PROTOCOL"]
        {
            if let Some(other) = config.otel(variable).filter(|said| *said != "http/protobuf") {
                return Err(ConfigError::said(format!("OTEL_{variable}: {other} is not http/protobuf")));
            }
        }
        let base = config.get("otlp_endpoint").or_else(|| config.otel("EXPORTER_OTLP_ENDPOINT"));
        let endpoint = |signal: &str, path: &str| {
            if config.otel(&format!("{signal}_EXPORTER")) == Some("none") {
                return None;
            }
            let own = config.otel(&format!("EXPORTER_OTLP_{signal}_ENDPOINT")).map(str::to_owned);
            own.or_else(|| base.map(|base| format!("{}{path}", base.trim_end_matches('/'))))
        };
        let (traces, metrics) = (endpoint("TRACES", "/v1/traces"), endpoint("METRICS", "/v1/metrics"));
        if traces.is_none() && metrics.is_none() {
            return Ok(None);
        }
        Ok(Some(Self { traces, metrics, share: share(config)? }))
    }
}

/// The samplers that honour the caller's flag; no other may break a trace in its middle.
fn share(config: &Config) -> Result<f64, ConfigError> {
    match config.otel("TRACES_SAMPLER") {
        None | Some("parentbased_always_on") => Ok(1.0),
        Some("parentbased_always_off") => Ok(0.0),
        Some("parentbased_traceidratio") => {
            let said = config.otel("TRACES_SAMPLER_ARG").unwrap_or("1");
            let share = said.parse().ok().filter(|share| (0.0..=1.0).contains(share));
            share.ok_or_else(|| {
                ConfigError::said(format!("OTEL_TRACES_SAMPLER_ARG: {said} is not between 0 and 1"))
            })
        }
        Some(other) => Err(ConfigError::said(format!(
            "OTEL_TRACES_SAMPLER: {other} is none of parentbased_always_on, parentbased_always_off and \
             parentbased_traceidratio"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> Result<Option<Settings>, String> {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Settings::of(&Config::of(variables).unwrap()).map_err(|error| error.to_string())
    }

    #[test]
    fn nothing_is_exported_unless_a_collector_is_named() {
        assert!(of(&[]).unwrap().is_none());
        assert!(of(&[("OTEL_SERVICE_NAME", "x")]).unwrap().is_none());
        let named = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318/");
        let both = of(&[named]).unwrap().unwrap();
        assert_eq!(both.traces.as_deref(), Some("http://collector:4318/v1/traces"));
        assert_eq!(both.metrics.as_deref(), Some("http://collector:4318/v1/metrics"));
        let one = of(&[named, ("OTEL_METRICS_EXPORTER", "none")]).unwrap().unwrap();
        assert_eq!((one.traces.is_some(), one.metrics), (true, None));
        assert!(of(&[named, ("OTEL_SDK_DISABLED", "true")]).unwrap().is_none());
    }

    #[test]
    fn a_sampler_that_ignores_the_callers_flag_is_refused() {
        let named = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318");
        assert!(of(&[named, ("OTEL_TRACES_SAMPLER", "always_on")]).err().unwrap().contains("always_on"));
        let ratio = ("OTEL_TRACES_SAMPLER", "parentbased_traceidratio");
        let tenth = of(&[named, ratio, ("OTEL_TRACES_SAMPLER_ARG", "0.1")]).unwrap().unwrap();
        assert!((tenth.share - 0.1).abs() < f64::EPSILON);
        assert!(of(&[named, ratio, ("OTEL_TRACES_SAMPLER_ARG", "2")]).is_err());
        assert!(of(&[named, ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")]).is_err());
    }
}
