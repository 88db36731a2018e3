//! A door: where an operation is entered over HTTP, who may enter, and what goes in and out.

/// The HTTP methods an operation may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// GET.
    Get,
    /// POST.
    Post,
    /// PUT.
    Put,
    /// PATCH.
    Patch,
    /// DELETE.
    Delete,
}

impl Method {
    /// The method's name (RFC 9110).
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// Who may enter. There is no default: a door without one does not compile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Whoever holds a token with this scope, inside the token's tenant.
    Scope(&'static str),
    /// Everybody; the tenant stands in the path as `{tenant}`, because there is no token to name it.
    Public,
}

/// What goes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// A JSON object (RFC 8259).
    Json,
    /// `application/x-www-form-urlencoded` (WHATWG URL).
    Form,
    /// Bytes whose signature the room checks itself: they arrive in the fields `body` (base64) and
    /// `signature` (this header's value).
    Signed {
        /// The header that holds the signature, lower case.
        header: &'static str,
    },
}

/// What fills a field of the request besides path, query and body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reads {
    /// A header field, sent at most once.
    Header {
        /// Its name, lower case.
        name: &'static str,
        /// The field of the request.
        field: &'static str,
    },
    /// A cookie (RFC 6265), sent at most once.
    Cookie {
        /// Its name.
        name: &'static str,
        /// The field of the request.
        field: &'static str,
    },
}

impl Reads {
    /// The field of the request that it fills.
    pub const fn field(self) -> &'static str {
        match self {
            Self::Header { field, .. } | Self::Cookie { field, .. } => field,
        }
    }

    /// The name it is sent under.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Header { name, .. } | Self::Cookie { name, .. } => name,
        }
    }
}

/// What an answer may say besides its body: a room that says another header field is at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Says {
    /// A header field.
    Header {
        /// Its name, lower case.
        name: &'static str,
        /// What it says, in one sentence.
        summary: &'static str,
    },
    /// A cookie, by `Set-Cookie`.
    Cookie {
        /// Its name.
        name: &'static str,
        /// What it is for, in one sentence.
        summary: &'static str,
    },
}

/// In which words a door says no.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Errors {
    /// RFC 9457: problem+json, as everywhere.
    Problem,
    /// OAuth 2.0: `{"error", "error_description"}` (RFC 6749, section 5.2). The room's codes are OAuth's own.
    OAuth,
}

/// What comes out when it is not JSON.
///
/// There is no stream among them: API Gateway, a load balancer and whoever repeats an idempotency key take whole
/// answers, the same request is to get the same bytes through every front, and a room's transaction would stay open
/// as long as its reader is slow. What is large is a list with a cursor, or a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gives {
    /// A JSON document.
    Json,
    /// A page for people.
    Page,
    /// The way to another address: 303.
    Redirect,
    /// A file with a media type of its own.
    File,
}

/// Where an operation is entered.
#[derive(Clone, Copy, Debug)]
pub struct Door {
    /// The HTTP method.
    pub method: Method,
    /// The path template, for example `/v1/payments/{id}/capture`.
    pub path: &'static str,
    /// Who may enter.
    pub access: Access,
    /// What goes in.
    pub takes: Takes,
    /// What comes out.
    pub gives: Gives,
    /// Header fields and cookies that come in.
    pub reads: &'static [Reads],
    /// Header fields and cookies that go out.
    pub says: &'static [Says],
    /// How it says no.
    pub errors: Errors,
    /// Whether it makes a thing: 201 and `Location` in place of 200.
    pub creates: bool,
    /// Whether it may hang on an effect: then 202 is one of its answers.
    pub waits: bool,
}

impl Door {
    /// A GET door.
    pub const fn get(path: &'static str, access: Access) -> Self {
        Self::new(Method::Get, path, access)
    }

    /// A POST door.
    pub const fn post(path: &'static str, access: Access) -> Self {
        Self::new(Method::Post, path, access)
    }

    const fn new(method: Method, path: &'static str, access: Access) -> Self {
        let (takes, gives) = (Takes::Json, Gives::Json);
        let (reads, says, errors): (&[_], &[_], _) = (&[], &[], Errors::Problem);
        Self { method, path, access, takes, gives, reads, says, errors, creates: false, waits: false }
    }

    /// This door with another kind of body.
    pub const fn taking(self, takes: Takes) -> Self {
        Self { takes, ..self }
    }

    /// This door with another kind of answer.
    pub const fn giving(self, gives: Gives) -> Self {
        Self { gives, ..self }
    }

    /// This door with fields of its request that header fields and cookies fill.
    pub const fn reading(self, reads: &'static [Reads]) -> Self {
        Self { reads, ..self }
    }

    /// This door with header fields and cookies that its answers may say.
    pub const fn saying(self, says: &'static [Says]) -> Self {
        Self { says, ..self }
    }

    /// This door with refusals in another standard's words.
    pub const fn refusing(self, errors: Errors) -> Self {
        Self { errors, ..self }
    }

    /// This door of an operation that makes a thing.
    pub const fn creating(self) -> Self {
        Self { creates: true, ..self }
    }

    /// This door of an operation that may answer [`crate::answer::Answer::Waiting`].
    pub const fn waiting(self) -> Self {
        Self { waits: true, ..self }
    }

    /// The header fields and cookies that fill fields of the request, a signature among them.
    pub fn named(&self) -> impl Iterator<Item = Reads> {
        let signature = match self.takes {
            Takes::Signed { header } => Some(Reads::Header { name: header, field: "signature" }),
            Takes::Json | Takes::Form => None,
        };
        self.reads.iter().copied().chain(signature)
    }

    /// The names of the path's parameters, in order.
    pub fn path_parameters(&self) -> impl Iterator<Item = &'static str> {
        self.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
    }
}
