//! The log as somebody outside verifies it.

use fractal_api_types::ExportQuery;
use fractal_app::{App, evidence};
use futures::StreamExt;

use crate::plane::Ground;

/// How many entries verify.
///
/// # Errors
///
/// What does not.
pub async fn verify(app: &App, ground: &Ground) -> Result<u64, String> {
    let root = &ground.template.people[0].token;
    let cx = app
        .authenticate_session(root)
        .await
        .map_err(|error| error.to_string())?
        .ok_or("nobody may look at the log")?;
    let query = ExportQuery {
        values: Some(true),
        ..ExportQuery::default()
    };
    let mut lines = evidence::export(app, &cx, &query)
        .await
        .map_err(|error| error.to_string())?;
    let mut text = String::new();
    while let Some(line) = lines.next().await {
        text.push_str(&line.map_err(|error| error.to_string())?);
    }
    let key = app.sealer.key().verify_key();
    fractal_evidence::verify::verify(text.as_bytes(), &key, &[], &[])
        .map(|report| report.last)
        .map_err(|fault| fault.to_string())
}
