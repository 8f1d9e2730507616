//! Keyset pages: stable under inserts and deletes, cheap at any depth.

/// Which end comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// By creation, newest first.
    #[default]
    NewestFirst,
    /// By creation, oldest first.
    OldestFirst,
}

/// What page is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PageRequest {
    /// The cursor of the page before; `None` for the first page.
    pub after: Option<String>,
    /// How many items; 0 means 50, at most 200.
    pub limit: u32,
    /// Which end comes first. A cursor belongs to the order it was made in.
    pub order: Order,
}

impl PageRequest {
    const DEFAULT: u32 = 50;
    const MAX: u32 = 200;

    pub(crate) fn limit(&self) -> u32 {
        match self.limit {
            0 => Self::DEFAULT,
            limit => limit.min(Self::MAX),
        }
    }
}

/// A page.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Where the next page begins; `None` when this is the last.
    pub next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// The same page of other things.
    pub fn map<U>(self, change: impl FnMut(T) -> U) -> Page<U> {
        Page {
            items: self.items.into_iter().map(change).collect(),
            next_cursor: self.next_cursor,
        }
    }
}
