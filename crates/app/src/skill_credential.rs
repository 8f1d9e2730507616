//! Environment variables people store for the skills of their agents.
//!
//! Unlike a provider's key, such a value goes into its owner's instances: the skill's own program needs it. It is sealed with
//! the owner's key at rest, shown in no answer, and kept out of logs. What the log of changes says is only that something was
//! stored: which services somebody uses is their business.

use std::collections::BTreeMap;

use async_trait::async_trait;
use fractal_api_types::{Page, PageQuery, SetSkillCredential, SkillCredentialView};
use fractal_policy::{Action, Resource};
use fractal_store::{Reads, SkillCredential, Tx, skill_credentials};
use fractal_types::{SkillCredentialId, SkillKey, Timestamp, UserId, VariableName};
use secrecy::{ExposeSecret, SecretString};

use crate::{
    App, Context, Error, Result,
    change::{Change, Door, check, submit},
    instance::wake_configured,
    lookup::{page_of, page_request},
};

/// The longest value in bytes; keys in PEM fit, and a gateway takes 32 KiB.
const LONGEST_VALUE: usize = 8192;

/// How many one person may store: every one stands in the document their gateways read.
const MOST: usize = 100;

/// How many bytes the values of one person may have together, as they are stored: all of them travel in one request, stand in one
/// document and are looked for in every line of a log.
const MOST_BYTES: usize = 256 << 10;

/// Shorter values show nothing of themselves.
const SHORTEST_WITH_HINT: usize = 16;

fn view_of(row: SkillCredential) -> SkillCredentialView {
    SkillCredentialView {
        id: row.id,
        skill: row.skill,
        name: row.name,
        hint: row.hint,
        created_at: row.created_at,
        updated_at: row.updated_at,
    }
}

/// The caller's, newest first.
///
/// # Errors
///
/// See [`App::require`].
pub async fn list(app: &App, cx: &Context, query: &PageQuery) -> Result<Page<SkillCredentialView>> {
    let owner = cx.user_id()?;
    app.require(
        cx,
        Action::SkillCredentialList,
        &Resource::SkillCredential { id: None, owner },
    )?;
    let rows = skill_credentials::list(&app.store.read(), owner, &page_request(query)?).await?;
    Ok(page_of(rows, view_of))
}

/// Stores a variable, in place of its older value; running agents take it over.
///
/// # Errors
///
/// Names the field that breaks its rule; see [`submit`].
pub async fn set(app: &App, cx: &Context, body: SetSkillCredential) -> Result<SkillCredentialView> {
    let change = Set {
        owner: cx.user_id()?,
        id: app.new_id(),
        skill: body.skill,
        name: body.name,
        value: checked_value(body.value)?,
        now: app.clock.now(),
    };
    let row = submit(app, cx, change).await?;
    wake_configured(app, cx.actor.organization_id, Some(row.user_id)).await?;
    Ok(view_of(row))
}

struct Set {
    owner: UserId,
    /// The id of the row, when it is a new one.
    id: SkillCredentialId,
    skill: SkillKey,
    name: VariableName,
    value: SecretString,
    now: Timestamp,
}

#[async_trait]
impl Change for Set {
    type Output = SkillCredential;

    fn action(&self) -> Action {
        Action::SkillCredentialSet
    }

    async fn resource(&self, _tx: &Tx, _cx: &Context) -> Result<Resource> {
        Ok(Resource::SkillCredential {
            id: None,
            owner: self.owner,
        })
    }

    async fn apply(&self, door: &Door<'_>) -> Result<SkillCredential> {
        let all = skill_credentials::list_all(door.tx, self.owner).await?;
        let known = all
            .iter()
            .find(|row| row.skill == self.skill && row.name == self.name);
        let id = known.map_or(self.id, |row| row.id);
        let others: usize = all
            .iter()
            .filter(|row| row.id != id)
            .map(|row| row.value.len())
            .sum();
        let row = SkillCredential {
            id,
            user_id: self.owner,
            skill: self.skill.clone(),
            name: self.name.clone(),
            value: door
                .app
                .seal_skill_credential(door.tx, self.owner, id, &self.value)
                .await?,
            hint: hint(&self.value),
            created_at: known.map_or(self.now, |row| row.created_at),
            updated_at: self.now,
        };
        // Who is above the bound already may still renew a value, if it grows no longer.
        let grows = known.is_none_or(|old| old.value.len() < row.value.len());
        if grows && others + row.value.len() > MOST_BYTES {
            return Err(Error::conflict(format!(
                "all stored values together may have {} KiB",
                MOST_BYTES >> 10
            ))
            .remedy("remove one that is not needed any more, or store a shorter value"));
        }
        if known.is_some() {
            skill_credentials::update(door.tx, &row).await?;
        } else if all.len() < MOST {
            skill_credentials::insert(door.tx, &row).await?;
        } else {
            return Err(Error::conflict(format!(
                "{MOST} variables are stored, and more are not taken"
            ))
            .remedy("remove one that is not needed any more"));
        }
        door.made(row.id);
        Ok(row)
    }
}

/// Removes a variable; running agents lose it, sleeping ones with their next start.
///
/// # Errors
///
/// See [`submit`].
pub async fn delete(app: &App, cx: &Context, id: SkillCredentialId) -> Result<()> {
    let row = submit(app, cx, Delete { id }).await?;
    wake_configured(app, cx.actor.organization_id, Some(row.user_id)).await
}

struct Delete {
    id: SkillCredentialId,
}

#[async_trait]
impl Change for Delete {
    type Output = SkillCredential;

    fn action(&self) -> Action {
        Action::SkillCredentialDelete
    }

    async fn resource(&self, tx: &Tx, _cx: &Context) -> Result<Resource> {
        let row = skill_credentials::find(tx, self.id)
            .await?
            .ok_or_else(Error::not_found)?;
        Ok(Resource::SkillCredential {
            id: Some(row.id),
            owner: row.user_id,
        })
    }

    async fn apply(&self, door: &Door<'_>) -> Result<SkillCredential> {
        let row = skill_credentials::get(door.tx, self.id).await?;
        skill_credentials::delete(door.tx, self.id).await?;
        Ok(row)
    }
}

/// What a person's instances are given, by skill.
///
/// # Errors
///
/// When rows cannot be read or values not opened.
pub(crate) async fn opened(
    app: &App,
    db: &dyn Reads,
    owner: UserId,
) -> Result<BTreeMap<SkillKey, BTreeMap<VariableName, SecretString>>> {
    let mut skills: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
    for row in skill_credentials::list_all(db, owner).await? {
        let value = app.open_skill_credential(db, &row).await?;
        skills.entry(row.skill).or_default().insert(row.name, value);
    }
    Ok(skills)
}

/// The values alone, to keep them out of logs.
///
/// # Errors
///
/// See [`opened`].
pub(crate) async fn values(app: &App, db: &dyn Reads, owner: UserId) -> Result<Vec<SecretString>> {
    let skills = opened(app, db, owner).await?;
    Ok(skills
        .into_values()
        .flat_map(BTreeMap::into_values)
        .collect())
}

/// A value may have several lines, such as a key in PEM.
fn checked_value(value: String) -> Result<SecretString> {
    let value = SecretString::from(value);
    let text = value.expose_secret();
    // A gateway takes blank for missing.
    check(!text.trim().is_empty(), "/value", "must not be empty")?;
    check(
        text.len() <= LONGEST_VALUE,
        "/value",
        "must be at most 8192 bytes",
    )?;
    check(
        !text
            .chars()
            .any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')),
        "/value",
        "must not contain control characters but line breaks and tabs",
    )?;
    Ok(value)
}

/// The last characters, enough to recognise the value and too few to use it.
fn hint(value: &SecretString) -> String {
    let text: Vec<char> = value.expose_secret().trim_end().chars().collect();
    let shown = if text.len() >= SHORTEST_WITH_HINT {
        4
    } else {
        0
    };
    let tail: String = text[text.len() - shown..].iter().collect();
    // A line break would tear the line it is shown in.
    format!("…{}", tail.replace(char::is_control, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_text_of_bounded_size() {
        for good in ["x", "-----BEGIN\nabc\n-----END\n", "a b", "ü"] {
            assert!(checked_value(good.to_owned()).is_ok(), "{good}");
        }
        for bad in ["", "  ", "\n", "a\u{0}b", "\u{1b}[0m", &"a".repeat(8193)] {
            let error = checked_value(bad.to_owned()).unwrap_err();
            assert_eq!(error.fields[0].field, "/value");
            assert!(bad.trim().is_empty() || !error.to_string().contains(bad));
        }
    }

    #[test]
    fn a_hint_never_shows_much() {
        assert_eq!(hint(&SecretString::from("short")), "…");
        assert_eq!(hint(&SecretString::from("0123456789abcdef")), "…cdef");
        assert_eq!(hint(&SecretString::from("0123456789abc\nöäü\n")), "…öäü");
    }
}
