//! A payment that is about to be confirmed, with a proxy before the provider.

use florin_conformance::audit::{assert_recorded, event, operation};
use florin_conformance::card_proxy::CardProxy;
use florin_conformance::client::{Client, Reply};
use florin_conformance::commit_proxy::CommitProxy;
use florin_conformance::server::Server;
use florin_conformance::site::{Broker, Site};
use florin_conformance::wait::until;
use florin_testkit::suite::{Database, Engine};
use futures_util::future::join_all;
use serde_json::json;
use tokio::task::JoinHandle;

/// The key of the confirm.
const KEY: &str = "confirm-1";

pub(crate) struct Scene {
    pub(crate) site: Site,
    pub(crate) card: CardProxy,
    /// Before PostgreSQL; there is none before SQLite.
    pub(crate) commits: Option<CommitProxy>,
    pub(crate) florin: Server,
    pub(crate) client: Client,
    pub(crate) payment: String,
}

impl Scene {
    /// None where the database is not to be had.
    pub(crate) async fn on(engine: Engine) -> Option<Self> {
        Self::with(engine, &[]).await
    }

    /// As [`Scene::on`], with settings of the process.
    pub(crate) async fn with(engine: Engine, settings: &[(&str, &str)]) -> Option<Self> {
        let mut site = Site::new(engine, &Broker::Embedded).await?;
        let card = CardProxy::start(site.sandbox.base()).await;
        site.set("FLORIN_CARD_URL", card.base());
        for (name, value) in settings {
            site.set(name, *value);
        }
        let commits = match site.database.clone() {
            Database::Sqlite(_) => None,
            Database::Postgres { login, .. } => {
                let proxy = CommitProxy::start(&login).await;
                site.set("FLORIN_DATABASE_URL", proxy.through(&login));
                Some(proxy)
            }
        };
        let florin = site.serve().await;
        let client = site.client(&florin, "acme");
        let body = json!({ "amount": 4_200, "currency": "EUR", "payment_method": "pm_card_visa" });
        let payment = client.post_once("/v1/payments", "create-1", body).await.expect(201).id();
        Some(Self { site, card, commits, florin, client, payment })
    }

    pub(crate) fn confirm_path(&self) -> String {
        format!("/v1/payments/{}/confirm", self.payment)
    }

    /// Confirms in a task of its own; aborting it is a client that goes away.
    pub(crate) fn confirm(&self) -> JoinHandle<Result<Reply, reqwest::Error>> {
        let (client, path) = (self.client.clone(), self.confirm_path());
        tokio::spawn(async move { client.try_post_once(&path, KEY, json!({})).await })
    }

    /// The payment's status now.
    pub(crate) async fn status(&self) -> String {
        let payment = self.client.get(&format!("/v1/payments/{}", self.payment)).await.expect(200);
        payment.body["status"].as_str().unwrap_or_default().to_owned()
    }

    /// Kills the process and starts it again on the same data.
    pub(crate) async fn killed(mut self) -> Self {
        self.florin.kill();
        self.again().await
    }

    /// Starts the process, which was killed, again on the same data.
    pub(crate) async fn again(self) -> Self {
        let Self { site, card, commits, florin, client, payment } = self;
        Self { florin: florin.again().await, site, card, commits, client, payment }
    }

    /// Starts the process, which was killed, on the same data at another port, and so at another public address.
    pub(crate) async fn elsewhere(self) -> Self {
        let Self { site, card, commits, florin, payment, .. } = self;
        let moved = site.serve_with("elsewhere", &[]).await;
        assert_ne!(florin.base(), moved.base());
        let client = site.client(&moved, "acme");
        Self { florin: moved, client, site, card, commits, payment }
    }

    /// Repeats the confirm until its answer is final.
    pub(crate) async fn repeated(&self) -> Reply {
        until("the final answer", || async {
            let reply = self.client.try_post_once(&self.confirm_path(), KEY, json!({})).await.ok()?;
            match (reply.status, reply.code()) {
                (200, _) => Some(reply),
                (202, _) | (503, _) | (409, "idempotency_key_in_use") => {
                    assert!(reply.header("retry-after").is_some(), "{reply:?}");
                    None
                }
                _ => panic!("no answer of a confirm that goes on: {reply:?}"),
            }
        })
        .await
    }

    /// What every row of the table ends with.
    pub(crate) async fn assert_confirmed_once(&self) {
        let last = self.repeated().await;
        assert_eq!(last.body["status"], "succeeded", "{last:?}");
        assert_eq!(last.body["amount_received"], 4_200, "{last:?}");
        let path = self.confirm_path();
        let everybody = (0..5).map(|_| self.client.post_once(&path, KEY, json!({})));
        for reply in join_all(everybody).await {
            assert_eq!((reply.status, &reply.bytes), (200, &last.bytes), "{reply:?}");
            assert_eq!(reply.header("idempotency-replayed"), Some("true"), "{reply:?}");
        }
        self.site.sandbox.assert_charged_once(&self.payment).await;
        let payment = &self.payment;
        let expected = vec![
            operation("create_payment", payment, "succeeded"),
            event("payment.created", payment, 1),
            operation("confirm_payment", payment, "accepted"),
            operation("record_charge", payment, "succeeded"),
            event("payment.succeeded", payment, 3),
        ];
        assert_recorded(&self.site, &self.client, expected).await;
    }
}
