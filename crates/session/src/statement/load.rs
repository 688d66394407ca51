//! LOAD DATA LOCAL INFILE: the client's file, into the table's node as it comes, or row by row where the table has
//! several shards or copies.

mod file;
mod job;
mod placing;

use std::sync::Arc;

use serval_catalog::Catalog;
use serval_executor::load::Loaded;
use serval_planner::primitive::{Primitive, Spread, Tally};
use serval_planner::{Bound, PlanTable, untied_children};
use serval_remote::Backend;
use serval_sql::{LoadColumn, LoadData};
use serval_types::{GroupId, MysqlError};
use serval_wire::Capabilities;
use serval_wire::packet::OkPacket;
use tokio::io::AsyncWrite;

use crate::answer::Answer;
use crate::failure::{Failure, no_schema, refused, unknown_table};
use crate::session::{Session, Wanted, has_not_run};
use crate::stream::Writer;

use job::{Done, Job};
use placing::Placing;

/// Loads a file.
pub(super) async fn run<B, W>(
    session: &mut Session<B>,
    writer: &mut Writer<W>,
    text: &str,
    load: &LoadData,
) -> Result<(), Failure>
where
    B: Backend,
    W: AsyncWrite + Unpin + Send,
{
    let catalog = session.catalog();
    allowed(session, writer, &catalog, load)?;
    let found = table(session, &catalog, load)?;
    let (catalog, table) = if found.table.sharding().is_some() && found.table.definition.is_none() {
        session.undefined = Some((found.schema, found.table.name.clone()));
        let unknown = refused("The definition of the table is not known yet, so its rows cannot be placed");
        Box::pin(super::definitions::resolve(session, unknown)).await?;
        let catalog = session.catalog();
        let table = table(session, &catalog, load)?;
        (catalog, table)
    } else {
        (catalog, found)
    };
    // Its file could not be asked for again.
    Box::pin(super::missed::make_before(session, &catalog, &table.schema, &table.table)).await;
    refuse_family(&table, &catalog)?;
    let placing = Placing::of(&table, text, load, &catalog)?;
    session.check_locked(&bound(&placing, &table)).map_err(|error| error.to_mysql())?;
    let names = variables(load);
    let groups = if names.is_empty() { Vec::new() } else { groups(&placing, &catalog) };
    session.begin_if_implicit(&catalog);
    groups.iter().for_each(|group| session.pin_for_reading(*group));
    // The server of a single node makes the numbers, and no packet says whether it did.
    let number = Wanted { insert_id: true, ..Wanted::default() };
    let numbering = numbers(&placing, &table, &catalog);
    if let Some(group) = numbering {
        session.pin_for(group, &number).await?;
    }
    let job = Job { catalog, table, placing, load };
    let result = job.run(session, writer).await;
    let flavour = session.proxy.flavour();
    let kept = matches!(&result, Err(Failure::Told(error)) if has_not_run(error, flavour));
    if !session.transaction.is_open() && !kept {
        session.transaction_ended();
    }
    match &result {
        // What the last row left in the variables is what the client will find there.
        Ok(done) => {
            let last = done.last_group;
            for group in groups.iter().filter(|group| Some(**group) != last) {
                let before = session.state.clone();
                session.read_back(*group, &names).await?;
                session.state = before;
            }
            if let Some(group) = numbering {
                let wanted = Wanted { names, ..number };
                session.read_wanted(group, &wanted).await?;
            } else if let Some(group) = last.filter(|_| !groups.is_empty()) {
                session.read_back(group, &names).await?;
            }
        }
        Err(_) => groups.iter().chain(&numbering).for_each(|group| session.abandon(*group)),
    }
    let done = result?;
    answer(session, writer, done);
    Ok(())
}

/// The rows of a file go to their shards as they come, and nobody looks for those of other tables.
fn refuse_family(table: &PlanTable, catalog: &Catalog) -> Result<(), Failure> {
    let follows = table.table.sharding().and_then(|sharding| sharding.parent.as_ref());
    if let Some(parent) = follows {
        return Err(refused(format!(
            "LOAD DATA into {}, whose rows lie beside those of {}, is not supported; load the file into another table and \
             INSERT … SELECT from that",
            table.table.name, parent.table
        )));
    }
    match untied_children(catalog, table).first() {
        Some(child) => Err(refused(format!(
            "LOAD DATA into {}, which rows of {} follow without a FOREIGN KEY, is not supported; INSERT … SELECT from another \
             table, or declare the key",
            table.table.name, child.table
        ))),
        None => Ok(()),
    }
}

/// Whether the statement may ask this client for a file.
fn allowed<B: Backend, W: AsyncWrite + Unpin>(
    session: &Session<B>,
    writer: &Writer<W>,
    catalog: &Catalog,
    load: &LoadData,
) -> Result<(), Failure> {
    if !load.local {
        return Err(refused(
            "LOAD DATA INFILE reads a file of one server, and behind Serval there are several; write LOAD DATA LOCAL INFILE to \
             send the client's own file",
        ));
    }
    if catalog.settings.local_infile && writer.capabilities().contains(Capabilities::CLIENT_LOCAL_FILES) {
        return Ok(());
    }
    Err(Failure::Told(if session.proxy.flavour().is_mariadb() {
        MysqlError {
            number: 4166,
            sqlstate: *b"HY000",
            message: "The used command is not allowed because the MariaDB server or client has disabled the local infile \
                      capability"
                .to_owned(),
        }
    } else {
        MysqlError {
            number: 3948,
            sqlstate: *b"42000",
            message:
                "Loading local data is disabled; this must be enabled on both the client and server sides"
                    .to_owned(),
        }
    }))
}

fn table<B: Backend>(
    session: &Session<B>,
    catalog: &Catalog,
    load: &LoadData,
) -> Result<PlanTable, MysqlError> {
    let named = load.table.schema.as_ref().map(|name| name.value.as_str()).or(session.schema.as_deref());
    let schema = session.check_schema(named.ok_or_else(no_schema)?)?;
    let name = &load.table.table.value;
    let table = catalog.schema(&schema).and_then(|schema| schema.table_or_default(name));
    let table = table.ok_or_else(|| unknown_table(&schema, name))?;
    if table.view.is_some() {
        return Err(MysqlError::refused(format!(
            "LOAD DATA through view {name} is not supported, because it lies over several data nodes; load into its table"
        )));
    }
    Ok(PlanTable { schema, table })
}

/// The user variables that rows go through, in lower case.
fn variables(load: &LoadData) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for column in &load.columns {
        if let LoadColumn::Variable(name) = column {
            names.push(name.to_lowercase());
        }
    }
    names.sort();
    names.dedup();
    names
}

fn groups(placing: &Placing, catalog: &Catalog) -> Vec<GroupId> {
    let mut groups: Vec<GroupId> =
        placing.targets.iter().map(|(target, _)| catalog.node(target.node).group).collect();
    groups.sort_unstable();
    groups.dedup();
    groups
}

/// The group of the one node whose server may number the rows.
fn numbers(placing: &Placing, table: &PlanTable, catalog: &Catalog) -> Option<GroupId> {
    let definition = table.table.definition.as_deref();
    let may = definition.is_none_or(|definition| definition.auto_increment().is_some());
    let (target, _) = placing.targets.first().filter(|_| may && placing.is_direct())?;
    Some(catalog.node(target.node).group)
}

/// The statement as a plan, for who wants to know what it touches.
fn bound(placing: &Placing, table: &PlanTable) -> Bound {
    let targets = placing.targets.iter().map(|(target, _)| target.clone()).collect();
    let spread = Spread::new(targets, Tally::Sum);
    Bound { root: Primitive::Spread(spread), tables: Arc::from([table.clone()]), notes: Arc::from([]) }
}

fn answer<B: Backend, W: AsyncWrite + Unpin>(session: &mut Session<B>, writer: &mut Writer<W>, done: Done) {
    let Loaded { ok, warnings } = done.loaded;
    session.last.nodes = done.nodes;
    session.last.changed(ok.affected_rows, done.insert_id.unwrap_or(0), ok.warnings);
    if ok.warnings > 0 {
        let mut messages = Answer::of_text(&["Level", "Code", "Message"]);
        messages.rows = warnings;
        session.last.messages = Some(messages);
    }
    let OkPacket { affected_rows, warnings, info, .. } = ok;
    writer.ok(&OkPacket { affected_rows, warnings, info, ..session.plain_ok() });
}
