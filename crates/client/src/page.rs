//! Walking a cursor-paged list to its end.

use fractal_api_types::{Page, PageQuery};

use crate::Result;

/// The largest page the server gives.
const PAGE: u32 = 200;

/// All entries of a list, page after page, at most `limit` when one is given.
///
/// # Errors
/// Whatever the first failing page gives.
pub async fn collect_pages<T, F, R>(limit: Option<usize>, mut fetch: F) -> Result<Vec<T>>
where
    F: FnMut(PageQuery) -> R,
    R: Future<Output = Result<Page<T>>>,
{
    let mut items = Vec::new();
    let mut cursor = None;
    loop {
        let wanted = limit.map_or(PAGE, |limit| {
            u32::try_from(limit - items.len()).unwrap_or(PAGE).min(PAGE)
        });
        if wanted == 0 {
            return Ok(items);
        }
        let page = fetch(PageQuery {
            cursor: cursor.take(),
            limit: Some(wanted),
        })
        .await?;
        let empty = page.items.is_empty();
        items.extend(page.items);
        if let Some(limit) = limit {
            items.truncate(limit);
        }
        match page.next_cursor {
            // A server that gives a cursor with an empty page would keep us here for ever.
            Some(next) if !empty => cursor = Some(next),
            _ => return Ok(items),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn numbers(query: PageQuery) -> Result<Page<usize>> {
        let from: usize = query.cursor.map_or(0, |text| text.parse().unwrap());
        let to = (from + query.limit.unwrap() as usize).min(450);
        Ok(Page {
            items: (from..to).collect(),
            next_cursor: (to < 450).then(|| to.to_string()),
        })
    }

    #[tokio::test]
    async fn every_page_is_read_in_order() {
        assert_eq!(
            collect_pages(None, numbers).await.unwrap(),
            (0..450).collect::<Vec<_>>()
        );
    }

    #[tokio::test]
    async fn a_limit_is_kept_exactly() {
        for limit in [0, 1, 200, 201, 450, 1000] {
            let got = collect_pages(Some(limit), numbers).await.unwrap();
            assert_eq!(got.len(), limit.min(450));
        }
    }
}
