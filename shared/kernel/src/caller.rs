//! Who calls: the subject, tenant and scopes of a verified token, never of a header.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

/// A tenant: 1 to 64 letters, digits, `_`, `-` or `.`, starting with a letter or digit.
///
/// The alphabet is what lets it stand unquoted in a log, a path and PostgreSQL's `app.tenant` setting.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TenantId(String);

impl TenantId {
    /// The text form.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The text is not a tenant identifier.
#[derive(Debug, thiserror::Error)]
#[error("not a tenant: 1 to 64 letters, digits, '_', '-' or '.', starting with a letter or digit")]
pub struct NotATenant;

impl FromStr for TenantId {
    type Err = NotATenant;
    fn from_str(text: &str) -> Result<Self, NotATenant> {
        let fits = text.len() <= 64
            && text.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'));
        if fits { Ok(Self(text.to_owned())) } else { Err(NotATenant) }
    }
}

crate::text::text_value!(
    TenantId, "", "A tenant's identifier.",
    with { "pattern": "^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$", "examples": ["acme"] }
);
crate::text::text_column!(TenantId);

/// What a verified token says of its bearer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// `sub` (RFC 7519): the person or machine.
    pub subject: String,
    /// `client_id` or `azp`, else the subject: idempotency keys of two clients never meet.
    pub client: String,
    /// The tenant the token is for.
    pub tenant: TenantId,
    /// The scopes of the token (RFC 8693 `scope`).
    pub scopes: BTreeSet<String>,
}

impl Caller {
    /// The subject of what nobody called: a delivery, a job, an effect's outcome.
    pub const NOBODY: &str = "florin";

    /// The subject of who came in by a public door.
    pub const STRANGER: &str = "public";

    /// The subject of whoever acts by the binary's own commands, beside the doors.
    pub const OPERATOR: &str = "operator";

    /// Whether a name is one of ours: a token that brought it would write audit records in the system's name.
    pub fn is_reserved(name: &str) -> bool {
        [Self::NOBODY, Self::STRANGER, Self::OPERATOR].contains(&name)
    }

    /// The system itself, acting inside a tenant, as [`Self::NOBODY`], [`Self::STRANGER`] or [`Self::OPERATOR`].
    pub fn system(subject: &str, tenant: TenantId) -> Self {
        Self { subject: subject.to_owned(), client: subject.to_owned(), tenant, scopes: BTreeSet::new() }
    }

    /// Whether the token carries this scope.
    pub fn may(&self, scope: &str) -> bool {
        self.scopes.contains(scope)
    }
}
