//! The suite as functions: execution environments under a Runtime API each, and a front that sends requests to one
//! that is free, as AWS does.

use std::sync::Arc;
use std::time::Duration;

use florin_testkit::lambda_runtime_api::fronts::HttpRequest;
use florin_testkit::lambda_runtime_api::{Invoked, LambdaRuntimeApi};
use http::Method;
use serde_json::Value;
use tokio::sync::Mutex;

use super::control::Control;
use super::crew::Crew;
use super::door::Serves;
use crate::client::{Outgoing, Reply};
use crate::lambda::{Front, reply};
use crate::site::Site;

/// How long a function may take.
const DEADLINE: Duration = Duration::from_secs(10);

/// One execution environment: one event at a time.
pub(crate) struct Environment {
    api: LambdaRuntimeApi,
    crew: Arc<Crew>,
    control: Arc<Control>,
    place: usize,
    busy: Mutex<()>,
}

impl Environment {
    /// Starts an environment of a function that serves these functions of ours.
    pub(crate) async fn start(
        site: &Site,
        crew: &Arc<Crew>,
        control: &Arc<Control>,
        name: &str,
        serves: &str,
    ) -> Self {
        let api = LambdaRuntimeApi::start().await.expect("a free port");
        let settings = [("FLORIN_FUNCTIONS", serves), ("FLORIN_DATABASE_CONNECTIONS", "1")];
        let mut environment = site.environment_with(&settings);
        environment.extend(api.environment().into_iter().map(|(name, value)| (name.to_owned(), value)));
        let place = crew.start_as(name, String::new(), &[], environment);
        Self { api, crew: Arc::clone(crew), control: Arc::clone(control), place, busy: Mutex::default() }
    }

    /// Invokes it, when it is free; nothing when it was killed or out of time.
    pub(crate) async fn invoke(&self, event: &Value) -> Option<Value> {
        let _free = self.busy.lock().await;
        self.invoke_now(event).await
    }

    async fn invoke_now(&self, event: &Value) -> Option<Value> {
        self.api.set_ahead(self.control.ahead());
        let life = self.crew.lives(self.place);
        let killed = async {
            while self.crew.lives(self.place) == life {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::select! {
            invoked = self.api.invoke_within(DEADLINE, event.to_string()) => match invoked {
                Invoked::Answered(answer) => Some(answer),
                Invoked::Failed(_) | Invoked::TimedOut => None,
            },
            () = killed => None,
        }
    }
}

/// The functions of one run.
pub(crate) struct Functions {
    /// Behind the front of payments.
    pub(crate) payments: Vec<Environment>,
    /// Behind the front of audit.
    pub(crate) audit: Environment,
    /// Behind the front of the tally.
    pub(crate) tally: Environment,
}

impl Functions {
    /// A request through a front, each kind in turn; nothing where the front would answer 502 or 504.
    pub(crate) async fn request(
        &self,
        token: Option<&str>,
        turn: u64,
        method: &Method,
        path: &str,
        outgoing: Outgoing,
    ) -> Option<Reply> {
        let turn = usize::try_from(turn % 1_000_000).unwrap_or(0);
        let request = request(token, method, path, outgoing);
        let event = Front::ALL[turn % Front::ALL.len()].event(&request);
        match Serves::of(path) {
            Serves::Payments => self.payments(turn, &event).await,
            Serves::Audit => self.audit.invoke(&event).await,
            Serves::Tally => self.tally.invoke(&event).await,
        }
        .map(|answer| reply(&answer))
    }

    /// By an environment that is free, else by one that will be.
    async fn payments(&self, turn: usize, event: &Value) -> Option<Value> {
        let free = self.payments.iter().find_map(|environment| {
            let busy = environment.busy.try_lock().ok()?;
            Some((environment, busy))
        });
        match free {
            Some((environment, _busy)) => environment.invoke_now(event).await,
            None => self.payments[turn % self.payments.len()].invoke(event).await,
        }
    }
}

fn request(token: Option<&str>, method: &Method, path: &str, outgoing: Outgoing) -> HttpRequest {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let mut request = HttpRequest::new(method.as_str(), path);
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        request = request.query(&name, &value);
    }
    if let Some(token) = token {
        request = request.header("authorization", &format!("Bearer {token}"));
    }
    let mut content_type = None;
    for (name, value) in outgoing.headers {
        if name == "content-type" {
            content_type = Some(value);
        } else {
            request = request.header(&name, &value);
        }
    }
    match content_type {
        Some(content_type) => request.body(&content_type, outgoing.body),
        None => request,
    }
}
