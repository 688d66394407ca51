//! Filling the shop through the proxy, as an application would.

use std::net::SocketAddr;

use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, OptsBuilder};

use super::calendar::Month;
use super::config::USER;
use super::shop;
use crate::failure::Failure;

/// How many rows one INSERT carries.
const BATCH: usize = 100;
/// How many months have events, this one included.
const MONTHS_OF_EVENTS: usize = 6;

/// A connection to the proxy, and what time it is.
pub struct Loader {
    conn: Conn,
    now: Month,
}

impl Loader {
    /// Connects as the demo's user.
    pub async fn connect(proxy: SocketAddr, now: Month) -> Result<Self, Failure> {
        let options = OptsBuilder::default()
            .ip_or_hostname(proxy.ip().to_string())
            .tcp_port(proxy.port())
            .user(Some(USER.0))
            .pass(Some(USER.1))
            .db_name(Some("shop"))
            .prefer_socket(Some(false));
        let conn = Conn::new(options).await.map_err(|error| failed("connecting to the proxy", &error))?;
        Ok(Self { conn, now })
    }

    /// Creates the tables and fills them.
    pub async fn fill(mut self) -> Result<(), Failure> {
        for table in shop::TABLES {
            self.run(table).await?;
        }
        self.insert("regions (id, name)", &shop::regions()).await?;
        self.insert("products (id, name, price)", &shop::products()).await?;
        let users = self.users().await?;
        self.orders(&users).await?;
        self.events(&users).await?;
        let note = "'This table is not in the config: it lives on the default node.'";
        self.insert("notes (text)", &[format!("({note})")]).await?;
        self.conn.disconnect().await.map_err(|error| failed("disconnecting", &error))
    }

    async fn users(&mut self) -> Result<Vec<u64>, Failure> {
        let rows: Vec<String> = (0..shop::USERS).map(|n| shop::user(n, self.now.previous())).collect();
        self.insert("users (name, email, region_id, created_at)", &rows).await
    }

    async fn orders(&mut self, users: &[u64]) -> Result<(), Failure> {
        let buyers: Vec<u64> = (0..shop::ORDERS_PER_USER).flat_map(|_| users.iter().copied()).collect();
        let month = self.now;
        let rows: Vec<String> = (0..).zip(&buyers).map(|(n, user)| shop::order(n, *user, month)).collect();
        let orders = self.insert("orders (user_id, status, total, created_at)", &rows).await?;
        let sold = || (0..).zip(buyers.iter().zip(&orders));
        let items: Vec<String> =
            sold().flat_map(|(n, (user, order))| shop::order_items(n, *user, *order)).collect();
        self.insert("order_items (user_id, order_id, line, product_id, quantity, price)", &items).await?;
        let payments: Vec<String> =
            sold().map(|(n, (user, order))| shop::payment(n, *user, *order, month)).collect();
        self.insert("payments (user_id, order_id, amount, paid_at)", &payments).await?;
        Ok(())
    }

    async fn events(&mut self, users: &[u64]) -> Result<(), Failure> {
        let months = std::iter::successors(Some(self.now), |month| Some(month.previous()));
        for month in months.take(MONTHS_OF_EVENTS) {
            let actors = users.iter().cycle();
            let rows: Vec<String> = (0..shop::EVENTS_PER_MONTH)
                .zip(actors)
                .map(|(n, user)| shop::event(n, *user, month))
                .collect();
            self.insert("events (created_at, user_id, kind)", &rows).await?;
        }
        Ok(())
    }

    /// Inserts rows in batches. The ids of an AUTO_INCREMENT column are consecutive within a statement, so that the
    /// first one, which the proxy reports, tells the others.
    async fn insert(&mut self, into: &str, rows: &[String]) -> Result<Vec<u64>, Failure> {
        let mut ids = Vec::with_capacity(rows.len());
        for batch in rows.chunks(BATCH) {
            self.run(&format!("INSERT INTO {into} VALUES {}", batch.join(", "))).await?;
            let first = self.conn.last_insert_id().unwrap_or(0);
            ids.extend((first..).take(batch.len()));
        }
        Ok(ids)
    }

    async fn run(&mut self, sql: &str) -> Result<(), Failure> {
        let what: String = sql.chars().take(60).collect();
        self.conn.query_drop(sql).await.map_err(|error| failed(&what, &error))
    }
}

fn failed(what: &str, error: &mysql_async::Error) -> Failure {
    Failure::other(format!("filling the shop: {what}: {error}"))
}
