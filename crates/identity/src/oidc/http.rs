//! The relying party's way out: our outbound client in the library's clothes.

use fractal_connect::{AddressRule, Outbound, OutboundError};
use futures::{FutureExt, future::BoxFuture};
use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse};

/// One provider's way out.
pub(super) struct Http {
    pub(super) outbound: Outbound,
    pub(super) rule: AddressRule,
}

impl<'c> AsyncHttpClient<'c> for Http {
    type Error = OutboundError;
    type Future = BoxFuture<'c, Result<HttpResponse, OutboundError>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        async move {
            let (head, body) = request.into_parts();
            let url = head
                .uri
                .to_string()
                .parse()
                .map_err(|_| OutboundError::Malformed("address"))?;
            let answer = self
                .outbound
                .request("oidc", head.method, url, self.rule)
                .headers(head.headers)
                .body(body)
                .send()
                .await?;
            let mut response = http::Response::new(Vec::new());
            *response.status_mut() = answer.status();
            *response.headers_mut() = answer.headers().clone();
            *response.body_mut() = answer.bytes().await?.to_vec();
            Ok(response)
        }
        .boxed()
    }
}
