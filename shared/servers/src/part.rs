//! The parts a test may need, and the environment variable that says where each one is.

use crate::skip;

/// Something real that tests talk to. The environment names it, so that a server which is already
/// there is used and nothing is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Part {
    /// PostgreSQL 15 or newer, as a superuser in the database `postgres`.
    Postgres,
    /// RabbitMQ 3.10 or newer.
    RabbitMq,
    /// Amazon SQS and SNS, played by moto.
    Sqs,
    /// The AWS Lambda Runtime API, played by cargo-lambda.
    Lambda,
    /// A Chromium that runs headless.
    Browser,
    /// A Python with `openapi-spec-validator`, `jsonschema` and `schemathesis`.
    Python,
    /// The official JSON Schema of AsyncAPI 3.0.
    AsyncApi,
    /// The files of real purchases beside the checkout; nothing brings them.
    Data,
}

impl Part {
    /// Every part, in the order they are reported.
    pub const ALL: [Part; 8] = [
        Part::Postgres,
        Part::RabbitMq,
        Part::Sqs,
        Part::Lambda,
        Part::Browser,
        Part::Python,
        Part::AsyncApi,
        Part::Data,
    ];

    /// The name used in `FLORIN_TEST_REQUIRE` and in reports.
    pub fn name(self) -> &'static str {
        match self {
            Part::Postgres => "postgres",
            Part::RabbitMq => "rabbitmq",
            Part::Sqs => "sqs",
            Part::Lambda => "lambda",
            Part::Browser => "browser",
            Part::Python => "python",
            Part::AsyncApi => "asyncapi",
            Part::Data => "data",
        }
    }

    /// The part of that name.
    pub fn named(name: &str) -> Option<Part> {
        Part::ALL.into_iter().find(|part| part.name() == name)
    }

    /// The environment variable that says where the part is: a URL, or the path of a file or program.
    pub fn variable(self) -> &'static str {
        match self {
            Part::Postgres => "FLORIN_TEST_POSTGRES_URL",
            Part::RabbitMq => "FLORIN_TEST_AMQP_URL",
            Part::Sqs => "FLORIN_TEST_SQS_ENDPOINT",
            Part::Lambda => "FLORIN_TEST_LAMBDA_ENDPOINT",
            Part::Browser => "FLORIN_TEST_CHROMIUM",
            Part::Python => "FLORIN_TEST_PYTHON",
            Part::AsyncApi => "FLORIN_TEST_ASYNCAPI_SCHEMA",
            Part::Data => "FLORIN_TEST_DATA",
        }
    }

    /// Where the part is, when the environment says so.
    #[expect(clippy::disallowed_methods, reason = "tests have no host that reads the environment for them")]
    pub fn given(self) -> Option<String> {
        std::env::var(self.variable()).ok().filter(|place| !place.is_empty())
    }

    /// Where the part is; `None` records that the calling test is skipped, and the test returns.
    ///
    /// # Panics
    /// When the part is not there although `FLORIN_TEST_REQUIRE` names it.
    pub fn needed(self) -> Option<String> {
        let place = self.given();
        if place.is_none() {
            skip(self, &format!("{} is not set (`cargo xtask test` brings it)", self.variable()));
        }
        place
    }
}
