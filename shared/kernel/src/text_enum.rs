//! An enum whose variants each have one text form.

/// Declares an enum that is one text everywhere: shown, read, stored, in JSON and in its schema.
///
/// A macro, because each text must stand beside its variant and nowhere else: the implementations that a service
/// would write by hand repeat it, and one that goes astray stores or tells another state than the one that was meant.
/// After the name stands what one of its texts is, for the error of a text that is none.
#[macro_export]
#[doc(hidden)]
macro_rules! __text_enum {
    (
        $(#[$attribute:meta])*
        $visibility:vis enum $name:ident: $what:literal {
            $($(#[$variant_attribute:meta])* $variant:ident = $text:literal,)+
        }
    ) => {
        $(#[$attribute])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        #[schemars(inline)]
        $visibility enum $name {
            $($(#[$variant_attribute])* #[serde(rename = $text)] $variant,)+
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(match self {
                    $(Self::$variant => $text,)+
                })
            }
        }
        impl std::str::FromStr for $name {
            type Err = String;
            fn from_str(text: &str) -> Result<Self, String> {
                match text {
                    $($text => Ok(Self::$variant),)+
                    _ => Err(format!("{text} is not {}", $what)),
                }
            }
        }
        $crate::__text_column!($name);
    };
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    crate::text::text_enum! {
        /// Where something stands.
        enum State: "a state" {
            /// It is not shown as its variant is called.
            Begun = "in_progress",
            Over = "over",
        }
    }

    #[test]
    fn every_form_of_a_state_is_its_one_text() {
        for (state, text) in [(State::Begun, "in_progress"), (State::Over, "over")] {
            assert_eq!(state.to_string(), text);
            assert_eq!(text.parse(), Ok(state));
            assert_eq!(serde_json::to_value(state).expect("JSON"), json!(text));
            assert_eq!(serde_json::from_value::<State>(json!(text)).expect("a state"), state);
        }
        assert_eq!("begun".parse::<State>(), Err("begun is not a state".to_owned()));
        assert!(serde_json::from_value::<State>(json!("begun")).is_err());
    }

    #[test]
    fn the_schema_takes_those_texts_and_no_other() {
        let schema = schemars::schema_for!(State);
        let said: Vec<&Value> =
            schema.get("oneOf").and_then(Value::as_array).expect("cases").iter().collect();
        let texts: Vec<&Value> = said
            .iter()
            .flat_map(|case| {
                case.get("const").into_iter().chain(case["enum"].as_array().into_iter().flatten())
            })
            .collect();
        let mut texts: Vec<&str> = texts.into_iter().filter_map(Value::as_str).collect();
        texts.sort_unstable();
        assert_eq!(texts, ["in_progress", "over"]);
    }
}
