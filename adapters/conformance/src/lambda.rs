//! The binary as a Lambda function's `bootstrap`, under a Runtime API of the test's own.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use florin_testkit::lambda_runtime_api::fronts::HttpRequest;
use florin_testkit::lambda_runtime_api::{Invoked, LambdaRuntimeApi};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};

use crate::client::Reply;
use crate::process::{Environment, Process};
use crate::site::Site;

/// The ways by which a request reaches a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Front {
    /// API Gateway, REST API (payload format 1.0).
    RestApi,
    /// API Gateway, HTTP API (payload format 2.0).
    HttpApi,
    /// A function URL.
    FunctionUrl,
    /// An application load balancer with multi-value headers.
    LoadBalancer,
    /// An application load balancer without them.
    PlainLoadBalancer,
}

impl Front {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::RestApi, Self::HttpApi, Self::FunctionUrl, Self::LoadBalancer, Self::PlainLoadBalancer];

    /// The event that this front makes of a request.
    pub fn event(self, request: &HttpRequest) -> Value {
        match self {
            Self::RestApi => request.through_rest_api(),
            Self::HttpApi => request.through_http_api(),
            Self::FunctionUrl => request.through_function_url(),
            Self::LoadBalancer => request.through_load_balancer(true),
            Self::PlainLoadBalancer => request.through_load_balancer(false),
        }
    }
}

/// A function: one execution environment.
pub struct Lambda {
    api: LambdaRuntimeApi,
    process: Process,
    name: String,
    environment: Environment,
}

impl Lambda {
    /// Starts the binary as a function of this site, which trusts the site's development key.
    ///
    /// # Panics
    /// When the Runtime API does not start.
    pub async fn start(site: &Site, name: &str) -> Self {
        Self::start_with(site, name, &[]).await
    }

    /// As [`Lambda::start`], with settings of its own.
    ///
    /// # Panics
    /// When the Runtime API does not start.
    pub async fn start_with(site: &Site, name: &str, settings: &[(&str, &str)]) -> Self {
        let api = LambdaRuntimeApi::start().await.expect("a free port");
        let mut environment = site.environment_with(settings);
        environment.push(("FLORIN_DEV".to_owned(), "1".to_owned()));
        environment.extend(api.environment().into_iter().map(|(name, value)| (name.to_owned(), value)));
        let process = Self::environment_of(site, name, &environment);
        Self { api, process, name: name.to_owned(), environment }
    }

    fn environment_of(site: &Site, name: &str, environment: &Environment) -> Process {
        Process::start(&[], environment, site.directory(), &site.directory().join(format!("{name}.log")))
    }

    /// The process.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Kills the environment, as at the deadline or between two invocations, and starts the next one.
    pub fn replace(&mut self, site: &Site) {
        self.process.kill();
        self.process = Self::environment_of(site, &self.name, &self.environment);
    }

    /// Invokes it with an event, within 30 s.
    pub async fn invoke(&self, event: &Value) -> Invoked {
        self.api.invoke(event).await
    }

    /// Invokes it with bytes that need not be an event of anybody's, within 30 s.
    pub async fn invoke_bytes(&self, payload: Vec<u8>) -> Invoked {
        self.api.invoke_within(Duration::from_secs(30), payload).await
    }

    /// What a front makes of the answer to an HTTP event, within 30 s.
    ///
    /// # Panics
    /// When the invocation fails: a front would say 502 then.
    pub async fn answered(&self, event: &Value) -> Reply {
        reply(&self.invoke(event).await.answer())
    }

    /// A request through a front, within 30 s.
    ///
    /// # Panics
    /// When the invocation fails: a front would say 502 then.
    pub async fn request(&self, front: Front, request: &HttpRequest) -> Reply {
        self.request_within(Duration::from_secs(30), front, request).await
    }

    /// A request through a front, with a deadline.
    ///
    /// # Panics
    /// When the invocation fails or is not over in time.
    pub async fn request_within(&self, deadline: Duration, front: Front, request: &HttpRequest) -> Reply {
        let event = front.event(request).to_string();
        reply(&self.api.invoke_within(deadline, event).await.answer())
    }
}

/// What the front makes of a function's answer.
pub(crate) fn reply(answer: &Value) -> Reply {
    let mut headers = HeaderMap::new();
    let mut add = |name: &str, value: &Value| {
        let name: HeaderName = name.parse().expect("a header's name");
        let value = value.as_str().expect("a header's value");
        headers.append(name, HeaderValue::from_str(value).expect("a header's value"));
    };
    for (name, value) in answer["headers"].as_object().into_iter().flatten() {
        add(name, value);
    }
    for (name, values) in answer["multiValueHeaders"].as_object().into_iter().flatten() {
        values.as_array().into_iter().flatten().for_each(|value| add(name, value));
    }
    let text = answer["body"].as_str().unwrap_or_default();
    let bytes = if answer["isBase64Encoded"] == json!(true) {
        STANDARD.decode(text).expect("base64")
    } else {
        text.as_bytes().to_vec()
    };
    let status = answer["statusCode"].as_u64().and_then(|status| u16::try_from(status).ok());
    Reply::of(status.expect("a status"), headers, bytes)
}
