//! Installs what is missing: by itself on Debian as root, elsewhere it says how.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::Command;

use crate::problem::Problem;
use crate::{command, report};

/// Installs Debian packages. On another system the problem says what to install.
pub(crate) fn install(packages: &BTreeSet<&str>) -> Result<(), Problem> {
    let list = packages.iter().copied().collect::<Vec<_>>().join(" ");
    if !Path::new("/etc/debian_version").exists() {
        return Err(Problem::Missing(format!("install what Debian calls: {list}")));
    }
    if !we_are_root() {
        let line = format!("sudo apt-get update && sudo apt-get install --no-install-recommends -y {list}");
        return Err(Problem::Missing(line));
    }
    report::line(&format!("installing {list}"));
    let _denied = DeniedServices::deny()?;
    apt_get(&["update"])?;
    let mut words = vec!["install", "--no-install-recommends", "-y"];
    words.extend(packages);
    apt_get(&words)
}

fn apt_get(words: &[&str]) -> Result<(), Problem> {
    let mut apt = Command::new("apt-get");
    apt.args(["-q", "-o", "Acquire::Retries=3", "-o", "DPkg::Lock::Timeout=300"]).args(words);
    // A package left half configured breaks the machine: Ctrl-C waits until it is whole.
    command::run_to_the_end(apt.env("DEBIAN_FRONTEND", "noninteractive"))
}

fn we_are_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

/// While it lives, packages do not start the services they bring (Debian's `policy-rc.d`, which
/// `invoke-rc.d` asks): the tests start their own. A policy of the machine's own stays.
struct DeniedServices {
    ours: bool,
}

const POLICY: &str = "/usr/sbin/policy-rc.d";
const DENY: &str = "#!/bin/sh\n# Written by `cargo xtask` of Florin while it installs packages.\nexit 101\n";

impl DeniedServices {
    fn deny() -> Result<DeniedServices, Problem> {
        // Ours from a run that was killed is taken over, and removed at last.
        let ours = fs::read_to_string(POLICY).map_or(true, |policy| policy == DENY);
        if ours {
            fs::write(POLICY, DENY)?;
            fs::set_permissions(POLICY, fs::Permissions::from_mode(0o755))?;
        }
        Ok(DeniedServices { ours })
    }
}

impl Drop for DeniedServices {
    fn drop(&mut self) {
        if self.ours {
            let _ = fs::remove_file(POLICY);
        }
    }
}
