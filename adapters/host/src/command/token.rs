//! `florin token`: a development token, signed with the key that `serve` on the same data directory accepts.

use std::collections::BTreeSet;
use std::time::Duration;

use clap::Args;
use florin_http::token::DevelopmentKey;
use florin_kernel::caller::TenantId;
use florin_kernel::door::Access;
use florin_kernel::time::Clock;

use crate::config::Config;
use crate::deployment::{HostError, development_key};
use crate::services::SERVICES;

/// Prints a development token and nothing else on the standard output.
#[derive(Debug, Args)]
pub(crate) struct Token {
    /// The tenant.
    #[arg(long, default_value = "demo")]
    tenant: String,
    /// The scopes, separated by spaces; every scope there is when not said.
    #[arg(long)]
    scope: Option<String>,
    /// The subject.
    #[arg(long, default_value = "developer")]
    subject: String,
    /// How long it is good for: 30s, 15m, 1h, 2d.
    #[arg(long, default_value = "1h", value_parser = duration)]
    ttl: Duration,
    /// The data directory [./florin-data].
    #[arg(long)]
    data: Option<String>,
}

impl Token {
    #[expect(clippy::print_stdout, reason = "the token is the command's output")]
    pub(super) fn run(self, config: &Config, clock: &Clock) -> Result<(), HostError> {
        let config = config.clone().with("data", self.data);
        let key = development_key(&config)?;
        println!("{}", sign(&key, &self.tenant, &self.subject, self.scope.as_deref(), self.ttl, clock)?);
        Ok(())
    }
}

/// A token with every scope for the tenant `demo`, for `florin demo`: with the key of a suite that served from this
/// directory, and never with a new one, which no suite would accept.
pub(super) fn development(config: &Config, clock: &Clock) -> Result<String, HostError> {
    if !config.data().exists() {
        return Err(HostError(format!("no suite has served from {}", config.data().display())));
    }
    sign(&development_key(config)?, "demo", "demo", None, Duration::from_secs(12 * 60 * 60), clock)
}

pub(super) fn sign(
    key: &DevelopmentKey,
    tenant: &str,
    subject: &str,
    scope: Option<&str>,
    ttl: Duration,
    clock: &Clock,
) -> Result<String, HostError> {
    let tenant: TenantId = tenant.parse()?;
    let scopes = match scope {
        Some(scopes) => known(scopes)?,
        None => every_scope(),
    };
    Ok(key.sign(subject, &tenant, &scopes, ttl, clock.now()))
}

/// The scopes of a list; one that no operation asks for is a typing mistake, and would be a 403 much later.
fn known(scopes: &str) -> Result<BTreeSet<String>, HostError> {
    let every = every_scope();
    let asked: BTreeSet<String> = scopes.split_ascii_whitespace().map(str::to_owned).collect();
    let unknown = match asked.difference(&every).next() {
        None if !asked.is_empty() => return Ok(asked),
        None => "\"\"",
        Some(unknown) => unknown,
    };
    let every = every.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
    Err(HostError(format!("no operation asks for the scope {unknown}; there are {every}")))
}

fn every_scope() -> BTreeSet<String> {
    SERVICES
        .iter()
        .flat_map(|service| service.functions)
        .filter_map(|function| match function.door()?.door.access {
            Access::Scope(scope) => Some(scope.to_owned()),
            Access::Public => None,
        })
        .collect()
}

fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 60 * 60,
        "d" => 24 * 60 * 60,
        _ => return Err("give a number and s, m, h or d".to_owned()),
    };
    let number: u64 = number.parse().map_err(|_| "give a number and s, m, h or d".to_owned())?;
    number.checked_mul(seconds).map(Duration::from_secs).ok_or_else(|| "too long".to_owned())
}
