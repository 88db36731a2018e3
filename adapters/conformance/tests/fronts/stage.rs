//! One deployment with everything that can stand before it, on one database.

use florin_conformance::client::{Client, Outgoing, Reply};
use florin_conformance::lambda::{Front, Lambda};
use florin_conformance::server::Server;
use florin_conformance::sink::Sink;
use florin_conformance::site::{Broker, DELIVERY_SECRET, Site};
use florin_testkit::lambda_runtime_api::fronts::HttpRequest;
use florin_testkit::suite::Engine;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

pub(crate) struct Stage {
    pub(crate) site: Site,
    pub(crate) container: Server,
    /// On PostgreSQL. An SQLite file has one serving process.
    pub(crate) knative: Option<Server>,
    pub(crate) lambda: Lambda,
    _sink: Sink,
}

/// A way that a request takes.
pub(crate) enum Way {
    Socket { name: &'static str, client: Client },
    Function(Front),
}

impl std::fmt::Debug for Way {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Socket { name, .. } => f.write_str(name),
            Self::Function(front) => front.fmt(f),
        }
    }
}

impl Stage {
    /// None where the database is not to be had.
    pub(crate) async fn on(engine: Engine) -> Option<Self> {
        let sink = Sink::keeping().await;
        let mut site = Site::new(engine, &Broker::Http(sink.base().to_owned())).await?;
        // A function does not know by itself where browsers reach it.
        site.set("FLORIN_PUBLIC_URL", "https://pay.example");
        site.set("FLORIN_DELIVERY_SECRET", DELIVERY_SECRET);
        let container = site.serve().await;
        let knative = match engine {
            Engine::Sqlite => None,
            Engine::Postgres => {
                let data = site.another_data_directory("knative").display().to_string();
                let environment = site.environment_with(&[("FLORIN_DATA", &data), ("FLORIN_DEV", "1")]);
                Some(Server::spawn_on_knative("knative", environment, site.directory()).ready().await)
            }
        };
        let lambda = Lambda::start(&site, "lambda").await;
        Some(Self { site, container, knative, lambda, _sink: sink })
    }

    /// Every way there is, the container over HTTP/1.1 first.
    pub(crate) fn ways(&self) -> Vec<Way> {
        let container = Client::new(self.container.base(), None);
        let mut ways = vec![
            Way::Socket { name: "the container over HTTP/1.1", client: container.clone() },
            Way::Socket { name: "the container over h2c", client: container.over_h2c() },
        ];
        if let Some(knative) = &self.knative {
            let knative = Client::new(knative.base(), None);
            ways.push(Way::Socket { name: "Knative over HTTP/1.1", client: knative.clone() });
            ways.push(Way::Socket { name: "Knative over h2c", client: knative.over_h2c() });
        }
        ways.extend(Front::ALL.map(Way::Function));
        ways
    }

    /// What a request is answered on its way.
    pub(crate) async fn ask(&self, way: &Way, request: &HttpRequest) -> Reply {
        match way {
            Way::Socket { client, .. } => through_socket(client, request).await,
            Way::Function(front) => self.lambda.request(*front, request).await,
        }
    }
}

/// The request as a client sends it over a socket.
async fn through_socket(client: &Client, request: &HttpRequest) -> Reply {
    let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let query: Vec<String> =
        request.query.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
    let path = match query.is_empty() {
        true => request.path.clone(),
        false => format!("{}?{}", request.path, query.join("&")),
    };
    const OWN: [&str; 2] = ["host", "content-length"];
    let headers = request.headers.iter().filter(|(name, _)| !OWN.contains(&name.as_str())).cloned().collect();
    let method = request.method.parse().expect("a method");
    let outgoing = Outgoing { headers, body: request.body.clone() };
    client.send(method, &path, outgoing).await.expect("an answer")
}
