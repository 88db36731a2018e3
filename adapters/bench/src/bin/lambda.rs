//! The baselines on Lambda: a minimal `lambda_http` function that answers at once, or reads one row.

use florin_bench::payment_row::{self, Reading};
use florin_bench::room::PONG;
use lambda_http::{Body, Error, Request, Response, run, service_fn};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

#[tokio::main]
async fn main() -> Result<(), Error> {
    #[expect(clippy::disallowed_methods, reason = "a program of its own, with two variables")]
    let variable = |name| std::env::var(name).ok();
    let (Some(url), Some(reading)) = (variable("BENCH_DATABASE_URL"), variable("BENCH_READING")) else {
        return run(service_fn(async |_: Request| answer(PONG.to_owned()))).await;
    };
    let reading: Reading = serde_json::from_str(&reading)?;
    let options: PgConnectOptions = url.parse()?;
    let options = options.options([("search_path", "payments")]);
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .connect_lazy_with(sqlx::ConnectOptions::disable_statement_logging(options));
    run(service_fn(async |request: Request| {
        let id = request.uri().path().rsplit('/').next().unwrap_or_default();
        match payment_row::find(&pool, &reading, florin_bench::site::TENANT, id).await? {
            Some(payment) => answer(serde_json::to_string(&payment)?),
            None => Ok(Response::builder().status(404).body(Body::Empty)?),
        }
    }))
    .await
}

fn answer(body: String) -> Result<Response<Body>, Error> {
    Ok(Response::builder().header("content-type", "application/json").body(Body::Text(body))?)
}
