//! One suite for both databases. SQLite always; PostgreSQL when a server can be started (`postgres` says why not).

mod figures;
mod fixture;
/// Included as a file: the testing crate depends on the whole house, which the store's tests must not wait for.
#[path = "../../../testing/src/postgres.rs"]
mod postgres_server;

mod incidents;
mod log;
mod nouns;
mod operations;
mod pages;
mod proposals;
mod robust;
mod rules;
mod work;

/// Runs each case on both databases.
macro_rules! suite {
    ($($module:ident: $($case:ident)*;)*) => {
        mod sqlite {
            $($(#[tokio::test(flavor = "multi_thread")]
            async fn $case() {
                let db = super::fixture::Db::sqlite().await;
                super::$module::$case(&db).await;
            })*)*
        }
        mod postgres {
            $($(#[tokio::test(flavor = "multi_thread")]
            async fn $case() {
                if let Some(db) = super::fixture::Db::postgres().await {
                    super::$module::$case(&db).await;
                }
            })*)*
        }
    };
}

suite! {
    nouns:
        every_noun_reads_back_as_it_was_written
        the_same_name_twice_is_a_conflict_that_names_the_table
        a_variable_is_stored_once_for_a_skill_and_goes_with_its_person
        a_sealed_value_is_replaced_unless_it_has_changed_meanwhile
        an_owners_older_keys_are_found_until_they_are_gone
        what_is_not_there_is_not_found
        a_row_that_points_nowhere_is_refused
        a_setting_reads_back_and_is_claimed_by_one_only
        an_invitation_is_used_once
        a_rotated_token_ends_later_than_now
        a_deleted_instance_gives_its_name_free
        an_older_generation_does_not_overwrite_what_was_seen
        failed_sign_ins_are_counted_per_key_and_time
        a_sign_in_flow_is_taken_once
        usage_is_added_in_batches_and_summed;
    pages:
        pages_cover_everything_once_while_rows_come_and_go
        ids_sort_alike_on_both_databases;
    work:
        a_job_is_claimed_by_one_worker_only
        an_abandoned_job_is_claimed_again_and_its_first_holder_is_refused
        a_job_is_tried_as_often_as_it_may_and_then_given_up
        a_job_of_a_transaction_that_failed_does_not_exist
        a_job_that_is_put_off_was_not_begun
        a_worker_knows_when_the_next_job_is_due
        a_lease_fences_off_the_holder_before
        a_delivery_waits_for_the_older_ones_of_its_thing;
    rules:
        the_newest_rules_are_found_and_only_the_newest_decisions_kept;
    incidents:
        one_incident_is_open_for_a_check_and_a_thing;
    operations:
        operations_are_found_counted_and_fenced;
    proposals:
        proposals_are_found_by_who_may_see_or_approve_them;
    figures:
        what_is_counted_is_what_is_there
        every_pool_tells_its_connections;
    log:
        an_entry_commits_to_its_values_and_forgets_them_on_demand
        positions_are_gapless_and_unsealed_entries_are_not_read
        a_change_that_fails_leaves_no_entry
        cosignatures_are_kept_once_and_outlive_their_witness;
    robust:
        a_transaction_that_fails_changes_nothing
        concurrent_transactions_lose_no_update
        a_transaction_can_be_spawned
        damaged_rows_name_table_column_and_row
        a_reader_does_not_see_what_is_not_committed;
}

#[tokio::test(flavor = "multi_thread")]
async fn several_processes_may_start_on_a_new_postgres_at_once() {
    let empty = tokio::task::spawn_blocking(|| postgres_server::server().map(|it| it.empty()));
    let Some(database) = empty.await.unwrap() else {
        return;
    };
    let starts: Vec<_> = (0..4)
        .map(|_| {
            let url = database.url.clone();
            tokio::spawn(async move { fixture::open(&url).await.close().await })
        })
        .collect();
    for start in starts {
        start.await.unwrap().unwrap();
    }
}
