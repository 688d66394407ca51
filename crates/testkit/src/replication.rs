//! GTID replication in both dialects.

use std::time::Duration;

use mysql_async::prelude::Queryable as _;

use crate::grants::{REPLICATION_PASSWORD, REPLICATION_USER};
use crate::{Flavour, Result, Server, TestkitError};

/// How long a replica may take to catch up before that is an error.
const PATIENCE: Duration = Duration::from_secs(30);

/// Makes `replica` follow `primary` from its own GTID position.
pub(crate) async fn follow(replica: &Server, primary: &Server) -> Result<()> {
    let port = primary.port();
    let source = match replica.flavour() {
        Flavour::MariaDb => format!(
            "CHANGE MASTER TO master_host = '127.0.0.1', master_port = {port}, master_user = '{REPLICATION_USER}', \
             master_password = '{REPLICATION_PASSWORD}', master_use_gtid = slave_pos, master_connect_retry = 1, \
             master_heartbeat_period = 1"
        ),
        Flavour::MySql97 => format!(
            "CHANGE REPLICATION SOURCE TO SOURCE_HOST = '127.0.0.1', SOURCE_PORT = {port}, \
             SOURCE_USER = '{REPLICATION_USER}', SOURCE_PASSWORD = '{REPLICATION_PASSWORD}', \
             SOURCE_AUTO_POSITION = 1, GET_SOURCE_PUBLIC_KEY = 1, SOURCE_CONNECT_RETRY = 1, \
             SOURCE_HEARTBEAT_PERIOD = 1"
        ),
    };
    replica.execute(&source).await?;
    start(replica).await
}

pub(crate) async fn start(replica: &Server) -> Result<()> {
    replica.execute("START REPLICA").await
}

pub(crate) async fn stop(replica: &Server) -> Result<()> {
    replica.execute("STOP REPLICA").await
}

/// The GTIDs that `primary` has written so far, in its own notation.
pub(crate) async fn position(primary: &Server) -> Result<String> {
    let variable = match primary.flavour() {
        Flavour::MariaDb => "@@GLOBAL.gtid_binlog_pos",
        Flavour::MySql97 => "@@GLOBAL.gtid_executed",
    };
    let value = primary.value(&format!("SELECT {variable}")).await?;
    Ok(value.unwrap_or_default())
}

/// Waits until `replica` has applied everything up to `position`.
pub(crate) async fn wait_for(replica: &Server, position: &str) -> Result<()> {
    let seconds = PATIENCE.as_secs();
    let function = match replica.flavour() {
        Flavour::MariaDb => "MASTER_GTID_WAIT",
        Flavour::MySql97 => "WAIT_FOR_EXECUTED_GTID_SET",
    };
    let mut connection = replica.connect().await?;
    let answer: Option<i64> = connection
        .query_first(format!("SELECT {function}('{position}', {seconds})"))
        .await
        .map_err(|source| replica.client_error(source))?;
    match answer {
        Some(0) => Ok(()),
        _ => Err(TestkitError::Timeout { what: format!("{} catching up", replica.name()), seconds }),
    }
}
