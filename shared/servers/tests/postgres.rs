//! A private PostgreSQL keeps its data and its address over every kind of end, and its end is an end.

use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use florin_servers::{Part, Postgres, StartError, find_program, skip};

fn started() -> Option<Postgres> {
    match Postgres::start() {
        Ok(server) => Some(server),
        Err(StartError::Missing(program)) => {
            skip(Part::Postgres, &program);
            None
        }
        Err(why) => panic!("{why}"),
    }
}

/// What `psql`, which every PostgreSQL brings, answers.
fn ask(url: &str, sql: &str) -> String {
    let psql = find_program(&["psql"]).expect("psql comes with the server");
    let answer = Command::new(psql).args(["-X", "-A", "-t", "-c", sql, url]).output().expect("psql runs");
    assert!(answer.status.success(), "{}", String::from_utf8_lossy(&answer.stderr));
    String::from_utf8_lossy(&answer.stdout).trim().to_owned()
}

fn address(url: &str) -> String {
    url.rsplit_once('@').expect("a user").1.trim_end_matches("/postgres").to_owned()
}

#[test]
fn committed_rows_and_the_url_outlive_a_restart_and_a_crash() {
    let Some(mut server) = started() else { return };
    let url = server.url();
    ask(&url, "CREATE TABLE kept AS SELECT 1 AS n");
    server.restart().unwrap();
    ask(&url, "INSERT INTO kept VALUES (2)");
    server.crash();
    assert!(TcpStream::connect(address(&url)).is_err(), "a crashed server still listens");
    server.resume().unwrap();
    assert_eq!(server.url(), url);
    assert_eq!(ask(&url, "SELECT sum(n) FROM kept"), "3");
}

#[test]
fn text_is_utf_8_and_sorts_by_bytes() {
    let Some(server) = started() else { return };
    assert_eq!(ask(&server.url(), "SHOW server_encoding"), "UTF8");
    assert_eq!(ask(&server.url(), "SELECT 'Z' < 'a', 'ä' > 'z'"), "t|t");
}

#[test]
fn nothing_is_left_of_a_dropped_server() {
    let Some(server) = started() else { return };
    let url = server.url();
    let data = ask(&url, "SHOW data_directory");
    drop(server);
    assert!(TcpStream::connect(address(&url)).is_err(), "it still listens");
    assert!(!std::path::Path::new(&data).exists(), "{data} is still there");
}

/// The half of the next test that is killed: says where its server is and waits for its end.
#[test]
fn holds_a_server_until_it_is_killed() {
    if std::env::var_os("FLORIN_HOLD_A_SERVER").is_none() {
        return;
    }
    let Some(server) = started() else { return };
    println!("\nholding {}", server.url());
    std::thread::park();
}

#[test]
fn a_server_ends_with_its_process_even_when_that_is_killed() {
    if started().is_none() {
        return;
    }
    let mut holder = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "holds_a_server_until_it_is_killed", "--nocapture"])
        .env("FLORIN_HOLD_A_SERVER", "yes")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(holder.stdout.take().unwrap()).lines().map(Result::unwrap);
    let url = lines.find_map(|line| line.strip_prefix("holding ").map(str::to_owned)).expect("a URL");
    assert!(TcpStream::connect(address(&url)).is_ok());
    holder.kill().unwrap();
    holder.wait().unwrap();
    let killed = Instant::now();
    while TcpStream::connect(address(&url)).is_ok() {
        assert!(killed.elapsed() < Duration::from_secs(30), "the server outlived its process");
    }
}
