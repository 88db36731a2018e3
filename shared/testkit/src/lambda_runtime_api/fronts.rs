//! One logical HTTP request as the event that each front makes of it.
//!
//! What the fronts do was recorded by others and is written down in AWS's documentation: REST APIs and load
//! balancers keep repeated headers, the others join them; HTTP APIs decode the path; load balancers do not
//! decode the query; bodies that are not text arrive as base64.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::{Map, Value, json};

/// What `encodeURIComponent` leaves alone, less its five historical marks.
const COMPONENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A request as a client writes it.
#[derive(Clone, Debug)]
pub struct HttpRequest {
    /// `GET`, `POST`...
    pub method: String,
    /// The path, percent-encoded.
    pub path: String,
    /// Names and values, not encoded, in order.
    pub query: Vec<(String, String)>,
    /// Names in lower case and values, in order; a name may repeat.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl HttpRequest {
    /// A request with a Host and nothing else.
    pub fn new(method: &str, path: &str) -> Self {
        Self {
            method: method.to_owned(),
            path: path.to_owned(),
            query: Vec::new(),
            headers: vec![("host".to_owned(), "api.example.com".to_owned())],
            body: Vec::new(),
        }
    }

    /// Adds a query parameter.
    #[must_use]
    pub fn query(mut self, name: &str, value: &str) -> Self {
        self.query.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_ascii_lowercase(), value.to_owned()));
        self
    }

    /// Sets a body and its media type.
    #[must_use]
    pub fn body(mut self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        let length = self.body.len().to_string();
        self.header("content-type", content_type).header("content-length", &length)
    }

    /// Through a REST API, on its own domain, at the stage `prod`, with every media type binary.
    pub fn through_rest_api(&self) -> Value {
        let stage_path = format!("/prod{}", self.path);
        let mut event = json!({
            "resource": "/{proxy+}",
            "path": self.path,
            "httpMethod": self.method,
            "headers": last_of_each(&self.headers),
            "multiValueHeaders": all_of_each(&self.headers),
            "queryStringParameters": last_of_each(&self.query),
            "multiValueQueryStringParameters": all_of_each(&self.query),
            "pathParameters": {"proxy": self.path.trim_start_matches('/')},
            "stageVariables": null,
            "requestContext": {
                "accountId": "123456789012", "apiId": "abc123", "stage": "prod", "path": stage_path,
                "domainName": "abc123.execute-api.eu-central-1.amazonaws.com", "domainPrefix": "abc123",
                "httpMethod": self.method, "resourcePath": "/{proxy+}", "protocol": "HTTP/1.1",
                "requestId": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef", "requestTimeEpoch": 1_769_860_800_000_i64,
                "identity": {"sourceIp": "203.0.113.7"},
            },
        });
        for name in ["queryStringParameters", "multiValueQueryStringParameters"] {
            if self.query.is_empty() {
                event[name] = Value::Null;
            }
        }
        self.with_body(event, std::str::from_utf8(&self.body).is_err())
    }

    /// Through an HTTP API with payload format 2.0, at its default stage.
    pub fn through_http_api(&self) -> Value {
        self.version_two(
            &percent_decode_str(&self.path).decode_utf8_lossy(),
            "abc123.execute-api.eu-central-1.amazonaws.com",
            "$default",
        )
    }

    /// Through an HTTP API with payload format 2.0, on its own domain, at a named stage.
    pub fn through_http_api_stage(&self, stage: &str) -> Value {
        self.version_two(
            &format!("/{stage}{}", percent_decode_str(&self.path).decode_utf8_lossy()),
            "abc123.execute-api.eu-central-1.amazonaws.com",
            stage,
        )
    }

    /// Through a function URL.
    pub fn through_function_url(&self) -> Value {
        self.version_two(&self.path, "abc123.lambda-url.eu-central-1.on.aws", "$default")
    }

    /// Through a load balancer, with or without `lambda.multi_value_headers.enabled`.
    pub fn through_load_balancer(&self, multi_value_headers: bool) -> Value {
        let query: Vec<(String, String)> = self.query.iter().map(|(n, v)| (encoded(n), encoded(v))).collect();
        let mut event = json!({
            "requestContext": {"elb": {
                "targetGroupArn": "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/florin/6d0ecf831eec9f09",
            }},
            "httpMethod": self.method,
            "path": self.path,
        });
        if multi_value_headers {
            event["multiValueHeaders"] = all_of_each(&self.headers);
            event["multiValueQueryStringParameters"] = all_of_each(&query);
        } else {
            event["headers"] = last_of_each(&self.headers);
            event["queryStringParameters"] = last_of_each(&query);
        }
        self.with_body(event, std::str::from_utf8(&self.body).is_err())
    }

    fn version_two(&self, raw_path: &str, domain: &str, stage: &str) -> Value {
        let (cookies, headers): (Vec<_>, Vec<_>) =
            self.headers.iter().cloned().partition(|(name, _)| name == "cookie");
        let cookies: Vec<&str> = cookies.iter().flat_map(|(_, value)| value.split("; ")).collect();
        let raw_query: Vec<String> =
            self.query.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
        let mut event = json!({
            "version": "2.0",
            "routeKey": "$default",
            "rawPath": raw_path,
            "rawQueryString": raw_query.join("&"),
            "headers": joined(&headers),
            "requestContext": {
                "accountId": "123456789012", "apiId": "abc123", "stage": stage, "routeKey": "$default",
                "domainName": domain, "domainPrefix": "abc123", "requestId": "JKJaXmPLvHcESHA=",
                "timeEpoch": 1_769_860_800_000_i64,
                "http": {
                    "method": self.method, "path": raw_path, "protocol": "HTTP/1.1",
                    "sourceIp": "203.0.113.7", "userAgent": "test",
                },
            },
        });
        if !self.query.is_empty() {
            event["queryStringParameters"] = joined(&self.query);
        }
        if !cookies.is_empty() {
            event["cookies"] = json!(cookies);
        }
        // Measured: text/*, JSON, XML and JavaScript arrive as text, everything else as base64.
        let content_type =
            self.headers.iter().find(|(name, _)| name == "content-type").map(|(_, value)| value);
        let is_text = content_type.is_some_and(|value| {
            ["text/", "application/json", "application/xml", "application/javascript"]
                .iter()
                .any(|known| value.starts_with(known))
        });
        self.with_body(event, !is_text)
    }

    fn with_body(&self, mut event: Value, as_base64: bool) -> Value {
        if self.body.is_empty() {
            event["body"] = Value::Null;
            event["isBase64Encoded"] = Value::Bool(false);
        } else if as_base64 {
            event["body"] = Value::String(STANDARD.encode(&self.body));
            event["isBase64Encoded"] = Value::Bool(true);
        } else {
            event["body"] = Value::String(String::from_utf8_lossy(&self.body).into_owned());
            event["isBase64Encoded"] = Value::Bool(false);
        }
        event
    }
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, COMPONENT).to_string()
}

fn last_of_each(pairs: &[(String, String)]) -> Value {
    Value::Object(pairs.iter().map(|(name, value)| (name.clone(), json!(value))).collect())
}

fn all_of_each(pairs: &[(String, String)]) -> Value {
    let mut all: Map<String, Value> = Map::new();
    for (name, value) in pairs {
        if let Value::Array(values) = all.entry(name.clone()).or_insert_with(|| json!([])) {
            values.push(json!(value));
        }
    }
    Value::Object(all)
}

fn joined(pairs: &[(String, String)]) -> Value {
    let mut all: Map<String, Value> = Map::new();
    for (name, value) in pairs {
        let joined = match all.get(name).and_then(Value::as_str) {
            Some(before) => format!("{before},{value}"),
            None => value.clone(),
        };
        all.insert(name.clone(), Value::String(joined));
    }
    Value::Object(all)
}
