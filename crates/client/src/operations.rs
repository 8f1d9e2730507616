//! What takes longer than a call.

use fractal_api_types::{ChangeEngine, OperationQuery, OperationView, Page};
use fractal_types::{InstanceId, OperationId};
use reqwest::Method;

use crate::{Client, Result};

impl Client {
    /// `GET /api/v1/operations`.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn operations(&self, query: &OperationQuery) -> Result<Page<OperationView>> {
        self.get_with(&["api", "v1", "operations"], query).await
    }

    /// `GET /api/v1/operations/{id}`.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn operation(&self, id: OperationId) -> Result<OperationView> {
        self.get(&["api", "v1", "operations", &id.to_string()])
            .await
    }

    /// `PUT /api/v1/instances/{id}/engine`; answers at once, with what goes on.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn change_instance_engine(
        &self,
        id: InstanceId,
        body: &ChangeEngine,
    ) -> Result<OperationView> {
        let id = id.to_string();
        self.put(&["api", "v1", "instances", &id, "engine"], body)
            .await
    }

    /// `POST /api/v1/operations/{id}/cancel`.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn cancel_operation(&self, id: OperationId) -> Result<OperationView> {
        self.choose(id, "cancel").await
    }

    /// `POST /api/v1/operations/{id}/retry`.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn retry_operation(&self, id: OperationId) -> Result<OperationView> {
        self.choose(id, "retry").await
    }

    /// `POST /api/v1/operations/{id}/skip`.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn skip_operation(&self, id: OperationId) -> Result<OperationView> {
        self.choose(id, "skip").await
    }

    /// `POST /api/v1/operations/{id}/undo`.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn undo_operation(&self, id: OperationId) -> Result<OperationView> {
        self.choose(id, "undo").await
    }

    async fn choose(&self, id: OperationId, verb: &str) -> Result<OperationView> {
        let path = ["api", "v1", "operations", &id.to_string(), verb];
        self.read(self.request(Method::POST, &path)?).await
    }
}
