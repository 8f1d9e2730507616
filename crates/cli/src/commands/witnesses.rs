//! `fractal evidence witnesses`: third parties that cosign the log.

use fractal_api_types::{AddWitness, WitnessStateView, WitnessView};
use fractal_client::{Client, collect_pages};
use fractal_types::{Timestamp, WitnessId};

use super::{Session, by_name, evidence::witness_key_of};
use crate::{
    args::Witnesses,
    cells,
    output::Row,
    prompt,
    table::Cell,
    text::{printable, relative_or},
};

impl Row for WitnessView {
    const HEAD: &'static [&'static str] = &["id", "name", "url", "state", "vouches for", "last"];
    const NONE: &'static str =
        "nobody cosigns the log; add a witness with `fractal evidence witnesses add URL KEY`";

    fn cells(&self, now: Timestamp) -> Vec<Cell> {
        let state = match (self.state, &self.last_error) {
            (WitnessStateView::New, _) => "not asked yet".to_owned(),
            (_, Some(why)) => why.clone(),
            (_, None) => "fine".to_owned(),
        };
        cells![
            self.id,
            &self.name,
            &self.url,
            state,
            match self.size {
                0 => "nothing yet".to_owned(),
                size => format!("{size} entries"),
            },
            relative_or(self.cosigned_at, now, "never"),
        ]
    }
}

pub async fn run(session: &Session, command: Witnesses) -> anyhow::Result<()> {
    let client = &session.client()?;
    let out = &session.out;
    match command {
        Witnesses::List => out.list(all(client).await?),
        Witnesses::Add {
            address,
            key,
            allow_private_network,
        } => {
            let body = AddWitness {
                url: address,
                key: witness_key_of(&key)?.to_string(),
                allow_private_network: allow_private_network.then_some(true),
            };
            let added = client.add_witness(&body).await?;
            let sentence = format!(
                "{} is asked from now on; its operator must know the key that `fractal evidence key` prints",
                printable(&added.name)
            );
            out.done(&added, &sentence)
        }
        Witnesses::Remove { witness, yes } => {
            let id = find(client, &witness).await?;
            prompt::confirm("Remove the witness? What it cosigned stays.", yes)?;
            client.remove_witness(id).await?;
            out.done_nothing("the witness is not asked any more");
            Ok(())
        }
    }
}

async fn all(client: &Client) -> anyhow::Result<Vec<WitnessView>> {
    Ok(collect_pages(None, |page| async move { client.witnesses(&page).await }).await?)
}

async fn find(client: &Client, wanted: &str) -> anyhow::Result<WitnessId> {
    if let Ok(id) = wanted.parse() {
        return Ok(id);
    }
    let found = by_name("witness", wanted, all(client).await?, |one| &one.name)?;
    Ok(found.id)
}
