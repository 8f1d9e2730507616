//! Skills of agents and the variables stored for them.

use fractal_api_types::{
    Page, PageQuery, SetSkillCredential, SkillCredentialView, SkillList, SkillsQuery,
};
use fractal_types::{InstanceId, SkillCredentialId};

use crate::{Client, Result};

impl Client {
    /// `GET /api/v1/instances/{id}/skills`; a sleeping agent is a conflict unless it is to be woken.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn skills(&self, id: InstanceId, wake: bool) -> Result<SkillList> {
        let query = SkillsQuery {
            wake: wake.then_some(true),
        };
        self.get_with(
            &["api", "v1", "instances", &id.to_string(), "skills"],
            &query,
        )
        .await
    }

    /// `GET /api/v1/skill-credentials`.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn skill_credentials(&self, page: &PageQuery) -> Result<Page<SkillCredentialView>> {
        self.get_with(&["api", "v1", "skill-credentials"], page)
            .await
    }

    /// `PUT /api/v1/skill-credentials`.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn set_skill_credential(
        &self,
        body: &SetSkillCredential,
    ) -> Result<SkillCredentialView> {
        self.put(&["api", "v1", "skill-credentials"], body).await
    }

    /// `DELETE /api/v1/skill-credentials/{id}`.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn delete_skill_credential(&self, id: SkillCredentialId) -> Result<()> {
        self.delete(&["api", "v1", "skill-credentials", &id.to_string()])
            .await
    }
}
