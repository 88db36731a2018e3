//! Which settings and secrets of this binary a service's needs come to.

/// The setting that says where a service's database is: a secret, because it holds the password.
pub(super) const DATABASE_URL: &str = "FLORIN_DATABASE_URL";

/// What a peer needs to be said before a process that calls it starts.
pub(super) fn settings(peers: &[&str]) -> Vec<String> {
    let mut settings: Vec<String> = peers.iter().map(|peer| of_peer(peer, "URL")).collect();
    if peers.contains(&"card") {
        // Where the card provider sends browsers back to.
        settings.push("FLORIN_PUBLIC_URL".to_owned());
    }
    settings
}

/// What must be kept secret: the database's address, and what a peer knows us by.
pub(super) fn secrets(peers: &[&str]) -> Vec<String> {
    let credentials = peers.iter().map(|peer| of_peer(peer, "CREDENTIAL"));
    [DATABASE_URL.to_owned()].into_iter().chain(credentials).collect()
}

fn of_peer(peer: &str, what: &str) -> String {
    format!("FLORIN_{}_{what}", peer.to_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use florin_kernel::catalog::Deployment;

    use super::*;
    use crate::config::KEYS;
    use crate::services::SERVICES;

    #[test]
    fn every_setting_that_a_deployment_is_told_of_is_one_of_the_binary() {
        for service in SERVICES {
            let peers = Deployment::of(service).peers;
            for name in settings(&peers).into_iter().chain(secrets(&peers)) {
                let key = name.strip_prefix("FLORIN_").unwrap().to_ascii_lowercase();
                assert!(KEYS.iter().any(|(known, _)| *known == key), "{name}");
            }
        }
    }
}
