//! Configuration: the environment and an optional file, read once; a key nobody knows is an error.

mod values;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use florin_kernel::service::Definition;

use crate::services::SERVICES;
use crate::sqlite;

/// What is wrong with the configuration.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(String);

#[cfg(feature = "otlp")]
impl ConfigError {
    /// What is wrong, in words.
    pub(crate) fn said(what: String) -> Self {
        Self(what)
    }
}

/// Every key with what it is for. In the environment they are upper case behind `FLORIN_`; in the file lower case.
pub const KEYS: &[(&str, &str)] = &[
    ("config", "a TOML file with these keys in lower case; the environment wins"),
    ("listen", "address to listen on, 127.0.0.1:8064"),
    ("data", "directory of the embedded databases and queue, ./florin-data"),
    ("functions", "which functions this process serves: names or prefixes with *, separated by commas"),
    ("workers", "whether this process consumes queues and runs schedules: on or off"),
    ("database_url", "postgres://... for every service; a schema each"),
    ("database_connections", "the most connections of each service's pool, 8"),
    (
        "queue_url",
        "amqp://, amqps://, sqs:// or http(s):// (a CloudEvents sink); K_SINK on Knative, else embedded when not said",
    ),
    (
        "queue_token_file",
        "a CloudEvents sink: a file with the token that it wants, /oidc/token where a Knative SinkBinding mounts it; read for each batch, because it is renewed",
    ),
    (
        "queue_prefix",
        "RabbitMQ: put before the names of exchange and queues, so that deployments share a virtual host",
    ),
    ("public_url", "the address under which browsers reach this front; needed with an issuer and payments"),
    ("issuer", "the issuer of tokens; without it the development key is used, on loopback only"),
    ("audience", "the audience tokens must be for, florin"),
    ("jwks_url", "where the issuer's keys are; found by OpenID discovery when not said"),
    ("jwks", "the issuer's keys themselves: a JSON Web Key Set, or the path of one"),
    ("dev", "1: the development key also works on an address that is not loopback"),
    (
        "card_url",
        "the card provider's base address, or sandbox, which is in this process; needed with an issuer",
    ),
    ("card_credential", "the bearer credential for the card provider"),
    (
        "delivery_secret",
        "opens POST /_deliver/{function} to whoever bears this secret; several are separated by spaces",
    ),
    ("delivery_audience", "opens POST /_deliver/{function} to tokens of the issuer for this audience"),
    (
        "metrics_listen",
        "address of /metrics; on the main one with the embedded queue, else none when not said",
    ),
    ("wait_ms", "how long a caller waits for an effect before 202, 10000"),
    ("delivery_attempts", "how often a delivery is tried before it is a dead letter, 12"),
    ("keep_keys_hours", "how long idempotency keys are kept, 24"),
    ("keep_inbox_days", "how long the inbox remembers a delivery, 35"),
    ("keep_done_days", "how long published events and done effects are kept, 7"),
    ("body_limit_bytes", "the largest request body, 262144"),
    ("arrival_ms", "how long a request's body may take to arrive, 10000"),
    ("concurrency", "the most requests handled at once, 1024"),
    ("drain_linger_ms", "how long to keep serving after SIGTERM, 2000; 0 with the development key"),
    ("base_path", "Lambda: a path that the front puts before ours"),
    ("log", "what is logged, for example info or florin=debug"),
    ("log_format", "text or json (Elastic Common Schema); json when the output is no terminal"),
    (
        "otlp_endpoint",
        "base address of an OpenTelemetry collector for spans and metrics (OTLP over HTTP, port 4318), as OTEL_EXPORTER_OTLP_ENDPOINT",
    ),
    ("otlp_flush_ms", "Lambda: how long an answer waits for the collector at most, 1000"),
    ("token", "the token that `florin demo` uses"),
];

/// What a deployment says.
#[derive(Clone, Debug)]
pub struct Config {
    services: Vec<&'static Definition>,
    values: BTreeMap<String, String>,
    /// The variables that every OpenTelemetry program reads, without their prefix.
    otel: BTreeMap<String, String>,
}

impl Default for Config {
    /// Nothing said, for the services of the build.
    fn default() -> Self {
        Self { services: SERVICES.to_vec(), values: BTreeMap::new(), otel: BTreeMap::new() }
    }
}

impl Config {
    /// Reads the environment of this process and the file it names; `more` services are in this binary beside those
    /// of the build.
    pub fn read(more: &[&'static Definition]) -> Result<Self, ConfigError> {
        #[expect(clippy::disallowed_methods, reason = "the one place where the environment is read")]
        Self::of_with(more, std::env::vars())
    }

    /// Reads these variables and the file they name.
    pub fn of(variables: impl IntoIterator<Item = (String, String)>) -> Result<Self, ConfigError> {
        Self::of_with(&[], variables)
    }

    /// As [`Config::of`], for a binary that has `more` services beside those of the build.
    pub fn of_with(
        more: &[&'static Definition],
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let services = [SERVICES, more].concat();
        let (mut environment, mut otel) = (BTreeMap::new(), BTreeMap::new());
        for (name, value) in variables {
            if let Some(name) = name.strip_prefix("OTEL_") {
                otel.insert(name.to_owned(), value);
                continue;
            }
            let Some(key) = name.strip_prefix("FLORIN_") else { continue };
            if injected(&services, key) {
                continue;
            }
            let key = key.to_ascii_lowercase();
            known(&services, &key).map_err(|near| ConfigError(format!("{name} is not a setting{near}")))?;
            check(&name, &key, &value)?;
            environment.insert(key, value);
        }
        let mut values = match environment.get("config") {
            Some(path) => file(&services, Path::new(path))?,
            None => BTreeMap::new(),
        };
        values.extend(environment);
        Ok(Self { services, values, otel })
    }

    /// Every service of this binary.
    pub fn services(&self) -> &[&'static Definition] {
        &self.services
    }

    /// A variable of OpenTelemetry's by its name without `OTEL_`; an empty one is not set (their specification,
    /// "Environment Variables").
    pub fn otel(&self, name: &str) -> Option<&str> {
        self.otel.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// This configuration with a command's own settings above it.
    #[must_use]
    pub fn with(mut self, key: &str, value: Option<String>) -> Self {
        if let Some(value) = value {
            self.values.insert(key.to_owned(), value);
        }
        self
    }

    /// A setting's text.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.values.get(key).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Every setting that is said.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.values.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// A setting's number.
    pub fn number<N: std::str::FromStr>(&self, key: &str, default: N) -> Result<N, ConfigError> {
        match self.get(key) {
            None => Ok(default),
            Some(text) => text.parse().map_err(|_| {
                ConfigError(format!("FLORIN_{}: {text} is not a number", key.to_ascii_uppercase()))
            }),
        }
    }

    /// A setting of milliseconds.
    pub fn millis(&self, key: &str, default: u64) -> Result<Duration, ConfigError> {
        self.number(key, default).map(Duration::from_millis)
    }

    /// A setting that is on or off.
    pub fn switch(&self, key: &str, default: bool) -> Result<bool, ConfigError> {
        match self.get(key) {
            None => Ok(default),
            Some("1" | "on" | "true") => Ok(true),
            Some("0" | "off" | "false") => Ok(false),
            Some(text) => {
                Err(ConfigError(format!("FLORIN_{}: {text} is not on or off", key.to_ascii_uppercase())))
            }
        }
    }

    /// The data directory.
    pub fn data(&self) -> PathBuf {
        PathBuf::from(self.get("data").unwrap_or("florin-data"))
    }

    /// A service's database: its own, the common one, or a file in the data directory.
    pub fn database_url(&self, service: &str) -> String {
        self.get(&format!("{service}_database_url"))
            .or_else(|| self.get("database_url"))
            .map(str::to_owned)
            .unwrap_or_else(|| sqlite::address(&self.data().join(format!("{service}.db"))))
    }

    /// Whether this service's database is embedded.
    pub fn is_embedded(&self, service: &str) -> bool {
        self.database_url(service).starts_with("sqlite:")
    }

    /// The directory of this service's embedded database; none on a server or in memory.
    pub fn embedded_directory(&self, service: &str) -> Option<PathBuf> {
        let file = sqlite::file(&self.database_url(service))?;
        let directory = file.parent()?;
        Some(if directory.as_os_str().is_empty() { PathBuf::from(".") } else { directory.to_owned() })
    }

    /// Whether the queue is embedded.
    pub fn queue_is_embedded(&self) -> bool {
        self.get("queue_url").is_none()
    }

    /// The functions this process serves.
    pub fn functions(&self) -> Vec<String> {
        let chosen = self.get("functions").unwrap_or("*");
        chosen.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect()
    }
}

fn file(services: &[&Definition], path: &Path) -> Result<BTreeMap<String, String>, ConfigError> {
    let said = |what: String| ConfigError(format!("{}: {what}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| said(error.to_string()))?;
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| said(error.to_string()))?;
    let mut values = BTreeMap::new();
    for (key, value) in table {
        known(services, &key).map_err(|near| said(format!("{key} is not a setting{near}")))?;
        let value = match value {
            toml::Value::String(text) => text,
            toml::Value::Integer(number) => number.to_string(),
            toml::Value::Boolean(yes) => yes.to_string(),
            _ => return Err(said(format!("{key} must be text, a number or true or false"))),
        };
        check(&format!("{}: {key}", path.display()), &key, &value)?;
        values.insert(key, value);
    }
    Ok(values)
}

/// Refuses a value that makes no sense, in the words of whoever said it.
fn check(name: &str, key: &str, value: &str) -> Result<(), ConfigError> {
    match values::wrong(key, value) {
        Some(what) => Err(ConfigError(format!("{name}: {what}"))),
        None => Ok(()),
    }
}

/// What Kubernetes injects for a Service named `florin` or `florin-...`, and what the project's tests use.
fn injected(services: &[&Definition], key: &str) -> bool {
    let of_service = |rest: &str| {
        rest == "SERVICE_HOST"
            || rest.starts_with("SERVICE_PORT")
            || rest == "PORT"
            || rest.starts_with("PORT_")
    };
    key.starts_with("TEST_")
        || of_service(key)
        || services.iter().any(|service| {
            let name = format!("{}_", service.name.to_ascii_uppercase());
            key.strip_prefix(&name).is_some_and(of_service)
        })
}

/// Whether a key is known, else the nearest one that is.
fn known(services: &[&Definition], key: &str) -> Result<(), String> {
    let databases = services.iter().map(|service| format!("{}_database_url", service.name));
    let keys: Vec<String> = KEYS.iter().map(|(key, _)| (*key).to_owned()).chain(databases).collect();
    if keys.iter().any(|known| known == key) {
        return Ok(());
    }
    let near = keys.iter().min_by_key(|known| strsim::damerau_levenshtein(known, key));
    Err(near.map_or_else(String::new, |near| format!("; did you mean FLORIN_{}?", near.to_ascii_uppercase())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
        Config::of(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
    }

    #[test]
    fn an_unknown_key_names_the_nearest_known_one() {
        let error = of(&[("FLORIN_LISTN", "x")]).unwrap_err().to_string();
        assert_eq!(error, "FLORIN_LISTN is not a setting; did you mean FLORIN_LISTEN?");
    }

    #[test]
    fn what_kubernetes_injects_is_ignored() {
        for name in [
            "FLORIN_SERVICE_HOST",
            "FLORIN_PORT",
            "FLORIN_PORT_8064_TCP_ADDR",
            "FLORIN_PAYMENTS_SERVICE_PORT",
            "FLORIN_PAYMENTS_PORT_80_TCP",
        ] {
            assert!(of(&[(name, "tcp://10.0.0.1:80")]).is_ok(), "{name}");
        }
    }

    #[test]
    fn a_service_may_have_a_database_of_its_own() {
        let config =
            of(&[("FLORIN_DATABASE_URL", "postgres://a"), ("FLORIN_AUDIT_DATABASE_URL", "postgres://b")])
                .unwrap();
        assert_eq!(config.database_url("payments"), "postgres://a");
        assert_eq!(config.database_url("audit"), "postgres://b");
    }

    #[test]
    fn what_is_embedded_lies_in_the_data_directory_whatever_that_is_called() {
        for data in ["/srv/100%", "/srv/what?", "/srv/50%20off", "here"] {
            let config = of(&[("FLORIN_DATA", data)]).unwrap();
            assert_eq!(config.embedded_directory("payments"), Some(PathBuf::from(data)));
        }
    }

    #[test]
    fn the_environment_wins_over_the_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("florin.toml");
        std::fs::write(&path, "listen = \"a:1\"\nwait_ms = 5\n").unwrap();
        let config = of(&[("FLORIN_CONFIG", path.to_str().unwrap()), ("FLORIN_LISTEN", "b:2")]).unwrap();
        assert_eq!(config.get("listen"), Some("b:2"));
        assert_eq!(config.millis("wait_ms", 1).unwrap(), Duration::from_millis(5));
        std::fs::write(&path, "lisen = \"a:1\"\n").unwrap();
        assert!(of(&[("FLORIN_CONFIG", path.to_str().unwrap())]).is_err());
        std::fs::write(&path, "concurrency = 0\n").unwrap();
        let error = of(&[("FLORIN_CONFIG", path.to_str().unwrap())]).unwrap_err().to_string();
        assert_eq!(error, format!("{}: concurrency: 0 is no number from 1 to 1000000", path.display()));
    }
}
