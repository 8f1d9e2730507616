//! Addresses outside that somebody names, and that we call later.

use url::Url;

use crate::{Error, Result, change::check};

const LONGEST: usize = 2048;

/// An address of the field `/url`: https, or http where private addresses are permitted, and without credentials.
///
/// # Errors
///
/// Says what is wrong; `example` is one that would do, `instead` what stands in the place of a password.
pub(crate) fn checked(
    text: &str,
    private_network: bool,
    example: &str,
    instead: &str,
) -> Result<Url> {
    check(
        text.len() <= LONGEST,
        "/url",
        "must be at most 2048 characters",
    )?;
    let url = Url::parse(text.trim())
        .map_err(|_| Error::field("/url", format!("must be an address like {example}")))?;
    check(
        url.scheme() == "https" || (url.scheme() == "http" && private_network),
        "/url",
        "must be https; plain http needs allow_private_network",
    )?;
    check(url.host().is_some(), "/url", "must name a host")?;
    if !url.username().is_empty() || url.password().is_some() {
        let why = format!("must hold no user name and password; {instead}");
        return Err(Error::field("/url", why));
    }
    Ok(url)
}

/// The host of an address, for the log: the rest may hold a token.
pub(crate) fn host_of(address: &str) -> Option<String> {
    let url = Url::parse(address).ok()?;
    url.host_str().map(str::to_owned)
}
