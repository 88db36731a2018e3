//! The guarded door: `POST /_deliver/{function}` takes CloudEvents for one function, and ticks for one job.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use florin_http::app::App;
use florin_http::call::{read_body, trace_of};
use florin_http::reply;
use florin_http::router::method_not_allowed;
use florin_http::span::traced;
use florin_http::token::{TokenRefusal, Verifier};
use florin_kernel::corridor::Disposition;
use florin_kernel::event::Event;
use florin_kernel::function::Room;
use florin_kernel::metric;
use florin_kernel::problem::{Problem, codes};
use florin_kernel::service::Service;
use florin_queue::cloudevents::{Limits, decode_http};
use http::HeaderValue;
use http::StatusCode;
use http::header::{AUTHORIZATION, HeaderMap, RETRY_AFTER};
use tokio::sync::Semaphore;

/// How many deliveries are read and handled at once. A batch may be 4 MiB and a Broker pushes as many as it likes, so the
/// others wait before their bodies are read.
const PLACES: usize = 16;
/// When a delivery that found no place may come again.
const FULL: Duration = Duration::from_secs(1);
/// The most of a sender's own words that is told, in characters.
const SAID: usize = 256;

/// Who may deliver. There is no door without one.
pub enum Guard {
    /// Whoever bears this mounted secret; several are separated by spaces, while one takes the other's place.
    Secret(Vec<u8>),
    /// Whoever bears a token that this verifier accepts: a platform's own identity, for this door's audience.
    Token(Box<Verifier>),
}

impl Guard {
    async fn admit(&self, headers: &HeaderMap, app: &App) -> Result<(), Problem> {
        let stranger = || codes::UNAUTHENTICATED.because("this door is for the platform's deliveries");
        match self {
            Self::Secret(secret) if !secret.is_empty() && bears(headers, secret) => Ok(()),
            Self::Secret(_) => Err(stranger()),
            Self::Token(verifier) => {
                let Some(now) = app.services().first().map(|s| s.clock.now()) else { return Err(stranger()) };
                verifier.admit(headers, now).await.map_err(|refusal| match refusal {
                    // Brokers give up on a 401 and come again on a 503.
                    TokenRefusal::KeysAway { .. } => {
                        codes::UNAVAILABLE.because("the keys that verify tokens are away")
                    }
                    _ => stranger(),
                })
            }
        }
    }
}

struct Door {
    app: Arc<App>,
    guard: Guard,
    places: Semaphore,
}

/// The door's route. It is off unless a deployment asks for it, and belongs on an address that is not public.
pub fn routes(app: &Arc<App>, guard: Guard) -> Router {
    let door = Door { app: Arc::clone(app), guard, places: Semaphore::new(PLACES) };
    Router::new()
        .route("/_deliver/{function}", post(deliver))
        .method_not_allowed_fallback(method_not_allowed)
        .with_state(Arc::new(door))
        .layer(from_fn(async |request, next: Next| traced(request, |request| next.run(request)).await))
}

async fn deliver(State(door): State<Arc<Door>>, Path(function): Path<String>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let trace = trace_of(&parts.extensions);
    let no = |problem: Problem| reply::problem(&problem, &trace);
    if let Err(problem) = door.guard.admit(&parts.headers, &door.app).await {
        metrics::counter!(metric::UNAUTHENTICATED.name, "florin.code" => "delivery").increment(1);
        return no(problem);
    }
    let waited = tokio::time::timeout(door.app.limits().room, door.places.acquire()).await;
    let Ok(Ok(_place)) = waited else {
        return no(codes::UNAVAILABLE.because("too many deliveries at once").retry_after(FULL));
    };
    let Some(service) = door.app.owner(&function) else {
        return no(codes::NOT_FOUND.because("no such function is served here"));
    };
    let limits = Limits::default();
    let body = match read_body(body, limits.max_batch_bytes, door.app.limits().arrival).await {
        Ok(body) => body,
        Err(problem) => {
            // What broke off or was too slow comes again.
            if problem.code == codes::BODY_TOO_LARGE {
                tell_of_unread(service, &function, &parts.headers, problem.code.code, &problem.detail);
            }
            return no(problem);
        }
    };
    let events = match decode_http(&parts.headers, &body, &limits) {
        Ok(events) => events,
        Err(error) => {
            tell_of_unread(service, &function, &parts.headers, error.code(), &error.to_string());
            return no(codes::INVALID_REQUEST.because(error.to_string()).with("reason", error.code()));
        }
    };
    if service.schedules().iter().any(|(job, _)| *job == function) {
        return answer(service.tick(&function).await);
    }
    match service.served().find(|f| f.name == function).map(|f| f.room) {
        Some(Room::Reaction(_)) => deliver_all(&door.app, service, &function, events).await,
        _ => no(codes::NOT_FOUND.because("this function takes no deliveries")),
    }
}

/// Nothing here can keep what is no event, and brokers do not bring again what was answered 4xx: whoever watches has to
/// hear of it, and by which name the sender knows it.
fn tell_of_unread(service: &Service, function: &str, headers: &HeaderMap, code: &str, why: &str) {
    // Metrics have no room for whatever somebody calls a function.
    let function =
        service.served().find(|known| known.name == function).map_or("unknown", |known| known.name);
    metrics::counter!(metric::QUEUE_SET_ASIDE.name, "florin.function" => function).increment(1);
    let said = |name| {
        let value = headers.get(name)?;
        Some(String::from_utf8_lossy(value.as_bytes()).chars().take(SAID).collect::<String>())
    };
    tracing::error!(
        florin.function = function,
        cloudevents.event_id = said("ce-id"),
        cloudevents.event_source = said("ce-source"),
        error.code = code,
        error.message = why,
        "a delivery that is no CloudEvent is refused, and may not come again"
    );
}

/// Every event of the request; what is delivered again with the others is a duplicate then.
async fn deliver_all(app: &App, service: &Arc<Service>, function: &str, events: Vec<Event>) -> Response {
    let mut worst = Disposition::Done;
    for event in events {
        match service.deliver(function, event, Some(app.limits().room)).await {
            Disposition::Done | Disposition::Duplicate | Disposition::Permanent { .. } => {}
            unfinished => worst = unfinished,
        }
    }
    answer(worst)
}

/// DESIGN's table: 202 for what is decided, 503 for what must come again. A Knative Broker retries a 503.
fn answer(disposition: Disposition) -> Response {
    match disposition {
        Disposition::Done | Disposition::Duplicate | Disposition::Permanent { .. } => {
            StatusCode::ACCEPTED.into_response()
        }
        Disposition::Retry { after } => {
            // Whole seconds (RFC 9110, 10.2.3), and never sooner than asked.
            let seconds = after.as_secs() + u64::from(after.subsec_nanos() > 0);
            (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, seconds.max(1).to_string())]).into_response()
        }
        Disposition::NotAttempted => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

/// Whether a request carries one of these secrets; compared in constant time.
fn bears(headers: &HeaderMap, secrets: &[u8]) -> bool {
    let mut fields = headers.get_all(AUTHORIZATION).iter().map(HeaderValue::as_bytes);
    // Two fields are none: proxies disagree on which one counts.
    let (Some(given), None) = (fields.next(), fields.next()) else { return false };
    let Some(given) = credential(given) else { return false };
    let known = secrets.split(u8::is_ascii_whitespace).filter(|secret| !secret.is_empty());
    // Without `any`, which would stop at the one that fits.
    known.fold(false, |fits, secret| {
        fits | aws_lc_rs::constant_time::verify_slices_are_equal(&given, secret).is_ok()
    })
}

/// The secret in an `Authorization` header: a bearer token (RFC 6750), or the password of Basic credentials (RFC 7617),
/// whoever the user is. A Trigger can set no header, but sends what stands before the `@` of its subscriber's address.
fn credential(header: &[u8]) -> Option<Vec<u8>> {
    let space = header.iter().position(|byte| *byte == b' ')?;
    let (scheme, given) = (&header[..space], &header[space + 1..]);
    if scheme.eq_ignore_ascii_case(b"Bearer") {
        return Some(given.to_vec());
    }
    if !scheme.eq_ignore_ascii_case(b"Basic") {
        return None;
    }
    let pair = BASE64.decode(given).ok()?;
    let colon = pair.iter().position(|byte| *byte == b':')?;
    Some(pair[colon + 1..].to_vec())
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use florin_http::app;
    use florin_http::token::DevelopmentKey;

    use super::*;

    fn opens(secrets: &str, header: &str) -> bool {
        let header = HeaderValue::from_str(header).unwrap();
        bears(&HeaderMap::from_iter([(AUTHORIZATION, header)]), secrets.as_bytes())
    }

    fn basic(user: &str, password: &str) -> String {
        format!("Basic {}", BASE64.encode(format!("{user}:{password}")))
    }

    #[test]
    fn a_bearer_token_and_a_basic_password_open_and_a_user_does_not() {
        assert!(opens("the-secret", "Bearer the-secret"));
        assert!(opens("the-secret", "bearer the-secret"));
        assert!(opens("the-secret", &basic("florin", "the-secret")));
        assert!(opens("the-secret", &basic("", "the-secret")));
        assert!(opens("the:secret", &basic("florin", "the:secret")));
        for header in ["the-secret", "Bearer the-secret2", "Bearer ", "Basic the-secret", "Digest the-secret"]
        {
            assert!(!opens("the-secret", header), "{header}");
        }
        assert!(!opens("the-secret", &basic("the-secret", "")));
        assert!(!opens("the-secret", &basic("florin", "")));
    }

    #[test]
    fn while_a_secret_is_changed_the_old_one_and_the_new_one_open() {
        for secret in ["the-old-one", "the-new-one"] {
            assert!(opens("the-old-one the-new-one", &format!("Bearer {secret}")));
        }
        assert!(!opens("the-old-one the-new-one", "Bearer the-old-one the-new-one"));
        assert!(!opens("the-old-one  ", "Bearer "));
    }

    #[tokio::test]
    async fn a_delivery_that_finds_no_place_in_time_comes_again() {
        let directory = tempfile::tempdir().unwrap();
        let key = DevelopmentKey::load_or_create(&directory.path().join("key.json")).unwrap();
        let limits = app::Limits { room: Duration::ZERO, ..app::Limits::default() };
        let app = App::new(Vec::new(), Verifier::new(key.rules()).unwrap(), limits);
        let guard = Guard::Secret(b"the-secret".to_vec());
        let door = Arc::new(Door { app, guard, places: Semaphore::new(1) });
        let answered = async |header: &str| {
            let request = http::Request::post("/").header(AUTHORIZATION, header).body(Body::empty()).unwrap();
            deliver(State(Arc::clone(&door)), Path("nothing".to_owned()), request).await
        };
        let taken = door.places.acquire().await.unwrap();
        let full = answered("Bearer the-secret").await;
        let rest = full.headers()[RETRY_AFTER].to_str().unwrap();
        assert_eq!((full.status(), rest), (StatusCode::SERVICE_UNAVAILABLE, "1"));
        assert_eq!(answered("Bearer another").await.status(), StatusCode::UNAUTHORIZED);
        drop(taken);
        for _ in 0..2 {
            assert_eq!(answered("Bearer the-secret").await.status(), StatusCode::NOT_FOUND);
        }
    }
}
