//! The account a server runs as: PostgreSQL refuses to run as root.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

/// The numbers of a system account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Account {
    uid: u32,
    gid: u32,
}

impl Account {
    /// The first of the named accounts that exists, for a process of root; `None` for everyone else,
    /// whose servers run as themselves. `directory` was just made by this process, so its owner is us.
    pub(crate) fn for_servers(directory: &Path, names: &[&str]) -> Option<Account> {
        let we_are_root = directory.metadata().is_ok_and(|made| made.uid() == 0);
        if !we_are_root {
            return None;
        }
        let accounts = fs::read_to_string("/etc/passwd").ok()?;
        names.iter().find_map(|name| named(&accounts, name))
    }

    /// Lets `command` run as this account; the standard library drops root's groups as well.
    pub(crate) fn run(self, command: &mut Command) {
        command.gid(self.gid).uid(self.uid);
    }

    /// Gives the account a file or directory.
    pub(crate) fn own(self, path: &Path) -> std::io::Result<()> {
        std::os::unix::fs::chown(path, Some(self.uid), Some(self.gid))
    }

    /// Whether the account can work in a directory, which also needs every parent to let it through.
    pub(crate) fn can_enter(self, directory: &Path) -> bool {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", r#"cd "$1" && test -w ."#, "sh"]).arg(directory).current_dir("/");
        self.run(&mut command);
        command.output().is_ok_and(|answer| answer.status.success())
    }
}

/// One line of passwd(5) is `name:password:uid:gid:...`.
fn named(accounts: &str, name: &str) -> Option<Account> {
    let mut fields = accounts
        .lines()
        .map(|line| line.split(':'))
        .find_map(|mut fields| (fields.next() == Some(name)).then_some(fields))?;
    Some(Account { uid: fields.nth(1)?.parse().ok()?, gid: fields.next()?.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_found_by_its_whole_name() {
        let accounts = "root:x:0:0:root:/root:/bin/bash\npostgres:x:101:104::/var/lib/postgresql:/bin/bash\n";
        assert_eq!(named(accounts, "postgres"), Some(Account { uid: 101, gid: 104 }));
        assert_eq!(named(accounts, "post"), None);
    }
}
