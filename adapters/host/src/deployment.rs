//! Puts services, databases, broker, peers and tokens together as the configuration says.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use florin_http::app::{App, Limits};
use florin_http::network::{HttpNetwork, Peer};
use florin_http::token::{DevelopmentKey, KeySet, KeySource, TokenRules, TokenTypes, Verifier};
use florin_kernel::db::{Db, DbConfig};
use florin_kernel::network::Network;
use florin_kernel::rows::{effects, outbox};
use florin_kernel::service::{Definition, Service, Settings};
use florin_kernel::time::Clock;
use florin_knative::delivery_door::Guard;

use crate::card::CardProvider;
use crate::config::Config;
use crate::functions::chosen;
use crate::lock::Lock;
use crate::queue::Broker;
use crate::sandbox_here::SandboxHere;
use crate::schema;

/// Why the host cannot do what it was asked.
#[derive(Debug)]
pub struct HostError(pub String);

impl std::fmt::Display for HostError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl<E: std::error::Error> From<E> for HostError {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

/// Services put together, and what they need around them.
pub struct Deployment {
    /// What it was made from.
    pub config: Config,
    /// The services behind one front.
    pub app: Arc<App>,
    /// Those of them whose database was away, so that nobody knows whether its schema fits.
    pub unchecked: Vec<Arc<Service>>,
    /// The broker.
    pub broker: Broker,
    /// The sandbox, when it lives in this process.
    pub sandbox: Option<SandboxHere>,
    /// The development key, when tokens are verified with it.
    pub development_key: Option<DevelopmentKey>,
    /// The time.
    pub clock: Clock,
    /// Held while this process serves what is embedded.
    _lock: Option<Lock>,
}

/// Where this process is reached.
#[derive(Clone, Copy, Debug)]
pub struct Reached {
    /// The bound address; none on Lambda.
    pub listen: Option<SocketAddr>,
    /// Whether the process is frozen between requests.
    pub freezes: bool,
}

impl Deployment {
    /// Puts together what the configuration says.
    pub async fn assemble(config: Config, clock: Clock, reached: Reached) -> Result<Self, HostError> {
        let chosen = chosen(&config)?;
        let (verifier, development_key) = verifier(&config, reached.listen)?;
        let provider = CardProvider::of(&config, &chosen)?;
        let local = reached.listen.map(|address| format!("http://{}", loopback(address)));
        let public = public_url(&config, &provider, local.as_deref())?;
        let lock = reached.listen.map(|_| Lock::take(&config, &chosen)).transpose()?;
        let (sandbox, card) = match (provider, local) {
            (CardProvider::Unused, _) => (None, None),
            (CardProvider::At(base), _) => (None, Some(base)),
            (CardProvider::Sandbox, Some(_)) => {
                let here = SandboxHere::open(&config, &public, &clock).await?;
                let base = here.base();
                (Some(here), Some(base))
            }
            (CardProvider::Sandbox, None) => {
                return Err(HostError(
                    "FLORIN_CARD_URL: the sandbox needs a process that listens; name a provider's base address"
                        .to_owned(),
                ));
            }
        };
        let address = Some(public.clone()).filter(|address| !address.is_empty());
        let network = network(&config, card, public, reached.freezes)?;
        let broker = Broker::open(&config, clock.clone(), lock.as_ref()).await?;
        #[cfg(feature = "failpoints")]
        let broker = Broker { publisher: crate::unruly::around(Arc::clone(&broker.publisher)), ..broker };
        let mut services = Vec::new();
        for definition in chosen {
            let service =
                service(definition, &config, &clock, &network, address.as_deref(), reached.freezes).await?;
            if lock.is_some() && config.is_embedded(definition.name) {
                // Nobody else serves this directory, so whoever held these effects and events is gone.
                effects::take_over(&service).await?;
                outbox::take_over(&service).await?;
            }
            services.push(service);
        }
        let unchecked = schema::unknown(services.iter().filter(|of| !config.is_embedded(of.name()))).await?;
        let defaults = Limits::default();
        let limits = Limits {
            body_bytes: config.number("body_limit_bytes", defaults.body_bytes)?,
            arrival: config.millis("arrival_ms", 10_000)?,
            concurrency: config.number("concurrency", defaults.concurrency)?,
            ..defaults
        };
        let app = App::new(services, verifier, limits);
        Ok(Self { config, app, unchecked, broker, sandbox, development_key, clock, _lock: lock })
    }

    /// Who may deliver at the guarded door, if anybody may.
    pub fn guard(&self) -> Result<Option<Guard>, HostError> {
        if let Some(secret) = self.config.get("delivery_secret") {
            if !are_long_enough(secret) {
                return Err(HostError(
                    "FLORIN_DELIVERY_SECRET needs at least 16 characters, each of several".to_owned(),
                ));
            }
            return Ok(Some(Guard::Secret(secret.as_bytes().to_vec())));
        }
        let Some(audience) = self.config.get("delivery_audience") else { return Ok(None) };
        let Some(rules) = issuer_rules(&self.config, audience)? else {
            return Err(HostError("FLORIN_DELIVERY_AUDIENCE needs FLORIN_ISSUER".to_owned()));
        };
        Ok(Some(Guard::Token(Box::new(Verifier::new(rules)?))))
    }
}

/// Whether each of these secrets, separated by spaces, is too long to be guessed.
fn are_long_enough(secrets: &str) -> bool {
    let mut secrets = secrets.split_ascii_whitespace().peekable();
    secrets.peek().is_some() && secrets.all(|secret| secret.len() >= 16)
}

/// A service's database as configured.
pub async fn database(definition: &Definition, config: &Config, freezes: bool) -> Result<Db, HostError> {
    let mut database = DbConfig::new(config.database_url(definition.name), definition.name);
    database.connections =
        config.number("database_connections", if freezes { 1 } else { database.connections })?;
    database.ping_idle = freezes;
    Ok(database.connect().await?)
}

/// A service on its database, reached at the public address; an embedded one migrates itself, and whether a server's fits
/// is asked by [`schema`].
pub async fn service(
    definition: &'static Definition,
    config: &Config,
    clock: &Clock,
    network: &Arc<dyn Network>,
    address: Option<&str>,
    freezes: bool,
) -> Result<Arc<Service>, HostError> {
    if config.is_embedded(definition.name) {
        std::fs::create_dir_all(config.data())?;
    }
    let db = database(definition, config, freezes).await?;
    const HOUR: Duration = Duration::from_secs(60 * 60);
    let settings = Settings {
        wait: config.millis("wait_ms", 10_000)?,
        attempts: config.number("delivery_attempts", 12)?,
        keep_operations: HOUR * config.number("keep_keys_hours", 24)?,
        keep_inbox: HOUR * 24 * config.number("keep_inbox_days", 35)?,
        keep_done: HOUR * 24 * config.number("keep_done_days", 7)?,
        functions: config.functions(),
        freezes,
        messaging_system: crate::queue::messaging_system(config),
        address: address.map(str::to_owned),
    };
    let service = Service::new(definition, db, clock.clone(), Arc::clone(network), settings);
    if config.is_embedded(definition.name) {
        service.migrate().await?;
    }
    Ok(service)
}

/// Where browsers reach us. The card provider sends them back there, so a guess must not leave this machine.
fn public_url(config: &Config, provider: &CardProvider, local: Option<&str>) -> Result<String, HostError> {
    if let Some(url) = config.get("public_url") {
        // A provider refuses another address, and every payment would look declined.
        if !url.starts_with("https://") && !url.starts_with("http://") {
            return Err(HostError(format!("FLORIN_PUBLIC_URL: {url} is no http or https address")));
        }
        return Ok(url.trim_end_matches('/').to_owned());
    }
    let local = local.filter(|_| config.get("issuer").is_none());
    match (local, provider) {
        (Some(local), _) => Ok(local.to_owned()),
        (None, CardProvider::Unused) => Ok(String::new()),
        (None, CardProvider::At(_) | CardProvider::Sandbox) => Err(HostError(
            "FLORIN_PUBLIC_URL is needed: the card provider sends browsers back to it".to_owned(),
        )),
    }
}

/// The peers: the card provider at this base address. A process that freezes may end before it speaks to any.
pub fn network(
    config: &Config,
    card: Option<String>,
    public: String,
    freezes: bool,
) -> Result<Arc<dyn Network>, HostError> {
    let mut peers = HashMap::new();
    if let Some(base) = card {
        peers.insert("card", Peer { base, credential: config.get("card_credential").map(str::to_owned) });
    }
    if freezes {
        return Ok(Arc::new(HttpNetwork::when_needed(peers, public)));
    }
    Ok(Arc::new(HttpNetwork::new(peers, public)?))
}

/// The path of the development key.
pub fn development_key(config: &Config) -> Result<DevelopmentKey, HostError> {
    let data = config.data();
    std::fs::create_dir_all(&data)?;
    Ok(DevelopmentKey::load_or_create(&data.join("development-key.json"))?)
}

fn issuer_rules(config: &Config, audience: &str) -> Result<Option<TokenRules>, HostError> {
    let Some(issuer) = config.get("issuer") else { return Ok(None) };
    let keys = match (config.get("jwks"), config.get("jwks_url")) {
        (Some(jwks), _) if jwks.trim_start().starts_with('{') => KeySource::Static(KeySet::parse(jwks)?),
        (Some(path), _) => KeySource::Static(KeySet::parse(&std::fs::read_to_string(Path::new(path))?)?),
        (None, Some(url)) => KeySource::Remote { url: url.parse()?, plain_http: false },
        (None, None) => KeySource::Discovery { plain_http: false },
    };
    Ok(Some(TokenRules {
        issuer: issuer.to_owned(),
        audience: vec![audience.to_owned()],
        leeway: Duration::from_secs(10),
        types: TokenTypes::default(),
        keys,
    }))
}

fn verifier(
    config: &Config,
    listen: Option<SocketAddr>,
) -> Result<(Verifier, Option<DevelopmentKey>), HostError> {
    if let Some(rules) = issuer_rules(config, config.get("audience").unwrap_or("florin"))? {
        return Ok((Verifier::new(rules)?, None));
    }
    // Half an issuer must not quietly mean none.
    for key in ["jwks", "jwks_url", "audience"] {
        if config.get(key).is_some() {
            return Err(HostError(format!("FLORIN_{} needs FLORIN_ISSUER", key.to_ascii_uppercase())));
        }
    }
    let safe = listen.is_some_and(|address| address.ip().is_loopback()) || config.switch("dev", false)?;
    if !safe {
        return Err(HostError(
            "FLORIN_ISSUER is needed where others can reach this address (FLORIN_DEV=1 accepts the development key)"
                .to_owned(),
        ));
    }
    let key = development_key(config)?;
    Ok((Verifier::new(key.rules())?, Some(key)))
}

/// An address to reach a listener at from this machine.
fn loopback(address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        SocketAddr::from((std::net::Ipv4Addr::LOCALHOST, address.port()))
    } else {
        address
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_secret_is_refused_beside_long_ones_too() {
        assert!(are_long_enough("0123456789abcdef"));
        assert!(are_long_enough("0123456789abcdef fedcba9876543210"));
        for secrets in ["", "   ", "0123456789abcde", "0123456789abcdef short", "01234567 89abcdef"] {
            assert!(!are_long_enough(secrets), "{secrets:?}");
        }
    }
}
