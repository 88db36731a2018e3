//! stub
use florin_kernel::service::Definition;
use serde_json::Value;
pub fn json(_: &[&'static Definition]) -> Value {
    Value::Null
}
pub fn openapi(_: &[&'static Definition]) -> Value {
    Value::Null
}
pub fn asyncapi(_: &[&'static Definition]) -> Value {
    Value::Null
}
