//! Instances: life cycle, logs, timeline, live state.

use fractal_api_types::{
    CreateInstance, DeleteInstanceQuery, InstanceView, LogLineView, LogQuery, Page, PageQuery,
    SetInstanceLimits, TimelineEntry, UpdateInstance,
};
use fractal_types::InstanceId;
use reqwest::Method;
use serde::Serialize;

use crate::EventStream;

use crate::{Client, Result};

impl Client {
    /// `GET /api/v1/instances`; `all` lists everybody's (administrators).
    ///
    /// # Errors
    /// When the call fails.
    pub async fn instances(&self, page: &PageQuery, all: bool) -> Result<Page<InstanceView>> {
        let query = InstancesQuery {
            cursor: page.cursor.as_deref(),
            limit: page.limit,
            all: all.then_some(true),
        };
        self.get_with(&["api", "v1", "instances"], &query).await
    }

    /// `POST /api/v1/instances`.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn create_instance(&self, body: &CreateInstance) -> Result<InstanceView> {
        self.post(&["api", "v1", "instances"], body).await
    }

    /// `GET /api/v1/instances/{id}`.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn instance(&self, id: InstanceId) -> Result<InstanceView> {
        self.get(&["api", "v1", "instances", &id.to_string()]).await
    }

    /// `PATCH /api/v1/instances/{id}`.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn update_instance(
        &self,
        id: InstanceId,
        body: &UpdateInstance,
    ) -> Result<InstanceView> {
        self.patch(&["api", "v1", "instances", &id.to_string()], body)
            .await
    }

    /// `PUT /api/v1/instances/{id}/limits`, for administrators.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn set_instance_limits(
        &self,
        id: InstanceId,
        body: &SetInstanceLimits,
    ) -> Result<InstanceView> {
        let id = id.to_string();
        self.put(&["api", "v1", "instances", &id, "limits"], body)
            .await
    }

    /// `DELETE /api/v1/instances/{id}`; answers at once, the instance then goes.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn delete_instance(
        &self,
        id: InstanceId,
        query: &DeleteInstanceQuery,
    ) -> Result<InstanceView> {
        let id = id.to_string();
        self.read(self.request_with(Method::DELETE, &["api", "v1", "instances", &id], query)?)
            .await
    }

    /// `POST /api/v1/instances/{id}/start`; answers at once, the instance then starts.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn start_instance(&self, id: InstanceId) -> Result<InstanceView> {
        self.act(id, "start").await
    }

    /// `POST /api/v1/instances/{id}/stop`; answers at once, the instance then stops.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn stop_instance(&self, id: InstanceId) -> Result<InstanceView> {
        self.act(id, "stop").await
    }

    /// `POST /api/v1/instances/{id}/restart`; answers at once.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn restart_instance(&self, id: InstanceId) -> Result<InstanceView> {
        self.act(id, "restart").await
    }

    /// `GET /api/v1/instances/{id}/logs`: the newest lines, for the owner.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn instance_logs(
        &self,
        id: InstanceId,
        tail: Option<u32>,
    ) -> Result<Vec<LogLineView>> {
        let query = LogQuery { tail, follow: None };
        let page: Page<LogLineView> = self
            .get_with(&["api", "v1", "instances", &id.to_string(), "logs"], &query)
            .await?;
        Ok(page.items)
    }

    /// `GET /api/v1/instances/{id}/logs?follow=true`: lines as they come, for the owner.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn follow_instance_logs(
        &self,
        id: InstanceId,
        tail: Option<u32>,
    ) -> Result<EventStream<LogLineView>> {
        let query = LogQuery {
            tail,
            follow: Some(true),
        };
        let id = id.to_string();
        let request = self.request_with(
            Method::GET,
            &["api", "v1", "instances", &id, "logs"],
            &query,
        )?;
        Ok(EventStream::of(
            self.open_events(request).await?,
            Some("line"),
        ))
    }

    /// `GET /api/v1/instances/{id}/timeline`.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn instance_timeline(
        &self,
        id: InstanceId,
        page: &PageQuery,
    ) -> Result<Page<TimelineEntry>> {
        self.get_with(
            &["api", "v1", "instances", &id.to_string(), "timeline"],
            page,
        )
        .await
    }

    /// `GET /api/v1/instances/{id}/events`: the instance on every change.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn instance_events(&self, id: InstanceId) -> Result<EventStream<InstanceView>> {
        let id = id.to_string();
        let request = self.request(Method::GET, &["api", "v1", "instances", &id, "events"])?;
        Ok(EventStream::of(
            self.open_events(request).await?,
            Some("instance"),
        ))
    }
}

impl Client {
    async fn act(&self, id: InstanceId, verb: &str) -> Result<InstanceView> {
        self.post(
            &["api", "v1", "instances", &id.to_string(), verb],
            &serde_json::json!({}),
        )
        .await
    }
}

/// The list's page and whose instances it shows.
#[derive(Serialize)]
struct InstancesQuery<'a> {
    cursor: Option<&'a str>,
    limit: Option<u32>,
    all: Option<bool>,
}
