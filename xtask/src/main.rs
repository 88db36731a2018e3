//! The project's own tasks: bring what the tests need and run them.

mod affected;
mod apt;
mod arguments;
mod bench;
mod bring;
mod chaos;
mod command;
mod infra;
mod mutants;
mod problem;
mod report;
mod require;
mod sbom;
mod services;
mod signals;
mod summary;
mod test;
mod tools;

use std::process::ExitCode;

use arguments::Task;

const HELP: &str = "\
Usage: cargo xtask test [FILTER...] [-p PACKAGE] [--parts LIST] [CARGO OPTION...] [-- TEST OPTION...]
       cargo xtask services [--parts LIST]
       cargo xtask chaos [--rounds N] [--seed S] [--on SET-UP]
       cargo xtask infra [TARGET...] [--fast] [--strict]
       cargo xtask mutants [NAME...]
       cargo xtask affected --since COMMIT [--packages | --targets]
       cargo xtask sbom --name ARTIFACT --features LIST --target TRIPLE
       cargo xtask bench [--rows LIST] [--json FILE] [--plot FILE] [--quick]

test      brings what the tests need, starts private servers, runs the tests, stops the servers
services  starts the same servers, prints where they are and keeps them until Ctrl-C
chaos     kills processes at named points and at random while clients work, and checks that nothing is lost
          or doubled; SET-UP is postgres-rabbitmq, sqlite-embedded or lambda-sqs, all when not said
infra     proves what lies under infra/ and .github/: terraform, knative, helm, containers, observability, pipelines,
          docs; all of it when no target is named
mutants   breaks guarantees on purpose, in a scratch worktree, and expects the named test to fail
affected  prints the services a change reaches as a JSON array; with --packages the options that make
          `test` run what it may break, with --targets the targets of `infra` that look at what it touched there
sbom      prints what an artifact of florin-host with these features is built from, as CycloneDX
bench     builds for release and measures what the guarantees cost, each number beside its baseline

--fast    only what takes seconds, as `test` does
--strict  what cannot be proven here has failed
--parts   only these of postgres, rabbitmq, sqs, lambda, browser, python, asyncapi (default: all)

A part whose variable (FLORIN_TEST_POSTGRES_URL ...) is set is used as it is.
FLORIN_TEST_REQUIRE lists the parts that may not be skipped, separated by commas; the others are
skipped where they cannot be had. When it is not set, a part that cannot be had stops the run.
";

fn main() -> ExitCode {
    let task = match arguments::parse(std::env::args().skip(1)) {
        Ok(task) => task,
        Err(why) => {
            report::line(&format!("{why}\n\n{HELP}"));
            return ExitCode::from(2);
        }
    };
    if let Err(why) = signals::watch() {
        report::line(&format!("cannot watch for Ctrl-C: {why}"));
        return ExitCode::FAILURE;
    }
    let outcome = match task {
        Task::Help => {
            report::line(HELP);
            Ok(true)
        }
        Task::Test(run) => test::run(&run),
        Task::Affected(asked) => affected::run(&asked).map(|()| true),
        Task::Sbom(asked) => sbom::run(&asked).map(|()| true),
        Task::Bench(options) => bench::run(&options),
        Task::Mutants(names) => mutants::run(&names),
        Task::Chaos(words) => chaos::run(&words),
        Task::Infra(run) => infra::run(&run),
        Task::Services(parts) => services::run(&parts).map(|()| true),
    };
    // Servers were stopped on the way here: whoever starts one drops it before it returns.
    if let Some(signal) = signals::caught() {
        return ExitCode::from(128 + u8::try_from(signal).unwrap_or(0));
    }
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(problem) => {
            report::line(&format!("error: {problem}"));
            ExitCode::FAILURE
        }
    }
}
