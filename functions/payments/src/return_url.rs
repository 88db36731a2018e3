//! Where the customer's browser goes after authenticating: an address of the merchant's.

use std::fmt;
use std::str::FromStr;

use florin_kernel::text::Text;

/// An absolute `http` or `https` address to send the customer's browser back to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ReturnUrl(Text<2048>);

impl fmt::Display for ReturnUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for ReturnUrl {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, &'static str> {
        let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or_default();
        // What a header cannot hold, or a browser would read otherwise, is refused here.
        let plain =
            text.bytes().all(|b| b.is_ascii_graphic() && b != b'\\' && b != b'"' && b != b'<' && b != b'>');
        match text.parse() {
            Ok(text) if plain && !host.is_empty() && !host.starts_with(['/', '?', '#']) => Ok(Self(text)),
            _ => Err("must be an absolute http or https address of at most 2048 characters"),
        }
    }
}

florin_kernel::text::text_value!(
    ReturnUrl, "uri", "An absolute http or https address.",
    with { "maxLength": 2048, "pattern": r"^https?://[!$-.0-;=@-\[\]-~][!#-;=?-\[\]-~]*$",
           "examples": ["https://shop.example/thanks"] }
);
florin_kernel::text::text_column!(ReturnUrl);
