//! Where each kind of secret lives, so that the place a value is bound to is spelled once.

use fractal_crypto::Place;
use fractal_store::{IdentityProvider, Instance, Proposal, Provider, Reads, SkillCredential, Tx};
use fractal_types::{InstanceId, OrganizationId, ProviderId, SkillCredentialId, UserId};
use secrecy::SecretString;

use crate::{App, Result};

/// A provider's key belongs to its user, or to the organization when it is shared.
fn provider_owner(user_id: Option<UserId>, organization_id: OrganizationId) -> String {
    user_id.map_or_else(|| organization_id.to_string(), |id| id.to_string())
}

impl App {
    async fn seal(
        &self,
        tx: &Tx,
        owner: &str,
        table: &str,
        column: &str,
        row: &str,
        value: &SecretString,
    ) -> Result<Vec<u8>> {
        let place = Place {
            owner,
            table,
            column,
            row,
        };
        self.keys
            .seal(tx, &*self.clock, &*self.entropy, place, value)
            .await
    }

    pub(crate) async fn seal_provider_key(
        &self,
        tx: &Tx,
        user_id: Option<UserId>,
        organization_id: OrganizationId,
        id: ProviderId,
        key: &SecretString,
    ) -> Result<Vec<u8>> {
        self.seal(
            tx,
            &provider_owner(user_id, organization_id),
            "providers",
            "api_key",
            &id.to_string(),
            key,
        )
        .await
    }

    pub(crate) async fn open_provider_key(
        &self,
        db: &dyn Reads,
        row: &Provider,
    ) -> Result<Option<SecretString>> {
        let Some(sealed) = &row.api_key else {
            return Ok(None);
        };
        let (owner, id) = (
            provider_owner(row.user_id, row.organization_id),
            row.id.to_string(),
        );
        let place = Place {
            owner: &owner,
            table: "providers",
            column: "api_key",
            row: &id,
        };
        self.keys.open(db, place, sealed).await.map(Some)
    }

    pub(crate) async fn seal_skill_credential(
        &self,
        tx: &Tx,
        user_id: UserId,
        id: SkillCredentialId,
        value: &SecretString,
    ) -> Result<Vec<u8>> {
        self.seal(
            tx,
            &user_id.to_string(),
            "skill_credentials",
            "value",
            &id.to_string(),
            value,
        )
        .await
    }

    pub(crate) async fn open_skill_credential(
        &self,
        db: &dyn Reads,
        row: &SkillCredential,
    ) -> Result<SecretString> {
        let (owner, id) = (row.user_id.to_string(), row.id.to_string());
        let place = Place {
            owner: &owner,
            table: "skill_credentials",
            column: "value",
            row: &id,
        };
        self.keys.open(db, place, &row.value).await
    }

    /// What a proposal keeps belongs to who asked for it.
    pub(crate) async fn seal_proposal(
        &self,
        tx: &Tx,
        row: &Proposal,
        column: &'static str,
        value: &SecretString,
    ) -> Result<Vec<u8>> {
        let (owner, id) = (row.user_id.to_string(), row.id.to_string());
        self.seal(tx, &owner, "proposals", column, &id, value).await
    }

    /// `None` when there is nothing any more.
    pub(crate) async fn open_proposal(
        &self,
        db: &dyn Reads,
        row: &Proposal,
        column: &'static str,
    ) -> Result<Option<SecretString>> {
        let sealed = match column {
            "request" => &row.request,
            "simulation" => &row.simulation,
            _ => &row.answer,
        };
        let Some(sealed) = sealed else {
            return Ok(None);
        };
        let (owner, id) = (row.user_id.to_string(), row.id.to_string());
        let place = Place {
            owner: &owner,
            table: "proposals",
            column,
            row: &id,
        };
        self.keys.open(db, place, sealed).await.map(Some)
    }

    pub(crate) async fn seal_instance_token(
        &self,
        tx: &Tx,
        user_id: UserId,
        id: InstanceId,
        column: &'static str,
        token: &SecretString,
    ) -> Result<Vec<u8>> {
        self.seal(
            tx,
            &user_id.to_string(),
            "instances",
            column,
            &id.to_string(),
            token,
        )
        .await
    }

    pub(crate) async fn open_instance_token(
        &self,
        db: &dyn Reads,
        row: &Instance,
        column: &'static str,
    ) -> Result<SecretString> {
        let sealed = if column == "gateway_token" {
            &row.gateway_token
        } else {
            &row.instance_token
        };
        let (owner, id) = (row.user_id.to_string(), row.id.to_string());
        self.keys
            .open(
                db,
                Place {
                    owner: &owner,
                    table: "instances",
                    column,
                    row: &id,
                },
                sealed,
            )
            .await
    }

    pub(crate) async fn seal_client_secret(
        &self,
        tx: &Tx,
        row: &IdentityProvider,
        secret: &SecretString,
    ) -> Result<Vec<u8>> {
        self.seal(
            tx,
            &row.organization_id.to_string(),
            "identity_providers",
            "client_secret",
            &row.id.to_string(),
            secret,
        )
        .await
    }

    pub(crate) async fn open_client_secret(
        &self,
        db: &dyn Reads,
        row: &IdentityProvider,
    ) -> Result<Option<SecretString>> {
        let Some(sealed) = &row.client_secret else {
            return Ok(None);
        };
        let (owner, id) = (row.organization_id.to_string(), row.id.to_string());
        let place = Place {
            owner: &owner,
            table: "identity_providers",
            column: "client_secret",
            row: &id,
        };
        self.keys.open(db, place, sealed).await.map(Some)
    }

    pub(crate) async fn seal_pkce_verifier(
        &self,
        tx: &Tx,
        state_hash: &str,
        verifier: &SecretString,
    ) -> Result<Vec<u8>> {
        self.seal(
            tx,
            &self.organization_id.to_string(),
            "oidc_flows",
            "pkce_verifier",
            state_hash,
            verifier,
        )
        .await
    }

    pub(crate) async fn open_pkce_verifier(
        &self,
        db: &dyn Reads,
        state_hash: &str,
        sealed: &[u8],
    ) -> Result<SecretString> {
        let owner = self.organization_id.to_string();
        self.keys
            .open(
                db,
                Place {
                    owner: &owner,
                    table: "oidc_flows",
                    column: "pkce_verifier",
                    row: state_hash,
                },
                sealed,
            )
            .await
    }
}
