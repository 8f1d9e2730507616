//! What the Portal answers. The tests hold with and without a built Portal: they find their files by looking.

use super::*;
use axum::http::Request;
use http_body_util::BodyExt;
use tower::ServiceExt;

fn get(path: &str, headers: &[(header::HeaderName, &str)]) -> Response {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.insert(name, HeaderValue::from_str(value).unwrap());
    }
    serve(path, &map)
}

async fn text(response: Response) -> String {
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn header_of(response: &Response, name: header::HeaderName) -> &str {
    response
        .headers()
        .get(name)
        .map_or("", |value| value.to_str().unwrap())
}

#[tokio::test]
async fn the_root_and_client_side_routes_get_the_index() {
    for path in [
        "/",
        "/settings/providers",
        "/instances/inst_1",
        "/index.html",
    ] {
        let response = get(path, &[]);
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        assert_eq!(
            header_of(&response, header::CONTENT_TYPE),
            "text/html; charset=utf-8"
        );
        assert_eq!(header_of(&response, header::CACHE_CONTROL), "no-cache");
        assert!(
            text(response).await.contains("<title>Fractal</title>"),
            "{path}"
        );
    }
}

#[tokio::test]
async fn paths_of_the_server_are_never_answered_with_a_page() {
    for path in [
        "/api",
        "/api/v1/nothing",
        "/v1/models",
        "/llm/openai",
        "/metrics",
        "//api/v1/x",
    ] {
        assert_eq!(get(path, &[]).status(), StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn a_missing_file_is_missing_and_not_a_page() {
    for path in ["/assets/index-gone.js", "/robots.txt", "/assets/"] {
        assert_eq!(get(path, &[]).status(), StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn nothing_outside_the_portal_can_be_read() {
    for path in [
        "/../Cargo.toml",
        "/..%2f..%2fCargo.toml",
        "/assets/../../Cargo.toml",
        "/%2e%2e/Cargo.toml",
        "/..\\Cargo.toml",
        "/etc/passwd",
    ] {
        let response = get(path, &[]);
        let status = response.status();
        let body = text(response).await;
        assert!(
            status == StatusCode::NOT_FOUND || body.contains("<title>Fractal</title>"),
            "{path}"
        );
        assert!(
            !body.contains("[package]") && !body.contains("root:"),
            "{path}"
        );
    }
}

#[tokio::test]
async fn twins_and_the_manifest_are_not_files_of_their_own() {
    for path in ["/index.html.br", "/index.html.gz", "/manifest.json"] {
        assert_eq!(get(path, &[]).status(), StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn a_known_version_is_not_sent_again() {
    let tag = header_of(&get("/", &[]), header::ETAG).to_owned();
    assert_eq!(tag.len(), 34);
    for known in [tag.clone(), format!("W/{tag}"), format!("\"other\", {tag}")] {
        let response = get("/", &[(header::IF_NONE_MATCH, &known)]);
        assert_eq!(response.status(), StatusCode::NOT_MODIFIED, "{known}");
        assert_eq!(header_of(&response, header::ETAG), tag);
        assert!(text(response).await.is_empty());
    }
    assert_eq!(
        get("/", &[(header::IF_NONE_MATCH, "\"other\"")]).status(),
        StatusCode::OK
    );
}

#[tokio::test]
async fn every_embedded_asset_is_kept_for_ever_and_typed() {
    for name in Portal::iter().filter(|name| name.starts_with("assets/") && is_public(name)) {
        let response = get(&format!("/{name}"), &[]);
        assert_eq!(response.status(), StatusCode::OK, "{name}");
        assert!(
            header_of(&response, header::CACHE_CONTROL).contains("immutable"),
            "{name}"
        );
        let mime = header_of(&response, header::CONTENT_TYPE);
        let wanted = if name.ends_with(".js") {
            "javascript"
        } else {
            "css"
        };
        assert!(mime.contains(wanted), "{name}: {mime}");
    }
}

#[tokio::test]
async fn a_reader_of_brotli_gets_brotli_with_a_tag_of_its_own() {
    let Some(name) = Portal::iter().find(|name| name.ends_with(".js.br")) else {
        return; // The Portal was not built: there are no twins to choose.
    };
    let path = format!("/{}", name.trim_end_matches(".br"));
    let plain = get(&path, &[]);
    let brotli = get(&path, &[(header::ACCEPT_ENCODING, "gzip, deflate, br")]);
    let gzip = get(&path, &[(header::ACCEPT_ENCODING, "gzip, br;q=0")]);
    assert_eq!(header_of(&plain, header::CONTENT_ENCODING), "");
    assert_eq!(header_of(&brotli, header::CONTENT_ENCODING), "br");
    assert_eq!(header_of(&gzip, header::CONTENT_ENCODING), "gzip");
    assert_ne!(
        header_of(&plain, header::ETAG),
        header_of(&brotli, header::ETAG)
    );
    assert_eq!(header_of(&brotli, header::VARY), "accept-encoding");
    assert_eq!(
        header_of(&brotli, header::CONTENT_TYPE),
        header_of(&plain, header::CONTENT_TYPE)
    );
}

#[tokio::test]
async fn only_reading_is_allowed() {
    let request = |method: &str| {
        Request::builder()
            .method(method)
            .uri("/login")
            .body(Body::empty())
            .unwrap()
    };
    let post = router().oneshot(request("POST")).await.unwrap();
    assert_eq!(post.status(), StatusCode::METHOD_NOT_ALLOWED);
    let head = router().oneshot(request("HEAD")).await.unwrap();
    assert_eq!(head.status(), StatusCode::OK);
}
