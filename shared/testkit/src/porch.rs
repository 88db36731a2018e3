//! A service with a door of every kind, for the tests of the fronts: it keeps nothing.

use std::time::Duration;

use florin_kernel::answer::Answer;
use florin_kernel::caller::TenantId;
use florin_kernel::cookie::SetCookie;
use florin_kernel::cx::{Cx, View};
use florin_kernel::door::{Access, Door, Errors, Gives, Reads, Says, Takes};
use florin_kernel::function::{Command, Function, Query};
use florin_kernel::problem::{Class, Code};
use florin_kernel::service::Definition;
use florin_kernel::stop::Stop;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

const INVALID_CLIENT: Code = Code::new("invalid_client", Class::Unauthenticated, "The client is not known.");
const INVALID_GRANT: Code = Code::new("invalid_grant", Class::Malformed, "The code is not valid.");
const SEAL_BROKEN: Code = Code::new("seal_broken", Class::Malformed, "The seal is not the body's.");

/// The secret of the one client, as HTTP says it: `porter:secret`.
pub const CLIENT: &str = "Basic cG9ydGVyOnNlY3JldA==";

/// The bytes of every file: no text.
pub const FILE: &[u8] = &[0xff, 0xfe, 0x00, b'A'];

/// Give a token for a code, in OAuth's words.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GiveToken {
    #[serde(rename = "tenant")]
    _tenant: TenantId,
    grant_type: String,
    code: String,
    #[serde(default)]
    lifetime: Option<u32>,
    #[serde(default)]
    authorization: Option<String>,
}

#[derive(Serialize, JsonSchema)]
struct Token {
    access_token: String,
    token_type: &'static str,
    expires_in: u32,
}

impl Command for GiveToken {
    const NAME: &'static str = "porch.give_token";
    const DOOR: Door = Door::post("/porch/{tenant}/tokens", Access::Public)
        .taking(Takes::Form)
        .reading(&[Reads::Header { name: "authorization", field: "authorization" }])
        .refusing(Errors::OAuth);
    const REFUSES: &'static [Code] = &[INVALID_CLIENT, INVALID_GRANT];
    type Answer = Token;

    async fn run(self, _: &mut Cx) -> Result<Answer<Token>, Stop> {
        if self.authorization.as_deref() != Some(CLIENT) {
            return Err(INVALID_CLIENT.because("there is no \"such\" client").into());
        }
        if (self.grant_type.as_str(), self.code.as_str()) != ("authorization_code", "good & new") {
            return Err(INVALID_GRANT.because("the code is not valid").into());
        }
        let expires_in = self.lifetime.unwrap_or(60);
        Ok(Answer::Ok(Token { access_token: "token".to_owned(), token_type: "Bearer", expires_in }))
    }
}

/// See whose token it is, in OAuth's words.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SeeToken {}

impl Query for SeeToken {
    const NAME: &'static str = "porch.see_token";
    const DOOR: Door = Door::get("/porch/token", Access::Scope("porch:see")).refusing(Errors::OAuth);
    const REFUSES: &'static [Code] = &[];
    type Answer = String;

    async fn run(self, cx: &mut View) -> Result<Answer<String>, Stop> {
        Ok(Answer::Ok(cx.caller().subject.clone()))
    }
}

/// Take a sealed letter: the seal of these is the body itself in base64.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct TakeLetter {
    #[serde(rename = "tenant")]
    _tenant: TenantId,
    body: String,
    signature: String,
}

impl Command for TakeLetter {
    const NAME: &'static str = "porch.take_letter";
    const DOOR: Door =
        Door::post("/porch/{tenant}/letters", Access::Public).taking(Takes::Signed { header: "x-seal" });
    const REFUSES: &'static [Code] = &[SEAL_BROKEN];
    type Answer = String;

    async fn run(self, _: &mut Cx) -> Result<Answer<String>, Stop> {
        if self.signature != self.body {
            return Err(SEAL_BROKEN.because("the seal is not the body's").into());
        }
        Ok(Answer::Ok(self.body))
    }
}

/// Show the page of the house, and how often it was shown.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ShowPage {
    #[serde(rename = "tenant")]
    _tenant: TenantId,
    #[serde(default)]
    visits: u32,
}

impl Query for ShowPage {
    const NAME: &'static str = "porch.show_page";
    const DOOR: Door = Door::get("/porch/{tenant}", Access::Public)
        .giving(Gives::Page)
        .reading(&[Reads::Cookie { name: "visits", field: "visits" }])
        .saying(&[Says::Cookie { name: "visits", summary: "How often the page was shown." }]);
    const REFUSES: &'static [Code] = &[];
    type Answer = ();

    async fn run(self, _: &mut View) -> Result<Answer<()>, Stop> {
        let cookie = SetCookie::new("visits", (self.visits + 1).to_string()).under("/porch");
        let page = format!("<!doctype html><title>Porch</title><p>{} visits.</p>", self.visits);
        Ok(Answer::Page(page).setting(cookie.lasting(Duration::from_secs(60))))
    }
}

/// Fetch a file.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct FetchFile {
    name: String,
}

impl Query for FetchFile {
    const NAME: &'static str = "porch.fetch_file";
    const DOOR: Door = Door::get("/porch/files/{name}", Access::Scope("porch:see"))
        .giving(Gives::File)
        .saying(&[Says::Header { name: "content-disposition", summary: "The file's name (RFC 6266)." }]);
    const REFUSES: &'static [Code] = &[];
    type Answer = ();

    async fn run(self, _: &mut View) -> Result<Answer<()>, Stop> {
        let file = Answer::File { content_type: "application/x-porch", bytes: FILE.to_vec() };
        Ok(file.saying("content-disposition", format!("attachment; filename=\"{}\"", self.name)))
    }
}

/// Follow the path to the garden.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct FollowPath {
    to: String,
}

impl Query for FollowPath {
    const NAME: &'static str = "porch.follow_path";
    const DOOR: Door = Door::get("/porch/paths", Access::Scope("porch:see")).giving(Gives::Redirect);
    const REFUSES: &'static [Code] = &[];
    type Answer = ();

    async fn run(self, _: &mut View) -> Result<Answer<()>, Stop> {
        Ok(Answer::Redirect { to: format!("https://garden.example/{}", self.to) })
    }
}

/// Hang up a coat, when the hook is as it was seen.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct HangCoat {
    /// The version of the hook that was seen.
    seen: u32,
    colour: String,
}

impl Command for HangCoat {
    const NAME: &'static str = "porch.hang_coat";
    const DOOR: Door = Door::post("/porch/coats", Access::Scope("porch:use"))
        .reading(&[Reads::Header { name: "if-match", field: "seen" }])
        .saying(&[
            Says::Header { name: "etag", summary: "The version of the hook." },
            Says::Cookie { name: "coat", summary: "Which coat it was." },
            Says::Cookie { name: "hat", summary: "Taken away." },
        ]);
    const REFUSES: &'static [Code] = &[];
    type Answer = String;

    async fn run(self, _: &mut Cx) -> Result<Answer<String>, Stop> {
        let version = (self.seen + 1).to_string();
        let answer = Answer::Ok(self.colour.clone()).saying("etag", version);
        Ok(match self.colour.as_str() {
            "invisible" => answer.saying("x-not-named", "a header that the door does not name"),
            "smuggled" => answer.saying("etag", "1\r\nset-cookie: coat=evil"),
            _ => answer.setting(SetCookie::new("coat", self.colour)).setting(SetCookie::removed("hat")),
        })
    }
}

/// The service.
pub const PORCH: Definition = Definition {
    name: "porch",
    summary: "A door of every kind.",
    functions: &[
        Function::command::<GiveToken>(),
        Function::query::<SeeToken>(),
        Function::command::<TakeLetter>(),
        Function::query::<ShowPage>(),
        Function::query::<FetchFile>(),
        Function::query::<FollowPath>(),
        Function::command::<HangCoat>(),
    ],
    events: &[],
    migrations: &[],
    audited: true,
};
