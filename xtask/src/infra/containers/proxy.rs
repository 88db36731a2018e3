//! The proxy of the compose file, before two real processes.

use std::fs::File;
use std::process::Command;

use florin_servers::{find_program, free_port};

use crate::command::{self, Group};
use crate::infra::check::{Outcome, florin_program, infra};
use crate::infra::kubernetes::{Scratch, probe};
use crate::problem::Problem;

/// What a stranger hears of the proxy: a refusal of the service behind it, or that there is no such thing.
const ASKED: &[(&str, &str, u16)] = &[
    ("GET", "/v1/payments", 401),
    ("POST", "/v1/payments", 401),
    ("GET", "/v1/payments/pay_01a20c4981047b05ab49de913dc43ad3", 401),
    ("POST", "/v1/payments/pay_01a20c4981047b05ab49de913dc43ad3/capture", 401),
    ("GET", "/v1/refunds", 401),
    ("GET", "/v1/audit/records", 401),
    ("GET", "/v1/audit/records/aud_1", 401),
    ("POST", "/v1/audit/records", 404),
    ("GET", "/v1/payments/pay_1/confirm", 404),
    ("GET", "/v1/payments/pay_1/anything", 404),
    ("POST", "/_deliver/payments.sweep", 404),
    ("GET", "/metrics", 404),
    ("GET", "/docs", 404),
    ("GET", "/", 404),
];

pub(super) fn run() -> Result<Outcome, Problem> {
    let Some(caddy) = find_program(&["caddy"]) else {
        return Ok(Outcome::Skipped("Caddy is not installed (Debian: caddy)".to_owned()));
    };
    let florin = florin_program()?;
    let scratch = Scratch::make()?;
    let mut text = std::fs::read_to_string(infra().join("containers/caddy.json"))?;
    let mut running: Vec<Group> = Vec::new();
    for service in ["payments", "audit"] {
        let port = free_port();
        let mut serve = Command::new(&florin);
        serve.arg("serve").env_clear().current_dir(scratch.path());
        serve.envs([
            ("FLORIN_FUNCTIONS", format!("{service}.*")),
            ("FLORIN_LISTEN", format!("127.0.0.1:{port}")),
            ("FLORIN_DATA", service.to_owned()),
        ]);
        running.push(start(&mut serve, &scratch, service)?);
        ready(&mut running, &scratch, service, port, "/readyz", 200)?;
        text = text.replace(&format!("\"{service}:8064\""), &format!("\"127.0.0.1:{port}\""));
    }
    let port = free_port();
    let configuration =
        scratch.write("caddy.json", &text.replace("\":8064\"", &format!("\"127.0.0.1:{port}\"")))?;
    let mut proxy = Command::new(caddy);
    proxy.arg("run").arg("--config").arg(configuration).env("HOME", scratch.path());
    proxy.env("XDG_CONFIG_HOME", scratch.path()).env("XDG_DATA_HOME", scratch.path());
    running.push(start(&mut proxy, &scratch, "caddy")?);
    ready(&mut running, &scratch, "caddy", port, "/", 404)?;
    for (method, path, wanted) in ASKED {
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        );
        let status = probe::request(port, &request)?;
        if status != *wanted {
            return Err(Problem::Failed(format!("{method} {path} answers {status}, not {wanted}")));
        }
    }
    Ok(Outcome::Passed(format!("{} requests", ASKED.len())))
}

fn start(program: &mut Command, scratch: &Scratch, name: &str) -> Result<Group, Problem> {
    let log = File::create(scratch.path().join(format!("{name}.log")))?;
    command::start(program.stdout(log.try_clone()?).stderr(log))
}

fn ready(
    running: &mut [Group],
    scratch: &Scratch,
    name: &str,
    port: u16,
    path: &str,
    status: u16,
) -> Result<(), Problem> {
    let Some(process) = running.last_mut() else { return Ok(()) };
    probe::answers(port, path, status, || process.is_running()).map_err(|problem| match problem {
        Problem::Failed(why) => {
            let log = std::fs::read_to_string(scratch.path().join(format!("{name}.log"))).unwrap_or_default();
            Problem::Failed(format!("{name}: {why}\n{log}"))
        }
        other => other,
    })
}
