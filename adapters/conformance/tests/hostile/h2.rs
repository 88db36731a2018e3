//! A client of HTTP/2 that says what it is told to, one request a connection.

use std::net::SocketAddr;

use serde_json::Value;

use crate::frames::{
    ACK, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, LARGEST, PING, PREFACE, RST_STREAM, SETTINGS,
    WINDOW_UPDATE, frame, literal, status,
};
use crate::h1::{Heard, Wire};
use crate::request::Request;

/// A frame that came.
pub(crate) struct Frame {
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    pub(crate) stream: u32,
    pub(crate) payload: Vec<u8>,
}

/// The next frame; none when the connection ends.
pub(crate) async fn next(wire: &mut Wire) -> Option<Frame> {
    let head = wire.take(9).await?;
    let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
    let stream = u32::from_be_bytes([head[5] & 0x7f, head[6], head[7], head[8]]);
    let payload = wire.take(usize::try_from(length).expect("24 bits")).await?;
    Some(Frame { kind: head[3], flags: head[4], stream, payload })
}

/// A connection whose settings are said and heard, with its window open for a large body.
pub(crate) async fn begin(address: SocketAddr) -> Wire {
    let mut wire = Wire::to(address).await;
    wire.say([PREFACE, &frame(SETTINGS, 0, 0, &[])].concat()).await;
    // The server's own settings come first, and with them, or right behind, its larger window.
    while let Some(Frame { kind, flags, .. }) = next(&mut wire).await {
        if kind == SETTINGS && flags & ACK == 0 {
            wire.say(frame(SETTINGS, ACK, 0, &[])).await;
        }
        if kind == SETTINGS && flags & ACK != 0 {
            break;
        }
    }
    wire
}

/// The header block of a request.
pub(crate) fn block(request: &Request, token: &str) -> Vec<u8> {
    let mut block = [
        literal(b":method", request.method.as_bytes()),
        literal(b":scheme", b"http"),
        literal(b":authority", request.host.as_bytes()),
        literal(b":path", &request.target),
    ]
    .concat();
    for value in request.authorizations(token) {
        block.extend(literal(b"authorization", value.as_bytes()));
    }
    for (name, value) in &request.headers {
        block.extend(literal(name.to_ascii_lowercase().as_bytes(), value));
    }
    block
}

/// Opens a stream with this request.
pub(crate) fn opened(stream: u32, request: &Request, token: &str) -> Vec<u8> {
    let block = block(request, token);
    let end = if request.body.is_empty() { END_STREAM } else { 0 };
    let mut pieces = block.chunks(LARGEST).peekable();
    let mut bytes = Vec::new();
    let mut kind = HEADERS;
    while let Some(piece) = pieces.next() {
        let last = if pieces.peek().is_none() { END_HEADERS } else { 0 };
        let flags = if kind == HEADERS { end | last } else { last };
        bytes.extend(frame(kind, flags, stream, piece));
        kind = crate::frames::CONTINUATION;
    }
    bytes
}

/// Sends a request on a connection of its own; no answer when its stream or the connection ends without one.
pub(crate) async fn send(address: SocketAddr, request: &Request, token: &str) -> Option<Heard> {
    let mut wire = begin(address).await;
    let mut bytes = opened(1, request, token);
    let mut pieces = request.body.chunks(LARGEST).peekable();
    while let Some(piece) = pieces.next() {
        let end = if pieces.peek().is_none() { END_STREAM } else { 0 };
        bytes.extend(frame(DATA, end, 1, piece));
    }
    wire.say(bytes).await;
    hear(&mut wire, 1).await
}

/// Sends a request whose body does not end, as far as the other side opens its windows, and at most so many bytes; how
/// many were sent until there was an answer, and the answer.
pub(crate) async fn pour(
    address: SocketAddr,
    request: &Request,
    token: &str,
    most: usize,
) -> (usize, Option<Heard>) {
    let mut wire = Wire::to(address).await;
    wire.say([PREFACE, &frame(SETTINGS, 0, 0, &[])].concat()).await;
    wire.say(opened(1, request, token)).await;
    // RFC 9113, section 6.9.2: what stands before anybody says otherwise.
    let (mut of_all, mut of_stream) = (65_535_i64, 65_535_i64);
    let mut initial = of_stream;
    let mut sent = 0;
    let piece = frame(DATA, 0, 1, &[b'x'; LARGEST]);
    let size = i64::try_from(LARGEST).expect("a few");
    loop {
        while of_all.min(of_stream) >= size {
            assert!(sent < most, "it took {sent} bytes and would take more");
            wire.say(&piece).await;
            (of_all, of_stream, sent) = (of_all - size, of_stream - size, sent + LARGEST);
        }
        let Some(heard) = next(&mut wire).await else { return (sent, None) };
        let number = |at: usize| {
            let bytes = heard.payload.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
            i64::from(u32::from_be_bytes(bytes.expect("four bytes")))
        };
        match heard.kind {
            SETTINGS if heard.flags & ACK == 0 => {
                for (at, setting) in heard.payload.chunks(6).enumerate() {
                    // SETTINGS_INITIAL_WINDOW_SIZE.
                    if setting.starts_with(&[0, 4]) {
                        of_stream += number(6 * at + 2) - initial;
                        initial = number(6 * at + 2);
                    }
                }
                wire.say(frame(SETTINGS, ACK, 0, &[])).await;
            }
            PING if heard.flags & ACK == 0 => {
                wire.say(frame(PING, ACK, 0, &heard.payload)).await;
            }
            WINDOW_UPDATE if heard.stream == 0 => of_all += number(0),
            WINDOW_UPDATE => of_stream += number(0),
            HEADERS => {
                let answer = Some((status(&heard.payload), Vec::new()));
                return (
                    sent,
                    if heard.flags & END_STREAM == 0 {
                        rest(&mut wire, 1, answer).await
                    } else {
                        said(answer)
                    },
                );
            }
            RST_STREAM | GOAWAY => return (sent, None),
            _ => {}
        }
    }
}

/// The answer on a stream; none when it is reset or the connection ends first.
pub(crate) async fn hear(wire: &mut Wire, stream: u32) -> Option<Heard> {
    rest(wire, stream, None).await
}

/// Status and bytes of an answer so far.
type Half = Option<(u16, Vec<u8>)>;

fn said(half: Half) -> Option<Heard> {
    let (status, bytes) = half?;
    Some(Heard { status, body: serde_json::from_slice(&bytes).unwrap_or(Value::Null) })
}

/// What is left of the answer on a stream.
async fn rest(wire: &mut Wire, stream: u32, mut heard: Half) -> Option<Heard> {
    loop {
        let frame = next(wire).await?;
        match frame.kind {
            PING if frame.flags & ACK == 0 => {
                wire.say(crate::frames::frame(PING, ACK, 0, &frame.payload)).await;
            }
            HEADERS if frame.stream == stream => heard = Some((status(&frame.payload), Vec::new())),
            DATA if frame.stream == stream => {
                let credit = u32::try_from(frame.payload.len()).expect("24 bits").to_be_bytes();
                wire.say(crate::frames::frame(WINDOW_UPDATE, 0, 0, &credit)).await;
                heard.as_mut()?.1.extend(&frame.payload);
            }
            RST_STREAM if frame.stream == stream => return None,
            GOAWAY if heard.is_none() => return None,
            _ => {}
        }
        if matches!(frame.kind, HEADERS | DATA) && frame.stream == stream && frame.flags & END_STREAM != 0 {
            return said(heard);
        }
    }
}
