//! A cookie that an answer sets (RFC 6265), with the attributes that keep it from scripts and strangers.

use std::fmt::Write;
use std::time::Duration;

/// A cookie to set. It is always `Secure`, `HttpOnly` and `SameSite=Lax`: whoever needs less needs a reason first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetCookie {
    pub(crate) name: &'static str,
    value: String,
    path: &'static str,
    max_age: Option<Duration>,
}

impl SetCookie {
    /// A cookie for every path, until the browser is closed. A door names it: see [`crate::door::Says::Cookie`].
    pub fn new(name: &'static str, value: impl Into<String>) -> Self {
        Self { name, value: value.into(), path: "/", max_age: None }
    }

    /// Takes a cookie away.
    pub fn removed(name: &'static str) -> Self {
        Self::new(name, "").lasting(Duration::ZERO)
    }

    /// This cookie for so long, in whole seconds.
    #[must_use]
    pub fn lasting(self, max_age: Duration) -> Self {
        Self { max_age: Some(max_age), ..self }
    }

    /// This cookie for the paths under this one.
    #[must_use]
    pub fn under(self, path: &'static str) -> Self {
        Self { path, ..self }
    }

    /// The value of `Set-Cookie` (RFC 6265, section 4.1.1); none when the value holds what a cookie cannot.
    pub(crate) fn text(&self) -> Option<String> {
        let fits = |b: u8| matches!(b, 0x21 | 0x23..=0x2b | 0x2d..=0x3a | 0x3c..=0x5b | 0x5d..=0x7e);
        if !self.value.bytes().all(fits) {
            return None;
        }
        let mut text = format!("{}={}; Path={}", self.name, self.value, self.path);
        if let Some(max_age) = self.max_age {
            let _ = write!(text, "; Max-Age={}", max_age.as_secs());
        }
        text.push_str("; Secure; HttpOnly; SameSite=Lax");
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_kept_from_scripts_and_strangers() {
        let cookie = SetCookie::new("session", "abc").lasting(Duration::from_secs(60)).under("/portal");
        assert_eq!(
            cookie.text().as_deref(),
            Some("session=abc; Path=/portal; Max-Age=60; Secure; HttpOnly; SameSite=Lax")
        );
        assert!(SetCookie::removed("session").text().unwrap().contains("Max-Age=0"));
    }

    #[test]
    fn a_value_that_would_be_an_attribute_is_no_cookie() {
        for value in ["a; Domain=evil.example", "a b", "a\r\nset-cookie: b=c", "\"", "a,b", "größe"] {
            assert_eq!(SetCookie::new("session", value).text(), None, "{value}");
        }
    }
}
