//! Where the provider comes from: a mirror on this machine, else what Terraform's own configuration says.

use std::fs;
use std::path::{Path, PathBuf};

use crate::problem::Problem;

/// Names a directory laid out as a filesystem mirror: HOST/NAMESPACE/TYPE/VERSION/PLATFORM.
const VARIABLE: &str = "FLORIN_TERRAFORM_MIRROR";

/// What a skipped check says.
pub(super) const WHERE: &str = "the provider is in no mirror (FLORIN_TERRAFORM_MIRROR, Terraform's CLI configuration, its implied \
     directories), and the registry is not reached";

/// Where machines keep third-party files.
const PLACES: &[&str] = &["/opt", "/srv", "/usr/share", "/usr/local/share"];

/// A CLI configuration for a mirror that Terraform would not look at by itself; none where it knows its own way.
pub(super) fn config(directory: &Path) -> Result<Option<PathBuf>, Problem> {
    let Some(mirror) = mirror() else { return Ok(None) };
    let path = directory.join("cli.tfrc");
    let mirror = mirror.display().to_string().replace('\\', "\\\\").replace('"', "\\\"");
    fs::write(
        &path,
        format!("provider_installation {{\n  filesystem_mirror {{\n    path = \"{mirror}\"\n  }}\n}}\n"),
    )?;
    Ok(Some(path))
}

#[expect(clippy::disallowed_methods, reason = "xtask is its own host: the environment is read here")]
fn mirror() -> Option<PathBuf> {
    if let Ok(given) = std::env::var(VARIABLE) {
        return Some(PathBuf::from(given)).filter(|path| !path.as_os_str().is_empty());
    }
    // A configuration that is there is the person's own choice; a path to nothing is none.
    let configured = std::env::var("TF_CLI_CONFIG_FILE").is_ok_and(|path| Path::new(&path).is_file());
    let home = std::env::var("HOME").map(PathBuf::from).unwrap_or_default();
    if configured || home.join(".terraformrc").is_file() {
        return None;
    }
    let below = |place: &&str| fs::read_dir(place).into_iter().flatten().flatten().map(|entry| entry.path());
    PLACES.iter().flat_map(below).find(|path| path.join("registry.terraform.io/hashicorp/aws").is_dir())
}

/// Whether `terraform init` failed because nobody could give it the provider.
pub(super) fn is_away(words: &str) -> bool {
    [
        "Failed to query available provider packages",
        "Failed to install provider",
        "could not connect to registry",
    ]
    .iter()
    .any(|said| words.contains(said))
}
