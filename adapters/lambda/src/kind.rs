//! What a raw Lambda event is, told by its shape, because one function may stand behind several sources.

use serde::Deserialize;
use serde_json::value::RawValue;

/// What an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An HTTP request through one of the fronts.
    Http(Front),
    /// A batch of an SQS event source mapping.
    Sqs,
    /// SNS that invokes the function directly. Florin takes SNS only through a queue, because here there is
    /// no partial failure, no order and no redelivery beyond two attempts.
    Sns,
    /// A tick of EventBridge Scheduler or of an EventBridge rule.
    Schedule,
    /// None of these; the invocation fails and says so.
    Unknown,
}

/// Which HTTP front asked; it decides how the answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Front {
    /// A REST API, or an HTTP API set to payload format 1.0.
    ApiGatewayV1,
    /// An HTTP API with payload format 2.0, or a function URL.
    ApiGatewayV2,
    /// An application load balancer.
    Alb {
        /// Whether the target group has `lambda.multi_value_headers.enabled`, which shows in the request and
        /// decides the only field the balancer reads in the answer.
        multi_value_headers: bool,
    },
}

/// The few members that tell the kinds apart; everything else is skipped.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Shape<'a> {
    #[serde(borrow)]
    http_method: Option<&'a RawValue>,
    #[serde(borrow)]
    raw_path: Option<&'a RawValue>,
    #[serde(borrow)]
    multi_value_headers: Option<&'a RawValue>,
    #[serde(borrow)]
    request_context: Option<&'a RawValue>,
    /// Only a Lambda authorizer's event carries one of these two.
    #[serde(borrow, alias = "routeArn")]
    method_arn: Option<&'a RawValue>,
    #[serde(borrow, rename = "Records")]
    records: Option<&'a RawValue>,
    #[serde(borrow, rename = "detail-type")]
    detail_type: Option<&'a RawValue>,
    #[serde(borrow)]
    florin: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct ContextShape<'a> {
    #[serde(borrow)]
    elb: Option<&'a RawValue>,
    #[serde(borrow)]
    http: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct RecordShape {
    #[serde(alias = "EventSource", rename = "eventSource")]
    source: String,
}

impl Kind {
    /// The kind of this event. Never fails: what is not recognised is [`Kind::Unknown`].
    pub fn of(event: &RawValue) -> Self {
        let Ok(shape) = serde_json::from_str::<Shape>(event.get()) else {
            return Self::Unknown;
        };
        if let Some(records) = shape.records {
            return match serde_json::from_str::<Vec<RecordShape>>(records.get()).unwrap_or_default().first() {
                Some(first) if first.source == "aws:sqs" => Self::Sqs,
                Some(first) if first.source == "aws:sns" => Self::Sns,
                _ => Self::Unknown,
            };
        }
        if shape.florin.is_some()
            || shape.detail_type.is_some_and(|kind| kind.get() == r#""Scheduled Event""#)
        {
            return Self::Schedule;
        }
        if shape.method_arn.is_some() {
            return Self::Unknown;
        }
        let context =
            shape.request_context.and_then(|raw| serde_json::from_str::<ContextShape>(raw.get()).ok());
        match context {
            Some(ContextShape { elb: Some(_), .. }) => {
                Self::Http(Front::Alb { multi_value_headers: shape.multi_value_headers.is_some() })
            }
            Some(ContextShape { http: Some(_), .. }) if shape.raw_path.is_some() => {
                Self::Http(Front::ApiGatewayV2)
            }
            Some(_) if shape.http_method.is_some() => Self::Http(Front::ApiGatewayV1),
            _ => Self::Unknown,
        }
    }
}
