//! `/docs/problems`: where the `type` of every problem leads. One page from `docs/reference/problems.md`, part of the program, so that it is
//! there without a network and tells of the codes of this very version.

use axum::{Router, routing::get};
use http::header;

use crate::Server;

const TEXT: &str = include_str!("../../../docs/reference/problems.md");

const STYLE: &str = ":root{color-scheme:light dark}body{font:16px/1.6 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem}h2{margin-top:2.5rem}h2,code{font-family:ui-monospace,monospace}h2:target{outline:2px solid;outline-offset:.4rem}li{margin:.25rem 0}";

/// Nothing but its own style, named by its hash (a test computes it): no script, no picture, no form, no frame.
const POLICY: &str = "default-src 'none'; style-src 'sha256-NAmIK8r3SsbNgp7dh1COJNryaiD4UCjvJfN0JRXTR2U='; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Serves the page.
pub fn route() -> Router<Server> {
    let page: std::sync::Arc<str> = page(TEXT).into();
    Router::new().route(
        "/docs/problems",
        get(move || {
            let page = page.clone();
            async move {
                let headers = [
                    (header::CONTENT_TYPE, "text/html; charset=utf-8"),
                    (header::CONTENT_SECURITY_POLICY, POLICY),
                    // Says nothing about anybody; a new version may say more.
                    (header::CACHE_CONTROL, "public, max-age=300"),
                ];
                (headers, page.to_string())
            }
        }),
    )
}

/// The page. The text uses headings, paragraphs, flat lists and code, and so does this; what it does not know is a paragraph.
fn page(text: &str) -> String {
    let mut body = String::new();
    let mut paragraph: Vec<&str> = Vec::new();
    let mut in_list = false;
    for line in text.lines().chain([""]) {
        let item = line.strip_prefix("- ");
        if item.is_none() && in_list {
            body.push_str("</ul>\n");
            in_list = false;
        }
        let heading = line.strip_prefix("## ").map(|name| (2, name));
        let heading = heading.or_else(|| line.strip_prefix("# ").map(|name| (1, name)));
        if !paragraph.is_empty() && (line.is_empty() || item.is_some() || heading.is_some()) {
            let words = std::mem::take(&mut paragraph).join(" ");
            body.push_str(&format!("<p>{}</p>\n", inline(&words)));
        }
        match (heading, item) {
            (Some((1, name)), _) => body.push_str(&format!("<h1>{}</h1>\n", inline(name))),
            (Some(_), _) => {
                let code = escape(line.trim_start_matches("## ").trim());
                body.push_str(&format!(
                    "<h2 id=\"{code}\"><a href=\"#{code}\">{code}</a></h2>\n"
                ));
            }
            (None, Some(item)) => {
                if !in_list {
                    body.push_str("<ul>\n");
                    in_list = true;
                }
                body.push_str(&format!("<li>{}</li>\n", inline(item)));
            }
            (None, None) if !line.is_empty() => paragraph.push(line),
            (None, None) => {}
        }
    }
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>Problem codes · Fractal</title><style>{STYLE}</style></head>\n<body>\n{body}</body></html>\n"
    )
}

/// Text with its code spans.
fn inline(text: &str) -> String {
    let mut html = String::new();
    for (n, part) in text.split('`').enumerate() {
        let part = escape(part);
        if n % 2 == 1 {
            html.push_str(&format!("<code>{part}</code>"));
        } else {
            html.push_str(&part);
        }
    }
    html
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    use sha2::{Digest as _, Sha256};

    use super::*;

    #[test]
    fn the_policy_names_the_style_that_is_there() {
        let hash = STANDARD.encode(Sha256::digest(STYLE.as_bytes()));
        assert!(POLICY.contains(&format!("'sha256-{hash}'")), "{hash}");
        assert!(page(TEXT).contains(&format!("<style>{STYLE}</style>")));
    }

    #[test]
    fn text_becomes_a_page_and_nothing_of_it_markup() {
        let html =
            page("# Codes\n\nTwo\nlines of `<b>`.\n\n## not-found\n\n- One & two\n- `x`\nAfter.\n");
        let body = html.split("<body>").nth(1).unwrap();
        assert_eq!(
            body,
            "\n<h1>Codes</h1>\n<p>Two lines of <code>&lt;b&gt;</code>.</p>\n\
             <h2 id=\"not-found\"><a href=\"#not-found\">not-found</a></h2>\n\
             <ul>\n<li>One &amp; two</li>\n<li><code>x</code></li>\n</ul>\n<p>After.</p>\n</body></html>\n"
        );
    }
}
