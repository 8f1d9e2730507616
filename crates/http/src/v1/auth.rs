//! `/api/v1/auth`: signing in and out.

use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use fractal_api_types::{Login, Me, Problem, ProblemCode, SignInMethods, SignInReason};
use fractal_app::{
    oidc,
    session::{self, SignedIn},
};
use fractal_types::IdentityProviderId;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;
use utoipa_axum::routes;

use crate::{
    Server, cookie,
    document::{PUBLIC, Routes},
    extract::{Client, Json, MaybeCaller, Path, Query},
    problem::{self, ApiError, ApiResult},
};

pub fn routes() -> Routes {
    Routes::new()
        .routes(routes!(methods))
        .routes(routes!(login))
        .routes(routes!(logout))
        .routes(routes!(oidc_start))
        .routes(routes!(oidc_callback))
}

/// How one may sign in here.
#[utoipa::path(get, path = "/api/v1/auth/methods", tag = PUBLIC, operation_id = "listSignInMethods", responses((status = 200, body = SignInMethods)))]
async fn methods(State(server): State<Server>) -> ApiResult<Json<SignInMethods>> {
    Ok(Json(session::methods(&server.app).await?))
}

/// Sign in with a password. Five tries in fifteen minutes per address and account.
#[utoipa::path(post, path = "/api/v1/auth/login", tag = PUBLIC, operation_id = "login", request_body = Login,
    responses((status = 200, body = Me), (status = 401, body = Problem, content_type = "application/problem+json")))]
async fn login(
    State(server): State<Server>,
    client: Client,
    Json(body): Json<Login>,
) -> ApiResult<Response> {
    let session = session::sign_in(&server.app, body, &client.into()).await?;
    Ok(signed_in(&server, session))
}

/// Sign out. Also succeeds when nobody is signed in.
#[utoipa::path(post, path = "/api/v1/auth/logout", tag = PUBLIC, operation_id = "logout",
    responses((status = 204, description = "signed out"), (status = 401, body = Problem, content_type = "application/problem+json")))]
async fn logout(
    State(server): State<Server>,
    MaybeCaller(caller): MaybeCaller,
) -> ApiResult<Response> {
    if let Some(cx) = caller {
        session::sign_out(&server.app, &cx).await?;
    }
    Ok((
        StatusCode::NO_CONTENT,
        [(header::SET_COOKIE, cookie::sign_out(&server))],
    )
        .into_response())
}

/// Where to go after signing in.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct StartQuery {
    /// A path of the Portal.
    #[param(max_length = 500)]
    return_to: Option<String>,
}

/// Go to an identity provider.
#[utoipa::path(get, path = "/api/v1/auth/oidc/{id}/start", tag = PUBLIC, operation_id = "startOidc", params(("id" = IdentityProviderId, Path), StartQuery),
    responses((status = 303, description = "to the identity provider, or to the sign-in page with what went wrong in the fragment"), (status = 401, body = Problem, content_type = "application/problem+json")))]
async fn oidc_start(
    State(server): State<Server>,
    MaybeCaller(caller): MaybeCaller,
    client: Client,
    headers: HeaderMap,
    Path(id): Path<IdentityProviderId>,
    Query(query): Query<StartQuery>,
) -> ApiResult<Response> {
    let base = base_url(&server, &headers);
    // Linking begins on a page of ours. A link elsewhere that leads here signs in and no more, or a stranger could have somebody
    // link the stranger's own account.
    let ours = headers
        .get("sec-fetch-site")
        .is_some_and(|site| site.as_bytes() == b"same-origin");
    let linking = caller.filter(|_| ours);
    let started = oidc::start(
        &server.app,
        id,
        query.return_to.as_deref(),
        linking.as_ref(),
        &client.into(),
        &base,
    )
    .await;
    Ok(match started {
        // The flow is bound to this browser, so that nobody can plant their own sign-in into another's.
        Ok(started) => (
            [(
                header::SET_COOKIE,
                flow_cookie(&server, &started.browser_secret),
            )],
            Redirect::to(started.url.as_str()),
        )
            .into_response(),
        Err(refused) if refused.error.code == ProblemCode::NotFound => {
            return Err(refused.error.into());
        }
        Err(refused) => to_login(&refused),
    })
}

/// What an identity provider sends back.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct CallbackQuery {
    /// The authorization code.
    #[param(max_length = 2000)]
    code: Option<String>,
    /// Our state.
    #[param(max_length = 512)]
    state: Option<String>,
    /// Why it refused.
    #[param(max_length = 512)]
    error: Option<String>,
    /// Who it says it is.
    #[param(max_length = 1024)]
    iss: Option<String>,
}

/// Come back from an identity provider.
#[utoipa::path(get, path = "/api/v1/auth/oidc/callback", tag = PUBLIC, operation_id = "finishOidc", params(CallbackQuery),
    responses((status = 303, description = "to the Portal, signed in; or to the sign-in page with what went wrong in the fragment: a problem code as `error`, a `SignInReason` as `reason`")))]
async fn oidc_callback(
    State(server): State<Server>,
    client: Client,
    caller: Result<MaybeCaller, ApiError>,
    headers: HeaderMap,
    Query(query): Query<CallbackQuery>,
) -> Response {
    let base = base_url(&server, &headers);
    let browser_secret = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|text| text.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| *name == flow_cookie_name(&server))
        .map(|(_, value)| SecretString::from(value.to_owned()));
    let callback = oidc::Callback {
        code: query.code.map(SecretString::from),
        state: query.state.map(SecretString::from),
        error: query.error,
        iss: query.iss,
        browser_secret,
        session_id: caller.ok().and_then(|MaybeCaller(cx)| cx?.session_id),
    };
    match oidc::finish(&server.app, callback, &client.into(), &base).await {
        Ok(finished) => {
            let cookie =
                cookie::sign_in(&server, &finished.session.token, finished.session.lifetime);
            (
                [(header::SET_COOKIE, cookie)],
                Redirect::to(&finished.return_to),
            )
                .into_response()
        }
        Err(refused) => to_login(&refused),
    }
}

/// Only codes: whatever words stood in an address, somebody else could have written.
#[derive(Debug, Serialize)]
struct Told {
    error: ProblemCode,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<SignInReason>,
}

/// To the sign-in page, which tells why and leads on to where they wanted to go. The why is in the fragment, which no server logs.
fn to_login(refused: &oidc::Refused) -> Response {
    let told = Told {
        error: refused.error.code,
        reason: refused.reason(),
    };
    let back = refused.return_to.as_deref().filter(|path| *path != "/");
    let query = back.map_or_else(String::new, |path| {
        url::form_urlencoded::Serializer::for_suffix("?".to_owned(), 1)
            .append_pair("return_to", path)
            .finish()
    });
    let fragment = serde_urlencoded::to_string(&told).unwrap_or_default();
    problem::log_told(&refused.error);
    Redirect::to(&format!("/login{query}#{fragment}")).into_response()
}

fn flow_cookie_name(server: &Server) -> String {
    format!("{}_flow", server.app.session_cookie_name())
}

fn flow_cookie(server: &Server, secret: &SecretString) -> HeaderValue {
    use secrecy::ExposeSecret;

    let secure = if server.app.settings().is_https() {
        "; Secure"
    } else {
        ""
    };
    let text = format!(
        "{}={}; Path=/api/v1/auth/oidc; HttpOnly; SameSite=Lax; Max-Age={}{secure}",
        flow_cookie_name(server),
        secret.expose_secret(),
        oidc::REMEMBERED.as_secs()
    );
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""))
}

/// The address this browser uses for us; the guard has checked that it is one of ours.
fn base_url(server: &Server, headers: &HeaderMap) -> String {
    let settings = server.app.settings();
    match &settings.public_url {
        Some(url) => url.as_str().trim_end_matches('/').to_owned(),
        None => {
            let host = headers
                .get(header::HOST)
                .and_then(|value| value.to_str().ok())
                .unwrap_or("localhost");
            let scheme = if settings.listen_tls { "https" } else { "http" };
            format!("{scheme}://{host}")
        }
    }
}

/// Answers with the signed-in person and the session cookie.
pub(crate) fn signed_in(server: &Server, session: SignedIn) -> Response {
    let cookie = cookie::sign_in(server, &session.token, session.lifetime);
    ([(header::SET_COOKIE, cookie)], Json::<Me>(session.me)).into_response()
}

/// Reads a header that carries a one-time secret.
pub(crate) fn secret_header(headers: &HeaderMap, name: &str) -> Option<SecretString> {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .map(|text| SecretString::from(text.trim().to_owned()))
}
