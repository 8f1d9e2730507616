//! The log: entries, heads, proofs, exports, what happens live.

use std::pin::Pin;

use fractal_api_types::{
    ConsistencyProof, ConsistencyQuery, EvidenceHead, EvidenceQuery, EvidenceView, ExportQuery,
    InclusionProof, Page, ProofQuery,
};
use futures::{Stream, TryStreamExt};
use reqwest::Method;

use crate::{Client, EventStream, Result};

/// The pieces of an export as they arrive.
pub type ExportStream = Pin<Box<dyn Stream<Item = Result<Vec<u8>>> + Send>>;

impl Client {
    /// `GET /api/v1/evidence`.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn evidence(&self, query: &EvidenceQuery) -> Result<Page<EvidenceView>> {
        self.get_with(&["api", "v1", "evidence"], query).await
    }

    /// `GET /api/v1/evidence/{seq}`.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn evidence_at(&self, seq: u64) -> Result<EvidenceView> {
        self.get(&["api", "v1", "evidence", &seq.to_string()]).await
    }

    /// `GET /api/v1/evidence/checkpoint`.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn evidence_head(&self) -> Result<EvidenceHead> {
        self.get(&["api", "v1", "evidence", "checkpoint"]).await
    }

    /// `GET /api/v1/evidence/{seq}/proof`.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn evidence_proof(&self, seq: u64, query: &ProofQuery) -> Result<InclusionProof> {
        self.get_with(&["api", "v1", "evidence", &seq.to_string(), "proof"], query)
            .await
    }

    /// `GET /api/v1/evidence/consistency`.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn evidence_consistency(&self, query: &ConsistencyQuery) -> Result<ConsistencyProof> {
        self.get_with(&["api", "v1", "evidence", "consistency"], query)
            .await
    }

    /// `GET /api/v1/evidence/export`. It has no overall time limit.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn export_evidence(&self, query: &ExportQuery) -> Result<ExportStream> {
        let request =
            self.request_with(Method::GET, &["api", "v1", "evidence", "export"], query)?;
        let response = self.send(request).await?;
        let client = self.clone();
        let pieces = response
            .bytes_stream()
            .map_ok(|piece| piece.to_vec())
            .map_err(move |error| client.transport(error));
        Ok(Box::pin(pieces))
    }

    /// `GET /api/v1/events`: what happens from now on, as far as the caller may know.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn follow_events(&self) -> Result<EventStream<EvidenceView>> {
        let request = self.request(Method::GET, &["api", "v1", "events"])?;
        Ok(EventStream::of(
            self.open_events(request).await?,
            Some("evidence"),
        ))
    }
}
