//! What was used: the caller's own, or everybody's sums for administrators.

use std::time::Duration;

use fractal_api_types::{FieldError, ProblemCode, UsageQuery, UsageReport, UsageRow};
use fractal_policy::{Action, Resource};
use fractal_store::usage_records;
use fractal_types::Timestamp;

use crate::{App, Context, Error, Result};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const DEFAULT_DAYS: u32 = 30;
const MOST_DAYS: u32 = 366;

/// Usage by day (UTC) and model, newest first. `days` counts whole days and includes today.
///
/// # Errors
///
/// `invalid-parameter` for a wrong number of days; see [`App::require`].
pub async fn report(app: &App, cx: &Context, query: &UsageQuery) -> Result<UsageReport> {
    let days = query.days.unwrap_or(DEFAULT_DAYS);
    if !(1..=MOST_DAYS).contains(&days) {
        let mut error = Error::new(ProblemCode::InvalidParameter);
        error.fields.push(FieldError {
            field: "days".into(),
            message: "must be 1 to 366".into(),
        });
        return Err(error);
    }
    let organization = cx.actor.organization_id;
    let owner = if query.all.unwrap_or(false) {
        app.require(
            cx,
            Action::UsageViewAll,
            &Resource::Organization(organization),
        )?;
        None
    } else {
        let owner = cx.user_id()?;
        app.require(cx, Action::UsageViewOwn, &Resource::Usage { owner })?;
        Some(owner)
    };
    let now = app.clock.now();
    let from = start_of_day(now).before(DAY * (days - 1));
    // Until after now: a call that began in this very microsecond counts.
    let until = now.after(Duration::from_micros(1));
    let sums = usage_records::daily(&app.store.read(), organization, owner, from, until).await?;
    let rows: Vec<UsageRow> = sums
        .into_iter()
        .map(|sum| UsageRow {
            day: day_text(sum.day),
            model: sum.model,
            calls: sum.calls,
            failed: sum.failed,
            input_tokens: sum.input_tokens,
            output_tokens: sum.output_tokens,
        })
        .collect();
    Ok(UsageReport {
        calls: rows.iter().map(|row| row.calls).sum(),
        input_tokens: rows.iter().map(|row| row.input_tokens).sum(),
        output_tokens: rows.iter().map(|row| row.output_tokens).sum(),
        rows,
    })
}

fn start_of_day(at: Timestamp) -> Timestamp {
    let day = i64::try_from(DAY.as_micros()).unwrap_or(i64::MAX);
    Timestamp::from_micros(at.as_micros().div_euclid(day) * day)
}

/// `YYYY-MM-DD` of a day counted from 1970.
fn day_text(day: i64) -> String {
    let text = Timestamp::from_micros(day.saturating_mul(86_400_000_000)).to_string();
    text.chars().take(10).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_written_as_dates() {
        assert_eq!(day_text(0), "1970-01-01");
        assert_eq!(day_text(20_778), "2026-11-21");
    }
}
