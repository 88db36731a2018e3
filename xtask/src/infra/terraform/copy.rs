//! A copy of what Terraform reads, so that nothing is written into the checkout.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use florin_servers::find_program;

use super::provider;
use crate::infra::check::{Outcome, infra, output};
use crate::problem::Problem;

/// The copy, and the program that works in it.
pub(super) struct Copy {
    directory: PathBuf,
    program: PathBuf,
    config: Option<PathBuf>,
    /// The address of what plays AWS.
    endpoint: Option<String>,
    variables: Vec<(String, String)>,
}

/// What a check says where there is no Terraform.
pub(super) fn no_program() -> Outcome {
    Outcome::Skipped("terraform is not installed".to_owned())
}

impl Copy {
    /// A fresh copy under target/; none where Terraform is not installed.
    pub(super) fn make(name: &str) -> Result<Option<Self>, Problem> {
        let Some(program) = find_program(&["terraform"]) else { return Ok(None) };
        let target = florin_servers::target_directory().unwrap_or_else(std::env::temp_dir);
        let directory = target.join("infra").join("terraform").join(name);
        if directory.exists() {
            fs::remove_dir_all(&directory)?;
        }
        // The last one is read by the tests of aws-kubernetes, which makes what it asks for.
        for part in ["terraform", "catalog", "external-secrets"] {
            copy_tree(&infra().join(part), &directory.join(part))?;
        }
        let config = provider::config(&directory)?;
        Ok(Some(Self { directory, program, config, endpoint: None, variables: Vec::new() }))
    }

    /// Where a path of infra/ is in the copy.
    pub(super) fn path(&self, path: &str) -> PathBuf {
        self.directory.join(path)
    }

    /// From now on AWS is whatever answers at this address.
    pub(super) fn emulated_by(&mut self, endpoint: &str) {
        self.endpoint = Some(endpoint.to_owned());
    }

    /// Gives a variable of the root a value.
    pub(super) fn variable(&mut self, name: &str, value: &str) {
        self.variables.push((format!("TF_VAR_{name}"), value.to_owned()));
    }

    /// Runs Terraform in this directory of the copy.
    pub(super) fn terraform(&self, root: &str, arguments: &[&str]) -> Result<String, Problem> {
        output(&mut self.command(root, arguments))
    }

    /// Terraform in this directory of the copy, not started yet.
    pub(super) fn command(&self, root: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(arguments).current_dir(self.path(root));
        command.env("TF_IN_AUTOMATION", "1").env("TF_INPUT", "0").env("CHECKPOINT_DISABLE", "1");
        if let Some(config) = &self.config {
            command.env("TF_CLI_CONFIG_FILE", config);
        }
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        if let Some(endpoint) = &self.endpoint {
            command.env("AWS_ENDPOINT_URL", endpoint).env("AWS_EC2_METADATA_DISABLED", "true");
            command.env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", "test");
            for mine in ["AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"]
            {
                command.env_remove(mine);
            }
        }
        command
    }

    /// Brings the providers of a root; why not, where neither a mirror nor the registry has them.
    pub(super) fn init(&self, root: &str) -> Result<Option<String>, Problem> {
        match self.terraform(root, &["init", "-no-color", "-backend=false"]) {
            Ok(_) => Ok(None),
            Err(Problem::Failed(words)) if provider::is_away(&words) => Ok(Some(provider::WHERE.to_owned())),
            Err(problem) => Err(problem),
        }
    }
}

fn copy_tree(from: &Path, to: &Path) -> Result<(), Problem> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (path, to) = (entry.path(), to.join(entry.file_name()));
        let is_hidden = entry.file_name().to_string_lossy().starts_with('.');
        if path.is_dir() && !is_hidden {
            copy_tree(&path, &to)?;
        } else if path.is_file() && !is_hidden {
            fs::copy(&path, &to)?;
        }
    }
    Ok(())
}
