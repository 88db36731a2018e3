//! Thousands of hostile requests leave a process as large as it was.

use futures_util::future::join_all;

use crate::cases;
use crate::frames::{HEADERS, SETTINGS, frame};
use crate::h1::{self, Wire};
use crate::h2;
use crate::request::Request;
use crate::stage::Stage;
use crate::way;

/// How many requests are under way at once.
const AT_ONCE: usize = 8;
/// How often the table is sent: thousands of requests to each process.
const ROUNDS: usize = 4;

/// What a process may have grown by afterwards, in kilobytes. It takes about two thousand requests or more, some
/// with heads of 100 kB and bodies of 160 kB: what kept 2 kB of each is over it. Up to half of it was seen.
const GROWTH: u64 = 4 * 1024;
/// What it may hold beyond that meanwhile, in kilobytes: eight of the largest requests, several times over for the
/// copies that buffers make, and the free lists of the allocator.
const PEAK: u64 = 16 * 1024;
/// What thousands of answers that nobody takes may hold, in kilobytes. One copy of each would be over 100 MB.
const UNHEARD: u64 = 24 * 1024;

/// Sends the whole table so many times on every way; how many requests that were.
async fn rounds(stage: &Stage, times: usize) -> usize {
    let cases = cases::all(stage);
    let many = cases.len() * times;
    for way in way::ALL {
        let lane = |first: usize| {
            let mine = cases.iter().cycle().take(many).skip(first).step_by(AT_ONCE);
            async move {
                for case in mine {
                    stage.send(way, &case.request).await;
                }
            }
        };
        join_all((0..AT_ONCE).map(lane)).await;
    }
    many * way::ALL.len()
}

#[tokio::test(flavor = "multi_thread")]
async fn thousands_of_hostile_requests_leave_no_memory_behind() {
    let mut stage = Stage::start().await;
    // Pools, buffers and the allocator's arena of every thread are there after this.
    rounds(&stage, 1).await;
    let before = stage.resident_kilobytes();
    stage.forget_peaks();
    let sent = rounds(&stage, ROUNDS).await;
    let (after, peak) = (stage.resident_kilobytes(), stage.peak_kilobytes());
    for ((before, after), peak) in before.into_iter().zip(after).zip(peak) {
        assert!(after <= before + GROWTH, "from {before} kB to {after} kB after {sent} requests");
        assert!(peak <= before + PEAK, "from {before} kB to {peak} kB during {sent} requests");
    }
    println!(
        "{sent} requests: container, Knative and Lambda went from {before:?} kB to {after:?}, at most {peak:?}"
    );
    stage.lives().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_and_does_not_listen_fills_no_memory() {
    const STREAMS: u32 = 250;
    let mut stage = Stage::start().await;
    stage.lives().await;
    let before = stage.resident_kilobytes();
    let ask = Request::get("/openapi.json");
    let mut deaf = Vec::new();
    for way in way::H2 {
        for _ in 0..4 {
            let mut wire = h2::begin(stage.address(way)).await;
            // SETTINGS_INITIAL_WINDOW_SIZE of nothing: heads may be sent, bodies may not.
            wire.say(frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 0])).await;
            let asked = (0..STREAMS).flat_map(|number| h2::opened(2 * number + 1, &ask, &stage.token));
            wire.say(asked.collect::<Vec<u8>>()).await;
            let mut answered = 0;
            while answered < STREAMS {
                let frame = h2::next(&mut wire).await.expect("the connection is open");
                answered += u32::from(frame.kind == HEADERS);
            }
            deaf.push(wire);
        }
    }
    for way in way::H1 {
        for _ in 0..50 {
            let mut wire = Wire::to(stage.address(way)).await;
            let mut bytes = h1::head(&ask, &stage.token);
            bytes.extend(b"\r\n");
            wire.say(bytes.repeat(20)).await;
            deaf.push(wire);
        }
    }
    let [container, knative, _] = stage.resident_kilobytes();
    for (before, after) in before.into_iter().zip([container, knative]) {
        assert!(after <= before + UNHEARD, "from {before} kB to {after} kB with {} deaf clients", deaf.len());
    }
    println!("container and Knative went from {:?} kB to {:?}", &before[..2], [container, knative]);
    stage.lives().await;
}
