//! Webhooks.

use fractal_api_types::{
    CreateWebhook, DeliveryQuery, DeliveryView, NewWebhook, Page, PageQuery, UpdateWebhook,
    WebhookTest, WebhookView,
};
use fractal_types::{DeliveryId, WebhookId};

use crate::{Client, Result};

impl Client {
    /// `GET /api/v1/webhooks`.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn webhooks(&self, page: &PageQuery) -> Result<Page<WebhookView>> {
        self.get_with(&["api", "v1", "webhooks"], page).await
    }

    /// `POST /api/v1/webhooks`.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn create_webhook(&self, body: &CreateWebhook) -> Result<NewWebhook> {
        self.post(&["api", "v1", "webhooks"], body).await
    }

    /// `GET /api/v1/webhooks/{id}`.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn webhook(&self, id: WebhookId) -> Result<WebhookView> {
        self.get(&["api", "v1", "webhooks", &id.to_string()]).await
    }

    /// `PATCH /api/v1/webhooks/{id}`.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn update_webhook(&self, id: WebhookId, body: &UpdateWebhook) -> Result<WebhookView> {
        self.patch(&["api", "v1", "webhooks", &id.to_string()], body)
            .await
    }

    /// `DELETE /api/v1/webhooks/{id}`.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn delete_webhook(&self, id: WebhookId) -> Result<()> {
        self.delete(&["api", "v1", "webhooks", &id.to_string()])
            .await
    }

    /// `POST /api/v1/webhooks/{id}/rotate-secret`.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn rotate_webhook_secret(&self, id: WebhookId) -> Result<NewWebhook> {
        self.post(
            &["api", "v1", "webhooks", &id.to_string(), "rotate-secret"],
            &(),
        )
        .await
    }

    /// `POST /api/v1/webhooks/{id}/test`.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn test_webhook(&self, id: WebhookId) -> Result<WebhookTest> {
        self.post(&["api", "v1", "webhooks", &id.to_string(), "test"], &())
            .await
    }

    /// `GET /api/v1/webhooks/{id}/deliveries`.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn webhook_deliveries(
        &self,
        id: WebhookId,
        query: &DeliveryQuery,
    ) -> Result<Page<DeliveryView>> {
        self.get_with(
            &["api", "v1", "webhooks", &id.to_string(), "deliveries"],
            query,
        )
        .await
    }

    /// `POST /api/v1/webhooks/{id}/deliveries/{delivery_id}/replay`.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn replay_webhook_delivery(
        &self,
        id: WebhookId,
        delivery: DeliveryId,
    ) -> Result<DeliveryView> {
        let (id, delivery) = (id.to_string(), delivery.to_string());
        self.post(
            &[
                "api",
                "v1",
                "webhooks",
                &id,
                "deliveries",
                &delivery,
                "replay",
            ],
            &(),
        )
        .await
    }
}
