//! Names people choose, checked once at construction and trusted afterwards.

use std::{fmt, str::FromStr};

/// A name that breaks its rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} must be {rule}")]
pub struct NameError {
    /// Which kind of name.
    pub what: &'static str,
    /// The rule in words.
    pub rule: &'static str,
}

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident, $what:literal, $rule:literal, $max:literal, $pattern:literal, $check:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let check: fn(&str) -> bool = $check;
                if check(text) {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(NameError { what: $what, rule: $rule })
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(input)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                utoipa::openapi::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::schema::Type::String)
                    .description(Some($rule))
                    .min_length(Some(1))
                    .max_length(Some($max))
                    .pattern(Some($pattern))
                    .into()
            }
        }

        impl utoipa::ToSchema for $name {
            fn name() -> std::borrow::Cow<'static, str> {
                std::borrow::Cow::Borrowed(stringify!($name))
            }
        }
    )*};
}

names! {
    /// What a person types to sign in; unique within an organization.
    Username, "username", "1 to 64 of a-z, 0-9, dot, dash, underscore or @, starting with a letter or digit", 64,
        "^[a-z0-9][a-z0-9._@-]{0,63}$",
        |text| (1..=64).contains(&text.len())
            && text.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
            && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "._@-".contains(c));
    /// A label a person gives to something: an instance, a provider, a token.
    Label, "name", "1 to 64 characters without control characters, not starting or ending with a space", 64,
        r"^[^\s\x00-\x1f\x7f-\x9f](?:[^\x00-\x1f\x7f-\x9f]{0,62}[^\s\x00-\x1f\x7f-\x9f])?$",
        |text| (1..=64).contains(&text.chars().count()) && text.trim() == text && !text.chars().any(char::is_control);
    /// The key a gateway knows a skill by; a key of its configuration document.
    SkillKey, "skill", "1 to 64 letters, digits, dots, dashes or underscores, starting with a letter or digit", 64,
        "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$",
        |text| (1..=64).contains(&text.len())
            && text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && text.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
            // Names every JavaScript object answers to; a gateway refuses them as keys.
            && !matches!(text, "constructor" | "prototype");
    /// The name of an environment variable that may be given to a skill.
    VariableName, "name", "1 to 128 of A-Z, 0-9 and underscore, not starting with a digit, and none that steers programs themselves, such as PATH, HOME, LD_* or NODE_*", 128,
        "^[A-Z_][A-Z0-9_]{0,127}$",
        |text| (1..=128).contains(&text.len())
            && !text.starts_with(|c: char| c.is_ascii_digit())
            && text.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
            && !steers_programs(text);
}

/// Whether a variable of this name changes how programs run instead of what they know: where they load code from, whom
/// they trust, through whom they speak. While an agent runs, a gateway puts a skill's variables into its own
/// environment, so such a name would reach the gateway and every command.
fn steers_programs(name: &str) -> bool {
    const NAMES: [&str; 34] = [
        "ALL_PROXY",
        "BROWSER",
        "CC",
        "CDPATH",
        "CXX",
        "EDITOR",
        "ENV",
        "FTP_PROXY",
        "HOME",
        "HOSTALIASES",
        "HOSTNAME",
        "HTTPS_PROXY",
        "HTTP_PROXY",
        "IFS",
        "LANG",
        "LOGNAME",
        "MAKEFLAGS",
        "NO_PROXY",
        "OPENSSL_CONF",
        "PAGER",
        "PATH",
        "PS4",
        "PWD",
        "RUSTC",
        "SHELL",
        "SHELLOPTS",
        "SSLKEYLOGFILE",
        "SSL_CERT_DIR",
        "SSL_CERT_FILE",
        "TERM",
        "TMPDIR",
        "USER",
        "VISUAL",
        "_",
    ];
    const BEGINNINGS: [&str; 20] = [
        "BASH",
        "CARGO_",
        "DYLD_",
        "FRACTAL_",
        "GCONV_",
        "GIT_",
        "GLIBC_",
        "JAVA_",
        "LC_",
        "LD_",
        "MALLOC_",
        "NODE_",
        "NPM_",
        "OPENCLAW_",
        "PERL",
        "PIP_",
        "PYTHON",
        "RUBY",
        "UV_",
        "XDG_",
    ];
    NAMES.contains(&name)
        || BEGINNINGS
            .iter()
            .any(|beginning| name.starts_with(beginning))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usernames_follow_their_rule() {
        for good in ["ada", "a", "ada.lovelace", "ada@example.org", "0day"] {
            assert!(good.parse::<Username>().is_ok(), "{good}");
        }
        for bad in ["", "Ada", "-ada", "a b", "ä", "a/b", &"a".repeat(65)] {
            assert!(bad.parse::<Username>().is_err(), "{bad}");
        }
    }

    #[test]
    fn variables_that_steer_programs_are_refused() {
        for good in [
            "TRELLO_TOKEN",
            "A",
            "_X",
            "GH_TOKEN",
            "HOME_ASSISTANT_TOKEN",
            "PATHS",
        ] {
            assert!(good.parse::<VariableName>().is_ok(), "{good}");
        }
        let long = "A".repeat(129);
        for bad in [
            "",
            "a",
            "1A",
            "A-B",
            "A B",
            "A=B",
            "Ä",
            "PATH",
            "HOME",
            "LD_PRELOAD",
            "NODE_OPTIONS",
            "NODE_EXTRA_CA_CERTS",
            "OPENCLAW_STATE_DIR",
            "FRACTAL_SECRET_KEY",
            "HTTPS_PROXY",
            "BASH_ENV",
            "PYTHONPATH",
            &long,
        ] {
            assert!(bad.parse::<VariableName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn skills_have_keys_that_are_keys_of_a_document() {
        for good in ["trello", "openai-whisper-api", "My.Skill_2", "1password"] {
            assert!(good.parse::<SkillKey>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "-a",
            "__proto__",
            "constructor",
            "a/b",
            "a b",
            "a~b",
            &"a".repeat(65),
        ] {
            assert!(bad.parse::<SkillKey>().is_err(), "{bad}");
        }
    }

    #[test]
    fn labels_refuse_control_characters_and_edges_of_space() {
        assert!("My agent ✨".parse::<Label>().is_ok());
        for bad in ["", " a", "a ", "a\nb", "\u{0}"] {
            assert!(bad.parse::<Label>().is_err(), "{bad:?}");
        }
    }
}
