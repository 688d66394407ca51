//! Numbers for AUTO_INCREMENT columns.

use serval_catalog::{ColumnDef, Table, TableDefinition};
use serval_executor::{ExecuteError, Sequences};
use serval_types::{ColumnType, IntWidth};

use crate::scripted::*;

/// `shop.users`
const NAME: &str = "CONVERT(x'73686f702e7573657273' USING utf8mb4)";

fn select() -> String {
    format!("SELECT `next` FROM `serval_sequence` WHERE `name`={NAME} FOR UPDATE")
}

fn update(next: u64) -> String {
    format!("UPDATE `serval_sequence` SET `next`={next} WHERE `name`={NAME}")
}

fn stored(next: &str) -> Answer {
    Answer::rows(&[int("next")], &[next])
}

struct Numbers {
    session: Session,
    sequences: Sequences,
}

impl Numbers {
    fn new() -> Self {
        Self { session: Session::new(), sequences: Sequences::new() }
    }

    fn table(&self) -> &Table {
        self.session.catalog.table("shop", "users").unwrap()
    }

    fn step(&self) -> u64 {
        self.table().sequence.as_ref().unwrap().step.into()
    }

    async fn next(&self, count: u64) -> Result<u64, ExecuteError> {
        let Session { servers, catalog, .. } = &self.session;
        self.sequences.next(servers, catalog, "shop", self.table(), count).await
    }

    async fn observe(&self, value: u64) -> Result<(), ExecuteError> {
        let Session { servers, catalog, .. } = &self.session;
        self.sequences.observe(servers, catalog, "shop", self.table(), value).await
    }

    /// The counter stands at `from` and will be moved to `to`.
    fn expect(&self, from: u64, to: u64) {
        self.session.servers.on(0, &select(), stored(&from.to_string()));
        self.session.servers.on(0, &update(to), Answer::ok(1));
    }
}

#[tokio::test]
async fn a_segment_serves_many_statements() {
    let numbers = Numbers::new();
    numbers.expect(1, 1 + numbers.step());
    assert_eq!(numbers.next(1).await.unwrap(), 1);
    assert_eq!(numbers.next(10).await.unwrap(), 2);
    assert_eq!(numbers.next(1).await.unwrap(), 12);
    let log = numbers.session.servers.log();
    assert_eq!(log.len(), 3, "{log:?}");
    assert!(log[0].starts_with("g0.shop_0: START TRANSACTION; SELECT"));
    assert_eq!(log[2], "g0.shop_0: COMMIT");
}

#[tokio::test]
async fn the_first_use_starts_above_what_all_shards_hold() {
    let numbers = Numbers::new();
    let servers = &numbers.session.servers;
    servers.on(0, &select(), Answer::error(1146, "no table"));
    servers.on(
        0,
        "CREATE TABLE IF NOT EXISTS `serval_sequence` (`name` VARCHAR(128) NOT NULL PRIMARY KEY, `next` BIGINT \
         UNSIGNED NOT NULL) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin",
        Answer::ok(0),
    );
    servers.on(0, &select(), Answer::rows(&[int("next")], &[]));
    let greatest = "SELECT MAX(`id`) FROM `users`";
    servers.on(0, greatest, stored("5"));
    servers.on(0, greatest, stored("~"));
    servers.on(1, greatest, stored("41"));
    servers.on(2, greatest, stored("7"));
    let insert = format!("INSERT IGNORE INTO `serval_sequence` (`name`, `next`) VALUES ({NAME}, 42)");
    servers.on(0, &insert, Answer::ok(1));
    numbers.expect(42, 42 + numbers.step());
    assert_eq!(numbers.next(1).await.unwrap(), 42);
    assert_eq!(servers.open(), 0);
}

#[tokio::test]
async fn a_proxy_that_loses_a_race_tries_again() {
    let numbers = Numbers::new();
    numbers.session.servers.on(0, &select(), Answer::error(1213, "Deadlock"));
    numbers.expect(1, 1 + numbers.step());
    assert_eq!(numbers.next(1).await.unwrap(), 1);
}

#[tokio::test]
async fn a_commit_that_is_not_answered_gives_no_numbers() {
    let numbers = Numbers::new();
    numbers.expect(1, 1 + numbers.step());
    numbers.session.servers.on(0, "COMMIT", Answer::lost());
    assert_eq!(numbers.next(1).await.unwrap_err().to_mysql().number, 1429);
    let step = numbers.step();
    numbers.expect(1 + step, 1 + 2 * step);
    assert_eq!(numbers.next(1).await.unwrap(), 1 + step);
}

#[tokio::test]
async fn values_of_clients_push_the_counter() {
    let numbers = Numbers::new();
    let step = numbers.step();
    numbers.expect(1, 1 + step);
    assert_eq!(numbers.next(1).await.unwrap(), 1);
    numbers.observe(3).await.unwrap();
    assert_eq!(numbers.next(1).await.unwrap(), 4);
    numbers.expect(1 + step, 1_000_001 + step);
    numbers.observe(1_000_000).await.unwrap();
    assert_eq!(numbers.next(1).await.unwrap(), 1_000_001);
    numbers.session.servers.log();
    numbers.observe(1_000_002).await.unwrap();
    numbers.observe(7).await.unwrap();
    assert!(numbers.session.servers.log().is_empty(), "what is known costs nothing");
}

#[tokio::test]
async fn a_table_without_a_sequence_is_refused() {
    let numbers = Numbers::new();
    let Session { servers, catalog, .. } = &numbers.session;
    let table = catalog.table("shop", "regions").unwrap();
    let error = numbers.sequences.next(servers, catalog, "shop", table, 1).await.unwrap_err();
    assert_eq!(error.to_mysql().number, 1235);
}

#[tokio::test]
async fn numbers_end_where_the_column_does() {
    let numbers = Numbers::new();
    let Session { servers, catalog, .. } = &numbers.session;
    let mut table = numbers.table().clone();
    let tiny = ColumnType::Int { width: IntWidth::Tiny, unsigned: false };
    let column = ColumnDef::new(table.sequence.as_ref().unwrap().column.clone(), tiny);
    table.definition =
        Some(TableDefinition { columns: vec![column], ..TableDefinition::named("users") }.into());
    numbers.expect(126, 126 + numbers.step());
    let next = |count| numbers.sequences.next(servers, catalog, "shop", &table, count);
    assert_eq!(next(2).await.unwrap(), 126);
    assert_eq!(next(1).await.unwrap_err().to_mysql().number, 1467);
}
