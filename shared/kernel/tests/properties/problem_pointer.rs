//! A refused request is told where it is wrong by a JSON pointer (RFC 6901) that leads there, in a short problem.

use florin_kernel::input::Input;
use florin_kernel::json::{MAX_DEPTH, strict};
use florin_kernel::problem::Problem;
use serde::Deserialize;
use serde_json::Value;

/// A request with one of each: plain fields, optional ones, lists, objects in objects.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only parsed")]
struct Order {
    id: String,
    amount: Option<i64>,
    lines: Option<Vec<Line>>,
    #[serde(default)]
    confirm: bool,
    kind: Option<Kind>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only parsed")]
struct Line {
    quantity: u32,
    note: Option<String>,
    inner: Option<Box<Line>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    First,
    Second,
}

/// Holds for all bytes as the body of a request.
pub(crate) fn holds(data: &[u8]) {
    let mut input = Input::default();
    let Err(problem) = input.body(data).and_then(|()| input.parse::<Order>()) else { return };
    let document = problem.to_json("4bf92f3577b34da6a3ce929d0e0e4736").to_string();
    assert!(document.len() < 4_000, "a problem of {} bytes", document.len());
    let pointer = pointer(&problem);
    assert!(is_pointer(pointer), "{pointer:?} is no JSON pointer");
    // What no reader or only a lenient one reads has no place that all agree on.
    if let Ok(body) = strict(data, MAX_DEPTH) {
        assert!(leads(&body, pointer), "{pointer:?} leads nowhere in {body}");
    }
}

fn pointer(problem: &Problem) -> &str {
    let [error] = problem.errors.as_slice() else { panic!("not one place: {problem:?}") };
    error.pointer.as_deref().unwrap_or_else(|| panic!("no pointer: {problem:?}"))
}

/// RFC 6901, section 3.
fn is_pointer(text: &str) -> bool {
    let tilde_is_escape = |(at, _)| matches!(text.as_bytes().get(at + 1), Some(b'0' | b'1'));
    (text.is_empty() || text.starts_with('/')) && text.match_indices('~').all(tilde_is_escape)
}

/// Whether this is a place in the body, or a member that an object of it does not have.
fn leads(body: &Value, pointer: &str) -> bool {
    let parent = pointer.rsplit_once('/').map(|(parent, _)| parent);
    body.pointer(pointer).is_some()
        || parent.is_some_and(|parent| body.pointer(parent).is_some_and(Value::is_object))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::{btree_map, vec};
    use proptest::prelude::*;

    fn name() -> impl Strategy<Value = String> {
        let known = prop::sample::select(vec!["id", "amount", "lines", "kind", "quantity", "note", "inner"]);
        prop_oneof![
            4 => known.prop_map(str::to_owned),
            1 => "[a-z`~/, ]{0,12}",
            1 => Just("`, expected `".to_owned()),
            1 => ".{0,8}",
            1 => "x{500}",
        ]
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            ".{0,12}".prop_map(Value::from),
            "x{1000}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                vec(inner.clone(), 0..4).prop_map(Value::from),
                btree_map(name(), inner, 0..4).prop_map(|members| members.into_iter().collect()),
            ]
        })
    }

    proptest! {
        #[test]
        fn bytes_are_told_where_they_are_wrong(data: Vec<u8>) {
            holds(&data);
        }

        #[test]
        fn json_is_told_where_it_is_wrong(members in btree_map(name(), value(), 0..5)) {
            let body: Value = members.into_iter().collect();
            holds(body.to_string().as_bytes());
        }

        #[test]
        fn damaged_json_is_told_where_it_is_wrong(
            members in btree_map(name(), value(), 1..5),
            at: prop::sample::Index,
            byte in prop_oneof![any::<u8>(), prop::sample::select(b"\"{}[],:`\\".to_vec())],
        ) {
            let mut body = members.into_iter().collect::<Value>().to_string().into_bytes();
            let at = at.index(body.len());
            body[at] = byte;
            holds(&body);
        }
    }
}
