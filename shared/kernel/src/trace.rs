//! Traces: under which identifiers work is traced, and how a span says so.
//!
//! The kernel makes the identifiers itself and knows no exporter, so that rows, events, audit records, problems, log
//! lines and exported spans name the same trace in every build, whether somebody collects it or not. A span is an
//! ordinary [`tracing`] span with the target [`TARGET`] and these fields; every further field is an attribute:
//!
//! | field | what it says |
//! |---|---|
//! | `otel.name` | the span's name |
//! | `otel.kind` | `server`, `client`, `producer`, `consumer` or `internal` |
//! | `trace.context` | the `traceparent` of the span itself |
//! | `trace.parent` | the identifier of its parent, which is in the same trace |
//! | `trace.link` | the `traceparent` of a span that it links to |
//! | `error.type` | what it failed of; its status is then an error |
//! | `trace.ended` | recorded by [`end`] |
//!
//! Names follow OpenTelemetry's semantic conventions 1.44. A delivery's span is both a child of the span that published
//! the event and linked to it: the messaging conventions ask for the link and allow the parent where a span stands for
//! one message, and only so is it one trace from the request to the audit record.

use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};

/// The target of every span that is exported, so that no setting of the log can switch it off.
pub const TARGET: &str = "florin::trace";

/// Ends a span that declares `trace.ended`. One that is cancelled ends when its last handle is dropped; but a database
/// driver's thread keeps a handle for a while, and what ends when it lets go ends too late to be sent in time.
pub fn end(span: &tracing::Span) {
    span.record("trace.ended", true);
}

/// A W3C trace context `traceparent`, version 00 (https://www.w3.org/TR/trace-context/).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceParent([u8; LENGTH]);

const LENGTH: usize = 55;
const FLAGS: usize = 53;

/// Which share of the traces that begin here are sampled, in 2^63rds of all.
static SAMPLED: AtomicU64 = AtomicU64::new(1 << 63);

/// Samples this share, from 0 to 1, of the traces that begin in this process. One that a caller began keeps the
/// caller's flag: the sampler is `parentbased_traceidratio` of the OpenTelemetry specification, and by default 1.
pub fn sample_roots(share: f64) {
    let bound = (share.clamp(0.0, 1.0) * (1u64 << 63) as f64) as u64;
    SAMPLED.store(bound, Ordering::Relaxed);
}

impl TraceParent {
    /// The header's text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("digits and hyphens are ASCII")
    }

    /// A new span: of the trace that a caller brought, else of a new one.
    pub fn span(parent: Option<&Self>) -> Self {
        let mut random = [0u8; 24];
        // As for identifiers: a system without randomness is no place to go on.
        aws_lc_rs::rand::fill(&mut random).expect("the operating system gives randomness");
        let mut text = parent.map_or(*b"00-00000000000000000000000000000000-0000000000000000-00", |p| p.0);
        if parent.is_none() {
            write_hex(&random[..16], &mut text[3..35]);
            let lot = u64::from_be_bytes(random[8..16].try_into().expect("eight bytes are eight")) >> 1;
            text[FLAGS + 1] = if lot < SAMPLED.load(Ordering::Relaxed) { b'1' } else { b'0' };
        }
        write_hex(&random[16..], &mut text[36..52]);
        Self(text)
    }

    /// The 32 hexadecimal digits of the trace's identifier.
    pub fn trace_id(&self) -> &str {
        &self.as_str()[3..35]
    }

    /// The 16 hexadecimal digits of the span's identifier.
    pub fn span_id(&self) -> &str {
        &self.as_str()[36..52]
    }

    /// Whether the trace is sampled: whoever began it wants it collected.
    pub fn is_sampled(&self) -> bool {
        u8::from_str_radix(&self.as_str()[FLAGS..], 16).is_ok_and(|flags| flags & 1 == 1)
    }
}

fn write_hex(bytes: &[u8], text: &mut [u8]) {
    hex::encode_to_slice(bytes, text).expect("there are two digits for each byte");
}

impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text is not a `traceparent`.
#[derive(Debug, thiserror::Error)]
#[error("not a W3C traceparent of version 00")]
pub struct NotATraceParent;

impl FromStr for TraceParent {
    type Err = NotATraceParent;
    fn from_str(text: &str) -> Result<Self, NotATraceParent> {
        let digits = |part: &str, len| {
            part.len() == len && part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
        };
        let mut parts = text.split('-');
        let said = [parts.next(), parts.next(), parts.next(), parts.next(), parts.next()];
        match said {
            [Some("00"), Some(trace), Some(span), Some(flags), None]
                if digits(trace, 32)
                    && digits(span, 16)
                    && digits(flags, 2)
                    && trace.bytes().any(|b| b != b'0')
                    && span.bytes().any(|b| b != b'0') =>
            {
                text.as_bytes().try_into().map(Self).map_err(|_| NotATraceParent)
            }
            _ => Err(NotATraceParent),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_traceparent_of_zeros_or_of_other_shape_is_refused() {
        assert_eq!(GOOD.parse::<TraceParent>().unwrap().trace_id(), "4bf92f3577b34da6a3ce929d0e0e4736");
        for bad in [
            "",
            "00-0-0-0",
            &GOOD.to_uppercase(),
            &format!("{GOOD}-00"),
            &GOOD.replace("4bf92f3577b34da6a3ce929d0e0e4736", &"0".repeat(32)),
        ] {
            assert!(bad.parse::<TraceParent>().is_err(), "{bad} was taken");
        }
    }

    #[test]
    fn a_span_is_of_its_parents_trace_and_keeps_its_flags() {
        for (flags, sampled) in [("00", false), ("01", true), ("03", true), ("02", false)] {
            let parent: TraceParent = format!("{}{flags}", &GOOD[..FLAGS]).parse().unwrap();
            let child = TraceParent::span(Some(&parent));
            assert_eq!((child.trace_id(), child.is_sampled()), (parent.trace_id(), sampled));
            assert_ne!(child.span_id(), parent.span_id());
            assert_eq!(&child.as_str()[FLAGS..], flags);
        }
    }

    #[test]
    fn a_new_trace_is_well_formed_and_sampled() {
        let root = TraceParent::span(None);
        assert_eq!(root.as_str().parse::<TraceParent>().unwrap(), root);
        assert!(root.is_sampled());
        assert_ne!(root.trace_id(), TraceParent::span(None).trace_id());
    }
}
