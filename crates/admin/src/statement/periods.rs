//! `show @@periods` and `dry run @@periods`: tables of rules that go on with the clock.

use serval_catalog::Catalog;
use serval_remote::Backend;
use serval_session::periods::{Found, PeriodState, drop_passed, look, make_missing};
use serval_session::{Answer, Proxy};

use super::scope::Tables;

/// The tables of periods, node by node.
pub(super) async fn show<B: Backend>(proxy: &Proxy<B>, tables: &Tables) -> Answer {
    let mut answer = Answer::of_text(&["SCHEMA", "TABLE", "NODE", "NAME", "STATE"]);
    let catalog = proxy.catalog.load_full();
    let found = meant(look(&*proxy.backend, &catalog).await, tables);
    let blocked = proxy.blocked_periods.lock().clone();
    for period in &found.periods {
        let node = catalog.node(period.node).name.to_string();
        let (schema, table, name) = (period.schema.clone(), period.table.clone(), period.physical.clone());
        let mut state = period.state.describe();
        if matches!(period.state, PeriodState::Missing | PeriodState::Passed)
            && let Some(why) = blocked.get(&(period.node, name.clone()))
        {
            state = format!("{state}; tried in vain: {why}");
        }
        answer.push([schema, table, node, name, state]);
    }
    failures(&mut answer, &catalog, &found);
    answer
}

/// What would be created and dropped now.
pub(super) async fn dry_run<B: Backend>(proxy: &Proxy<B>, tables: &Tables) -> Answer {
    let mut answer = Answer::of_text(&["SCHEMA", "TABLE", "NODE", "NAME", "STATEMENT"]);
    let catalog = proxy.catalog.load_full();
    let found = meant(look(&*proxy.backend, &catalog).await, tables);
    let made = make_missing(&*proxy.backend, &catalog, &found, true).await;
    let dropped = drop_passed(&*proxy.backend, &catalog, &found, true).await;
    for (period, sql, result) in made.into_iter().chain(dropped) {
        let node = catalog.node(period.node).name.to_string();
        let statement = result.map_or_else(|why| format!("nothing: {why}"), |()| sql);
        answer.push([period.schema, period.table, node, period.physical, statement]);
    }
    failures(&mut answer, &catalog, &found);
    answer
}

fn meant(mut found: Found, tables: &Tables) -> Found {
    found.periods.retain(|period| tables.has(&period.schema, &period.table));
    found
}

fn failures(answer: &mut Answer, catalog: &Catalog, found: &Found) {
    for (node, why) in &found.failed {
        let none = String::new;
        let node = catalog.node(*node).name.to_string();
        answer.push([none(), none(), node, none(), format!("not asked: {why}")]);
    }
}
