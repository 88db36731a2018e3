//! Free ports on the loopback interface, outside of the range that clients are given.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::net::TcpListener;

/// Below the range from which the kernel takes the ports of outgoing connections (32768 and up on
/// Linux, 49152 and up elsewhere): a server that restarts gets its port back, and a client that
/// reconnects while nobody listens cannot be connected to itself.
const FIRST: u16 = 15_000;
const LAST: u16 = 31_999;

/// A TCP port on 127.0.0.1 that nobody listens on. It is not held: take it soon.
pub fn free_port() -> u16 {
    let span = u64::from(LAST - FIRST) + 1;
    // `RandomState` is the standard library's only source of chance, and enough to keep test
    // processes that start at the same moment apart.
    let start = RandomState::new().hash_one("port") % span;
    for step in 0..span {
        let port = FIRST + u16::try_from((start + step) % span).expect("the span is less than 65536");
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("no free port between {FIRST} and {LAST}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_free_port_lies_below_the_ports_of_outgoing_connections() {
        let port = free_port();
        assert!((15_000..32_000).contains(&port), "{port}");
        assert!(TcpListener::bind(("127.0.0.1", port)).is_ok());
    }
}
