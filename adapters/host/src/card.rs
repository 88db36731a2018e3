//! The card provider: the one that the configuration names, or the sandbox where tokens are the developer's own.

use florin_kernel::function::Room;
use florin_kernel::service::Definition;

use crate::config::Config;
use crate::deployment::HostError;

/// The peer's name in effects.
const CARD: &str = "card";

/// What `FLORIN_CARD_URL` says instead of an address.
const SANDBOX: &str = "sandbox";

/// Whom the effects of a process charge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CardProvider {
    /// Nobody: none of its services has such an effect.
    Unused,
    /// The provider at this base address.
    At(String),
    /// The sandbox in this process, which moves no money.
    Sandbox,
}

impl CardProvider {
    /// Whom the effects of these services charge.
    ///
    /// # Errors
    /// Nobody said so where it matters: a payment that the sandbox takes looks like one and is none.
    pub fn of(config: &Config, services: &[&Definition]) -> Result<Self, HostError> {
        let is_used = services
            .iter()
            .flat_map(|service| service.functions)
            .any(|function| matches!(function.room, Room::Effect(effect) if effect.peer == CARD));
        if !is_used {
            return Ok(Self::Unused);
        }
        match address(config) {
            Some(base) => Ok(Self::At(base)),
            None if config.get("issuer").is_none() || config.get("card_url").is_some() => Ok(Self::Sandbox),
            None => Err(HostError(
                "FLORIN_CARD_URL is needed where FLORIN_ISSUER is set: the card provider's base address, or `sandbox`"
                    .to_owned(),
            )),
        }
    }
}

/// The configured provider's base address; none when it is not said, or is the sandbox.
pub fn address(config: &Config) -> Option<String> {
    let said = config.get("card_url").filter(|said| *said != SANDBOX)?;
    Some(said.trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functions::chosen;

    fn provider(settings: &[(&str, &str)]) -> Result<CardProvider, String> {
        let config = settings
            .iter()
            .fold(Config::default(), |config, (key, value)| config.with(key, Some((*value).to_owned())));
        let services = chosen(&config).map_err(|error| error.to_string())?;
        CardProvider::of(&config, &services).map_err(|error| error.to_string())
    }

    #[test]
    fn with_the_development_key_the_sandbox_is_charged_unless_a_provider_is_named() {
        assert_eq!(provider(&[]).unwrap(), CardProvider::Sandbox);
        let named = provider(&[("card_url", "https://card.example/")]).unwrap();
        assert_eq!(named, CardProvider::At("https://card.example".to_owned()));
    }

    #[test]
    fn with_an_issuer_the_provider_must_be_said() {
        let issuer = ("issuer", "https://issuer.example");
        assert!(provider(&[issuer]).unwrap_err().contains("FLORIN_CARD_URL"));
        assert_eq!(provider(&[issuer, ("card_url", "sandbox")]).unwrap(), CardProvider::Sandbox);
        let named = provider(&[issuer, ("card_url", "https://card.example")]).unwrap();
        assert_eq!(named, CardProvider::At("https://card.example".to_owned()));
    }

    #[test]
    fn a_process_without_payments_charges_nobody() {
        for settings in [&[][..], &[("issuer", "https://issuer.example")], &[("card_url", "sandbox")]] {
            let settings: Vec<_> = settings.iter().copied().chain([("functions", "audit.*")]).collect();
            assert_eq!(provider(&settings).unwrap(), CardProvider::Unused);
        }
    }
}
