//! A private RabbitMQ node comes back where it was, and its end is an end, of its port mapper too.

use std::net::TcpStream;
use std::process::Command;

use florin_servers::{Part, RabbitMq, StartError, skip};

#[test]
fn a_node_comes_back_at_its_url_and_leaves_no_process_behind() {
    let mut node = match RabbitMq::start() {
        Ok(node) => node,
        Err(StartError::Missing(program)) => return skip(Part::RabbitMq, &program),
        Err(why) => panic!("{why}"),
    };
    let url = node.url();
    let address = url.rsplit_once('@').unwrap().1.trim_end_matches("/%2f").to_owned();

    node.crash();
    assert!(TcpStream::connect(&address).is_err(), "a crashed node still listens");
    node.resume().unwrap();
    assert_eq!(node.url(), url);
    assert!(TcpStream::connect(&address).is_ok());

    node.stop();
    assert!(TcpStream::connect(&address).is_err(), "a stopped node still listens");
    let ours = format!("florin-server-rabbitmq-{}-", std::process::id());
    assert_eq!(processes_that_name(&ours), Vec::<String>::new());
    drop(node);
}

/// The node names its directory in its arguments, the port mapper in its environment alone: it is
/// found by its working directory.
fn processes_that_name(directory: &str) -> Vec<String> {
    let listing =
        r#"for p in /proc/[0-9]*; do echo "$(readlink "$p/cwd") $(tr '\0' ' ' < "$p/cmdline")"; done"#;
    let answer = Command::new("/bin/sh").args(["-c", listing]).output().expect("a shell");
    let lines = String::from_utf8_lossy(&answer.stdout).into_owned();
    // The guard stays for the directory until the node is dropped.
    lines
        .lines()
        .filter(|line| line.contains(directory) && !line.contains("florin-guard"))
        .map(str::to_owned)
        .collect()
}
