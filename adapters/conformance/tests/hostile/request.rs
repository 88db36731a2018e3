//! One request as a hostile client writes it, before any front has touched it.

/// What stands for the body's media type unless a case says otherwise.
const JSON: &str = "application/json";

/// A request; its header fields are sent as they stand, in this order.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// Path and query, as they go onto the wire.
    pub(crate) target: Vec<u8>,
    pub(crate) host: String,
    /// `None`: the good token of the stage.
    pub(crate) authorization: Option<Vec<String>>,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// GET with the good token.
    pub(crate) fn get(target: impl AsRef<[u8]>) -> Self {
        Self {
            method: "GET".to_owned(),
            target: target.as_ref().to_vec(),
            host: "florin.test".to_owned(),
            authorization: None,
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// POST of these bytes as JSON with the good token.
    pub(crate) fn post(target: &str, body: impl AsRef<[u8]>) -> Self {
        let request = Self { method: "POST".to_owned(), body: body.as_ref().to_vec(), ..Self::get(target) };
        request.header("content-type", JSON)
    }

    /// POST of these bytes as the JSON of a payment.
    pub(crate) fn pay(body: impl AsRef<[u8]>) -> Self {
        Self::post("/v1/payments", body)
    }

    /// Adds a header field.
    #[must_use]
    pub(crate) fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name.to_owned(), value.as_ref().to_vec()));
        self
    }

    /// With no token.
    #[must_use]
    pub(crate) fn anonymous(mut self) -> Self {
        self.authorization = Some(Vec::new());
        self
    }

    /// With these `Authorization` fields.
    #[must_use]
    pub(crate) fn authorized(mut self, values: &[&str]) -> Self {
        self.authorization = Some(values.iter().map(|&value| value.to_owned()).collect());
        self
    }

    /// With this bearer token.
    #[must_use]
    pub(crate) fn bearing(self, token: &str) -> Self {
        self.authorized(&[&format!("Bearer {token}")])
    }

    /// The `Authorization` fields, where `token` is the good one.
    pub(crate) fn authorizations(&self, token: &str) -> Vec<String> {
        self.authorization.clone().unwrap_or_else(|| vec![format!("Bearer {token}")])
    }
}
