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

/// What comes out when it is not JSON.
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
        Self { method, path, access, takes, gives, creates: false, waits: false }
    }

    /// This door with another kind of body.
    pub const fn taking(self, takes: Takes) -> Self {
        Self { takes, ..self }
    }

    /// This door with another kind of answer.
    pub const fn giving(self, gives: Gives) -> Self {
        Self { gives, ..self }
    }

    /// This door of an operation that makes a thing.
    pub const fn creating(self) -> Self {
        Self { creates: true, ..self }
    }

    /// This door of an operation that may answer [`crate::answer::Answer::Waiting`].
    pub const fn waiting(self) -> Self {
        Self { waits: true, ..self }
    }

    /// The names of the path's parameters, in order.
    pub fn path_parameters(&self) -> impl Iterator<Item = &'static str> {
        self.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
    }
}
