//! Whether the checks find what is wrong: the workflows are broken on purpose, one way at a time.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::{commands, lint, on_github, services, skipped_where_missing, text};
use crate::infra::check::{Outcome, output};
use crate::infra::kubernetes::Scratch;
use crate::problem::Problem;

/// One way to break a file.
struct Broken {
    file: &'static str,
    /// Where this stands,
    from: &'static str,
    /// this is put,
    to: &'static str,
    /// and this check
    check: fn(&Path) -> Result<String, Problem>,
    /// fails with these words.
    words: &'static str,
}

const BROKEN: &[Broken] = &[
    Broken {
        file: "workflows/test.yml",
        from: "@1af3b93b6815bc44a9784bd300feb67ff0d1eeb3 # v6.0.0",
        to: "@v6",
        check: lint::pins,
        words: "actions/checkout@v6",
    },
    Broken {
        file: "workflows/test.yml",
        from: "@1af3b93b6815bc44a9784bd300feb67ff0d1eeb3 # v6.0.0",
        to: "@v6",
        check: lint::zizmor,
        words: "unpinned-uses",
    },
    Broken {
        file: "workflows/release.yml",
        from: "\"$ASKED\" ]",
        to: "\"${{ inputs.service }}\" ]",
        check: lint::zizmor,
        words: "template-injection",
    },
    Broken {
        file: "workflows/test.yml",
        from: "permissions: {}",
        to: "permissions: write-all",
        check: lint::zizmor,
        words: "excessive-permissions",
    },
    Broken {
        file: "workflows/test.yml",
        from: "persist-credentials: false",
        to: "show-progress: false",
        check: lint::zizmor,
        words: "artipacked",
    },
    Broken {
        file: "workflows/service.yml",
        from: "environment: staging",
        to: "environmen: staging",
        check: lint::actionlint,
        words: "\"environmen\" is not defined",
    },
    Broken {
        file: "workflows/service.yml",
        from: "steps.push.outputs.digest",
        to: "steps.pusch.outputs.digest",
        check: lint::actionlint,
        words: "\"pusch\" is not defined",
    },
    Broken {
        file: "workflows/test.yml",
        from: "\"${packages[@]}\"",
        to: "$PACKAGES",
        check: lint::actionlint,
        words: "SC2086",
    },
    Broken {
        file: "deploy/lambda",
        from: "\"$function\" \"$before\"",
        to: "$function $before",
        check: lint::actionlint,
        words: "SC2086",
    },
    Broken {
        file: "workflows/test.yml",
        from: "cargo xtask infra pipelines",
        to: "cargo xtask infra pipeline",
        check: commands::there,
        words: "there is no target `pipeline`",
    },
    Broken {
        file: "workflows/release.yml",
        from: "cargo xtask affected --since",
        to: "cargo xtask affected --from",
        check: commands::there,
        words: "affected does not know `--from`",
    },
    Broken {
        file: "workflows/test.yml",
        from: "\"$BASE\" --targets",
        to: "\"$BASE\" --target",
        check: commands::there,
        words: "affected does not know `--target`",
    },
    Broken {
        file: "workflows/service.yml",
        from: "infra/containers/Dockerfile",
        to: "infra/container/Dockerfile",
        check: commands::there,
        words: "there is no infra/container/Dockerfile",
    },
    Broken {
        file: "workflows/service.yml",
        from: "--build-arg SERVICES",
        to: "--build-arg SERVICE",
        check: commands::there,
        words: "no argument SERVICE",
    },
    Broken {
        file: "workflows/deploy.yml",
        from: "\"$PLATFORM\" promote",
        to: "\"$PLATFORM\" promot",
        check: commands::there,
        words: "knows only migrate|remember",
    },
    Broken {
        file: "workflows/deploy.yml",
        from: "CANARY_PERCENT:",
        to: "CANARY_SHARE:",
        check: commands::there,
        words: "does not give CANARY_PERCENT",
    },
    Broken {
        file: "deploy/lambda",
        from: "\"$IMAGE@$DIGEST\" migrate",
        to: "\"$IMAGE@$DIGEST\" migrat",
        check: commands::there,
        words: "unrecognized subcommand 'migrat'",
    },
    Broken {
        file: "workflows/rollback.yml",
        from: "options: [audit, payments]",
        to: "options: [payments]",
        check: services::chosen,
        words: "the catalog has",
    },
    Broken {
        file: "workflows/deploy.yml",
        from: "permissions: {}\n",
        to: "permissions: {}\nconcurrency: { group: deploy, cancel-in-progress: false }\n",
        check: on_github::turns,
        words: "deploy.yml: all of it waits",
    },
    Broken {
        file: "workflows/rollback.yml",
        from: "cancel-in-progress: false",
        to: "cancel-in-progress: true",
        check: on_github::turns,
        words: "rollback.yml does not say",
    },
];

pub(super) fn run() -> Result<Outcome, Problem> {
    skipped_where_missing(found())
}

fn found() -> Result<String, Problem> {
    for broken in BROKEN {
        let scratch = Scratch::make()?;
        let github = scratch.path().join(".github");
        output(Command::new("cp").arg("-R").arg(text::github()).arg(&github))?;
        // actionlint looks for the root of a repository.
        output(Command::new("git").args(["init", "--quiet"]).arg(scratch.path()))?;
        let Broken { file, from, to, check, words } = broken;
        let path = github.join(file);
        let whole = fs::read_to_string(&path)?;
        if !whole.contains(from) {
            return Err(Problem::Failed(format!("{file}: `{from}` is no longer there to be broken")));
        }
        // Whole, it passes: what is found is what was broken.
        check(&github)?;
        fs::write(&path, whole.replace(from, to))?;
        match check(&github) {
            Err(Problem::Failed(said)) if said.contains(words) => {}
            Err(Problem::Failed(said)) => {
                return Err(Problem::Failed(format!("{file}: `{to}`: nobody says \"{words}\"\n{said}")));
            }
            Err(problem) => return Err(problem),
            Ok(_) => return Err(Problem::Failed(format!("{file}: `{to}` for `{from}` is taken"))),
        }
    }
    Ok(format!("{} mistakes", BROKEN.len()))
}
