//! The session cookie.
//!
//! Its name is unique per installation, because browsers share cookies between ports of one host and two installations
//! on one machine must not sign each other out.

use axum_extra::extract::cookie::{Cookie, SameSite};
use http::HeaderValue;
use secrecy::{ExposeSecret, SecretString};

use crate::Server;

/// The `Set-Cookie` value that signs a browser in.
pub fn sign_in(
    server: &Server,
    token: &SecretString,
    lifetime: std::time::Duration,
) -> HeaderValue {
    let mut cookie = base(server);
    cookie.set_value(token.expose_secret().to_owned());
    let seconds = i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX);
    cookie.set_max_age(time::Duration::seconds(seconds));
    header(&cookie)
}

/// The `Set-Cookie` value that signs a browser out.
pub fn sign_out(server: &Server) -> HeaderValue {
    let mut cookie = base(server);
    cookie.make_removal();
    header(&cookie)
}

fn base(server: &Server) -> Cookie<'static> {
    Cookie::build((server.app.session_cookie_name(), String::new()))
        .path("/")
        .http_only(true)
        // Lax, not strict: the way back from an identity provider is a cross-site navigation.
        .same_site(SameSite::Lax)
        .secure(server.app.settings().is_https())
        .build()
}

fn header(cookie: &Cookie<'_>) -> HeaderValue {
    // Names and tokens of ours are plain ASCII, so this cannot fail for what we put in.
    HeaderValue::from_str(&cookie.encoded().to_string()).unwrap_or(HeaderValue::from_static(""))
}
