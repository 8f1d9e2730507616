//! Reading the log: pages, proofs, exports, what happens live. Only sealed entries are shown, so that nobody's place in them shifts.

use std::{collections::BTreeMap, pin::Pin};

use fractal_api_types::{
    ConsistencyProof, ConsistencyQuery, EvidenceHead, EvidenceQuery, EvidenceView, ExportQuery,
    FieldError, InclusionProof, Page, ProblemCode, ProofQuery, WitnessedHead,
};
use fractal_clock::{Clock, Entropy, new_id};
use fractal_crypto::{Place, SignKey, VerifyKey};
use fractal_evidence::{
    export::{Header, checkpoint_line, entry_line},
    hex, leaf,
    merkle::leaf_hash,
};
use fractal_policy::{Action, Resource};
use fractal_store::{
    EvidenceCheckpoint, EvidenceEntry, EvidenceFilter, Reads, SigningKeyRow, Store, Tx, evidence,
    evidence::Opening, evidence_tree, instances, providers, signing_keys, users, witnesses,
};
use fractal_types::{KeyId, OrganizationId, UserId};
use futures::{Stream, stream};

use crate::{App, Context, Error, Keys, Result};

/// Entries read at once for exports and live events.
const CHUNK: u32 = 500;

/// The key that signs the log's heads, made at the first start.
///
/// # Errors
///
/// When the database fails or the key cannot be opened.
pub async fn signing_key(
    store: &Store,
    keys: &Keys,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
    organization_id: OrganizationId,
    installation_id: &str,
) -> Result<SignKey> {
    let name = format!("fractal/{installation_id}");
    let owner = organization_id.to_string();
    store
        .tx("evidence.signing_key", async |tx: Tx| {
            let known = signing_keys::find_by_name(&tx, &name).await?;
            let id: KeyId = known
                .as_ref()
                .map_or_else(|| new_id(clock, entropy), |row| row.id);
            let text = id.to_string();
            let place = Place {
                owner: &owner,
                table: "signing_keys",
                column: "secret",
                row: &text,
            };
            if let Some(row) = known {
                let secret = keys.open(&tx, place, &row.secret).await?;
                return SignKey::from_secret(&name, &secret).map_err(Error::internal);
            }
            let key = SignKey::generate(&name, entropy);
            let secret = keys
                .seal(&tx, clock, entropy, place, &key.to_secret())
                .await?;
            let row = SigningKeyRow {
                id,
                organization_id,
                name: name.clone(),
                verify_key: key.verify_key().to_string(),
                secret,
                created_at: clock.now(),
            };
            signing_keys::insert(&tx, &row).await?;
            Ok(key)
        })
        .await
}

fn of(cx: &Context) -> Resource {
    Resource::Evidence {
        id: None,
        organization: cx.actor.organization_id,
    }
}

fn wrong(parameter: &str, message: impl Into<String>) -> Error {
    let mut error = Error::new(ProblemCode::InvalidParameter);
    error.fields.push(FieldError {
        field: parameter.into(),
        message: message.into(),
    });
    error
}

/// A page of the log, newest first.
///
/// # Errors
///
/// Names the parameter that makes no sense; see [`App::require`].
pub async fn list(app: &App, cx: &Context, query: &EvidenceQuery) -> Result<Page<EvidenceView>> {
    app.require(cx, Action::EvidenceView, &of(cx))?;
    let limit = query.limit.unwrap_or(50);
    if !(1..=200).contains(&limit) {
        return Err(wrong("limit", "must be 1 to 200"));
    }
    let before = query
        .cursor
        .as_deref()
        .map(|text| {
            text.parse()
                .map_err(|_| wrong("cursor", "must be the next_cursor of a page before"))
        })
        .transpose()?;
    let filter = EvidenceFilter {
        organization_id: Some(cx.actor.organization_id),
        actor: query.actor.clone(),
        action: query.action.clone(),
        resource_kind: query.resource_kind.clone(),
        resource_id: query.resource_id.clone(),
        outcome: query.outcome.clone(),
        from: query.from,
        to: query.to,
    };
    let db = app.store.read();
    let mut rows = evidence::list_newest(&db, &filter, before, limit + 1).await?;
    let more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    let next_cursor = more
        .then(|| {
            rows.last()
                .and_then(|row| row.seq)
                .map(|seq| seq.to_string())
        })
        .flatten();
    Ok(Page {
        items: views(app, cx, &db, rows).await?,
        next_cursor,
    })
}

/// The entry at a position.
///
/// # Errors
///
/// See [`App::require`].
pub async fn view(app: &App, cx: &Context, seq: u64) -> Result<EvidenceView> {
    let db = app.store.read();
    let row = entry(app, cx, &db, seq).await?;
    let views = views(app, cx, &db, vec![row]).await?;
    views.into_iter().next().ok_or_else(Error::not_found)
}

async fn entry(app: &App, cx: &Context, db: &dyn Reads, seq: u64) -> Result<EvidenceEntry> {
    app.require(cx, Action::EvidenceView, &of(cx))?;
    evidence::find_at(db, seq)
        .await?
        .filter(|row| row.organization_id == cx.actor.organization_id)
        .ok_or_else(Error::not_found)
}

async fn views(
    app: &App,
    cx: &Context,
    db: &dyn Reads,
    rows: Vec<EvidenceEntry>,
) -> Result<Vec<EvidenceView>> {
    let shown: Vec<_> = rows
        .iter()
        .filter(|row| may_see_values(app, cx, row))
        .map(|row| row.id)
        .collect();
    let mut openings = evidence::openings_of(db, &shown).await?;
    let mut names: BTreeMap<String, Option<String>> = BTreeMap::new();
    let mut views = Vec::with_capacity(rows.len());
    for row in rows {
        if row.actor_kind == "user" && !names.contains_key(&row.actor_id) {
            let user = match row.actor_id.parse::<UserId>() {
                Ok(id) => users::find(db, id).await?,
                Err(_) => None,
            };
            names.insert(
                row.actor_id.clone(),
                user.map(|user| user.username.to_string()),
            );
        }
        let opened = openings.remove(&row.id).unwrap_or_default();
        let erased = if shown.contains(&row.id) {
            erased_of(&row, &opened)
        } else {
            Vec::new()
        };
        views.push(EvidenceView {
            erased,
            seq: row.seq.unwrap_or_default(),
            id: row.id,
            at: row.at,
            actor_name: names.get(&row.actor_id).cloned().flatten(),
            actor_kind: row.actor_kind,
            actor_id: row.actor_id,
            via: row.via,
            action: row.action,
            resource_kind: row.resource_kind,
            resource_id: row.resource_id,
            outcome: row.outcome,
            // Entries of earlier releases may have none; the log itself keeps them as they were written.
            decision: if row.decision.is_null() {
                serde_json::json!({})
            } else {
                row.decision
            },
            values: opened
                .into_iter()
                .map(|opening| (opening.field, opening.value))
                .collect(),
            commitments: row.commitments,
            request_id: row.request_id,
        });
    }
    Ok(views)
}

/// The values that an entry commits to and that nothing opens any more.
fn erased_of(row: &EvidenceEntry, opened: &[Opening]) -> Vec<String> {
    let committed = row.commitments.as_object();
    committed
        .into_iter()
        .flat_map(|fields| fields.keys())
        .filter(|field| !opened.iter().any(|opening| opening.field == **field))
        .cloned()
        .collect()
}

/// Whether the caller may see what was changed, and not only that something was: what is private to somebody (the names of their
/// providers, their persona) stays so in the log.
fn may_see_values(app: &App, cx: &Context, row: &EvidenceEntry) -> bool {
    row.actor_id == cx.actor.principal.id_text() && !row.actor_id.is_empty()
        || row
            .action
            .parse::<Action>()
            .map_or(true, |action| !app.policy().is_private(action))
}

/// The newest signed head. Whoever may chat here may hold it: it tells nothing but how long the log is, and is worth most in many
/// hands.
///
/// # Errors
///
/// When the database fails; `unauthenticated`.
pub async fn head(app: &App, cx: &Context) -> Result<EvidenceHead> {
    app.require(cx, Action::EvidenceHead, &of(cx))?;
    let db = app.store.read();
    let head = match evidence_tree::latest_checkpoint(&db).await? {
        Some(head) => Some(cosigned(&db, head).await?),
        None => None,
    };
    Ok(EvidenceHead {
        witnessed: newest_cosigned(&db).await?,
        size: head.as_ref().map_or(0, |head| head.size),
        signed_at: head.as_ref().map(|head| head.created_at),
        note: head.map(|head| head.note),
        key: verify_key(app).to_string(),
        waiting: evidence::count_unsealed(&db).await?,
    })
}

/// The head with the lines of those who cosigned it.
async fn cosigned(db: &dyn Reads, mut head: EvidenceCheckpoint) -> Result<EvidenceCheckpoint> {
    for row in witnesses::cosignatures_between(db, head.size, head.size).await? {
        head.note.push_str(&row.line);
    }
    Ok(head)
}

/// The newest head that a witness cosigned; while changes go on it is rarely the newest of all.
async fn newest_cosigned(db: &dyn Reads) -> Result<Option<WitnessedHead>> {
    let Some(size) = witnesses::latest_cosigned(db).await? else {
        return Ok(None);
    };
    // A database that was put back may lack the head that was cosigned before.
    let Some(head) = evidence_tree::find_checkpoint(db, size).await? else {
        return Ok(None);
    };
    let rows = witnesses::cosignatures_between(db, size, size).await?;
    let by = rows.into_iter().map(|row| row.witness).collect();
    let head = cosigned(db, head).await?;
    Ok(Some(WitnessedHead {
        size,
        note: head.note,
        witnesses: by,
    }))
}

fn verify_key(app: &App) -> VerifyKey {
    app.sealer.key().verify_key()
}

/// The proof that an entry is in the log.
///
/// # Errors
///
/// `not-found` for a position that was not given yet; names the parameter that makes no sense; see [`App::require`].
pub async fn proof(
    app: &App,
    cx: &Context,
    seq: u64,
    query: &ProofQuery,
) -> Result<InclusionProof> {
    let db = app.store.read();
    let row = entry(app, cx, &db, seq).await?;
    let head = head_of(&db, query.size, "size").await?;
    if head.size < seq {
        return Err(wrong(
            "size",
            "must be the size of a head that covers the entry",
        ));
    }
    let leaf = leaf(&row, seq);
    let hashes = fractal_evidence::inclusion(&db, seq, head.size)
        .await
        .map_err(Error::internal)?;
    Ok(InclusionProof {
        seq,
        leaf_hash: hex(&leaf_hash(leaf.as_bytes())),
        leaf,
        size: head.size,
        hashes: hashes.iter().map(|hash| hex(hash)).collect(),
        note: head.note,
    })
}

async fn head_of(db: &dyn Reads, size: Option<u64>, parameter: &str) -> Result<EvidenceCheckpoint> {
    let head = match size {
        None => evidence_tree::latest_checkpoint(db)
            .await?
            .ok_or_else(Error::not_found)?,
        Some(size) => evidence_tree::find_checkpoint(db, size)
            .await?
            .ok_or_else(|| wrong(parameter, "must be the size of a signed head"))?,
    };
    cosigned(db, head).await
}

/// The proof that the log only grew between two heads.
///
/// # Errors
///
/// Names the parameter that makes no sense; see [`App::require`].
pub async fn consistency(
    app: &App,
    cx: &Context,
    query: &ConsistencyQuery,
) -> Result<ConsistencyProof> {
    app.require(cx, Action::EvidenceHead, &of(cx))?;
    let db = app.store.read();
    let head = head_of(&db, query.to, "to").await?;
    if query.from == 0 || query.from > head.size {
        return Err(wrong(
            "from",
            "must be at least 1 and no more than the later size",
        ));
    }
    let hashes = fractal_evidence::consistency(&db, query.from, head.size)
        .await
        .map_err(Error::internal)?;
    Ok(ConsistencyProof {
        from: query.from,
        to: head.size,
        hashes: hashes.iter().map(|hash| hex(hash)).collect(),
        note: head.note,
    })
}

/// Lines of an export; an error ends it.
pub type Lines = Pin<Box<dyn Stream<Item = Result<String>> + Send>>;

/// The log as lines that verify by themselves, up to the newest head. What is sealed meanwhile is for the next export.
///
/// # Errors
///
/// Names the parameter that makes no sense; `conflict` while nothing is sealed; see [`App::require`].
pub async fn export(app: &App, cx: &Context, query: &ExportQuery) -> Result<Lines> {
    app.require(cx, Action::EvidenceView, &of(cx))?;
    let db = app.store.read();
    let head = evidence_tree::latest_checkpoint(&db)
        .await?
        .ok_or_else(|| Error::conflict("the log holds no sealed entry yet"))?;
    let head = cosigned(&db, head).await?;
    let first = query.first.unwrap_or(1);
    if first == 0 || first > head.size + 1 {
        return Err(wrong(
            "first",
            format!("must be 1 to {}", head.size.saturating_add(1)),
        ));
    }
    let before = fractal_evidence::frontier(&db, first - 1)
        .await
        .map_err(Error::internal)?;
    let mut begin = Header::new(&verify_key(app), &before).line();
    if first > head.size {
        begin.push_str(&checkpoint_line(&head.note));
    }
    let state = Export {
        app: app.clone(),
        cx: cx.clone(),
        after: first - 1,
        last: head.size,
        values: query.values.unwrap_or(false),
    };
    let rest = stream::try_unfold(state, |mut state| async move {
        Ok(state.chunk().await?.map(|text| (text, state)))
    });
    let lines = stream::iter([Ok(begin)]);
    Ok(Box::pin(futures::StreamExt::chain(lines, rest)))
}

struct Export {
    app: App,
    cx: Context,
    after: u64,
    last: u64,
    values: bool,
}

impl Export {
    async fn chunk(&mut self) -> Result<Option<String>> {
        if self.after >= self.last {
            return Ok(None);
        }
        let db = self.app.store.read();
        let mut rows = evidence::list_sealed(&db, None, self.after, CHUNK).await?;
        rows.retain(|row| row.seq.is_some_and(|seq| seq <= self.last));
        let Some(until) = rows.last().and_then(|row| row.seq) else {
            return Err(Error::internal("sealed entries are missing"));
        };
        let mut heads: BTreeMap<u64, String> =
            evidence_tree::checkpoints_between(&db, self.after + 1, until)
                .await?
                .into_iter()
                .map(|head| (head.size, head.note))
                .collect();
        for row in witnesses::cosignatures_between(&db, self.after + 1, until).await? {
            // One of a head that is not there (a database that was put back) has nothing to stand under.
            if let Some(note) = heads.get_mut(&row.size) {
                note.push_str(&row.line);
            }
        }
        let shown: Vec<_> = rows
            .iter()
            .filter(|row| self.values && may_see_values(&self.app, &self.cx, row))
            .map(|row| row.id)
            .collect();
        let openings = evidence::openings_of(&db, &shown).await?;
        let mut text = String::new();
        for row in &rows {
            let seq = row.seq.unwrap_or_default();
            let opened = openings.get(&row.id).map_or(&[][..], Vec::as_slice);
            let erased = if shown.contains(&row.id) {
                erased_of(row, opened)
            } else {
                Vec::new()
            };
            text.push_str(&entry_line(&leaf(row, seq), opened, &erased));
            if let Some(note) = heads.remove(&seq) {
                text.push_str(&checkpoint_line(&note));
            }
        }
        self.after = until;
        Ok(Some(text))
    }
}

/// What happens from a position on, as far as the caller may know: everything for those who may read the log, for others what they
/// did themselves and what happened to what is theirs. `None` begins with what comes next.
///
/// # Errors
///
/// When the database fails; `unauthenticated`.
pub async fn follow(
    app: &App,
    cx: &Context,
    after: Option<u64>,
) -> Result<Pin<Box<dyn Stream<Item = EvidenceView> + Send>>> {
    app.require(cx, Action::EvidenceHead, &of(cx))?;
    let newest = evidence::latest_seq(&app.store.read()).await?;
    let state = Follow {
        // A position of another history (a database put back) begins with what comes next.
        after: after.filter(|after| *after <= newest).unwrap_or(newest),
        sizes: app.sealer.watch(),
        ready: Vec::new().into_iter(),
        app: app.clone(),
        cx: cx.clone(),
    };
    Ok(Box::pin(stream::unfold(state, |mut state| async move {
        state.next().await.map(|view| (view, state))
    })))
}

struct Follow {
    app: App,
    cx: Context,
    after: u64,
    sizes: tokio::sync::watch::Receiver<u64>,
    ready: std::vec::IntoIter<EvidenceView>,
}

impl Follow {
    async fn next(&mut self) -> Option<EvidenceView> {
        loop {
            if let Some(view) = self.ready.next() {
                return Some(view);
            }
            // Marked as seen before the look, so that what is sealed during it wakes us again.
            self.sizes.borrow_and_update();
            let organization = Some(self.cx.actor.organization_id);
            let db = self.app.store.read();
            let mut rows = evidence::list_sealed(&db, organization, self.after, CHUNK)
                .await
                .ok()?;
            if let Some(last) = rows.last().and_then(|row| row.seq) {
                self.after = last;
                // Decided anew for every batch: a right that was taken away ends here.
                if !self.app.may(&self.cx, Action::EvidenceView, &of(&self.cx)) {
                    let mut own = Vec::new();
                    for row in rows {
                        if concerns(&self.app, &db, &self.cx, &row).await.ok()? {
                            own.push(row);
                        }
                    }
                    rows = own;
                }
                self.ready = views(&self.app, &self.cx, &db, rows)
                    .await
                    .ok()?
                    .into_iter();
                continue;
            }
            self.sizes.changed().await.ok()?;
        }
    }
}

/// Whether an entry is about the caller: by them, about them, or about something of theirs.
async fn concerns(app: &App, db: &dyn Reads, cx: &Context, row: &EvidenceEntry) -> Result<bool> {
    let Some(me) = cx.actor.user_id() else {
        return Ok(false);
    };
    let text = me.to_string();
    if row.actor_id == text || row.resource_id == text {
        return Ok(true);
    }
    Ok(match row.resource_kind.as_str() {
        "instance" => match row.resource_id.parse() {
            Ok(id) => instances::find(db, id)
                .await?
                .is_some_and(|instance| instance.user_id == me),
            Err(_) => false,
        },
        "provider" => match row.resource_id.parse() {
            Ok(id) => providers::find(db, id)
                .await?
                .is_some_and(|provider| provider.user_id == Some(me)),
            Err(_) => false,
        },
        "proposal" => match row.resource_id.parse() {
            Ok(id) => crate::proposal::is_visible(app, cx, db, id).await?,
            Err(_) => false,
        },
        "incident" => match row.resource_id.parse() {
            Ok(id) => crate::incident::is_visible(app, cx, db, id).await?,
            Err(_) => false,
        },
        "operation" => match row.resource_id.parse() {
            Ok(id) => crate::operation::is_visible(app, cx, db, id).await?,
            Err(_) => false,
        },
        _ => false,
    })
}
