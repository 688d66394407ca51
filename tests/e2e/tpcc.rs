//! The five transactions of TPC-C in small, over four warehouses on four nodes, with remote items and remote customers,
//! while proxies, primaries and connections die. In the end the standard's consistency conditions 1 to 4 hold, and those
//! that only hold if what spans warehouses was atomic.
//!
//! `SERVAL_TPCC_SECONDS=60` runs it longer, with twice as many clients.

use std::collections::BTreeSet;
use std::sync::Arc;

use serval_tests::{Answer, Client, Topology, own_cluster};

use crate::atomic::QUICK;
use crate::chaos::{Draw, Heard, Load, Proxies, Told, commit, seconds, step, storm};

const WAREHOUSES: u64 = 4;
const DISTRICTS: u64 = 3;
const CUSTOMERS: u64 = 10;
const ITEMS: u64 = 40;

/// Each table has the warehouse as its sharding column; a warehouse lies on one node.
const TABLES: [(&str, &str, &str); 8] = [
    ("tp_warehouse", "w_id", "w_id INT NOT NULL PRIMARY KEY, w_ytd DECIMAL(12,2) NOT NULL"),
    (
        "tp_district",
        "d_w_id",
        "d_w_id INT NOT NULL, d_id INT NOT NULL, d_ytd DECIMAL(12,2) NOT NULL, d_next_o_id INT NOT NULL, PRIMARY KEY \
         (d_w_id, d_id)",
    ),
    (
        "tp_customer",
        "c_w_id",
        "c_w_id INT NOT NULL, c_d_id INT NOT NULL, c_id INT NOT NULL, c_balance DECIMAL(12,2) NOT NULL, c_ytd_payment \
         DECIMAL(12,2) NOT NULL, PRIMARY KEY (c_w_id, c_d_id, c_id)",
    ),
    (
        "tp_history",
        "h_w_id",
        "h_w_id INT NOT NULL, h_d_id INT NOT NULL, h_c_w_id INT NOT NULL, h_amount DECIMAL(6,2) NOT NULL, h_entry BIGINT \
         NOT NULL",
    ),
    (
        "tp_new_order",
        "no_w_id",
        "no_w_id INT NOT NULL, no_d_id INT NOT NULL, no_o_id INT NOT NULL, PRIMARY KEY (no_w_id, no_d_id, no_o_id)",
    ),
    (
        "tp_orders",
        "o_w_id",
        "o_w_id INT NOT NULL, o_d_id INT NOT NULL, o_id INT NOT NULL, o_c_id INT NOT NULL, o_carrier_id INT, o_ol_cnt INT \
         NOT NULL, o_entry BIGINT NOT NULL, PRIMARY KEY (o_w_id, o_d_id, o_id)",
    ),
    (
        "tp_order_line",
        "ol_w_id",
        "ol_w_id INT NOT NULL, ol_d_id INT NOT NULL, ol_o_id INT NOT NULL, ol_number INT NOT NULL, ol_i_id INT NOT NULL, \
         ol_supply_w_id INT NOT NULL, ol_quantity INT NOT NULL, ol_amount DECIMAL(6,2) NOT NULL, ol_delivered INT NOT NULL, \
         PRIMARY KEY (ol_w_id, ol_d_id, ol_o_id, ol_number)",
    ),
    (
        "tp_stock",
        "s_w_id",
        "s_w_id INT NOT NULL, s_i_id INT NOT NULL, s_quantity INT NOT NULL, s_ytd INT NOT NULL, s_remote_cnt INT NOT NULL, \
         PRIMARY KEY (s_w_id, s_i_id)",
    ),
];

fn topology() -> Topology {
    let tables = TABLES.map(|(table, column, _)| {
        let unique = if table == "tp_history" { ", unique = \"unchecked\"" } else { "" };
        format!("{table} = {{ rule = \"by_warehouse\", column = \"{column}\"{unique} }}\n")
    });
    let rule = "[rules.by_warehouse]\nfunction = \"mod\"\ncolumn = \"w_id\"\nnodes = \"dn[0-3]\"\n";
    Topology { more: tables.concat() + rule + QUICK, ..Topology::new("tpcc") }
}

#[tokio::test]
async fn the_books_balance() {
    let seconds = seconds("SERVAL_TPCC_SECONDS", 10);
    let cluster = own_cluster().await;
    let proxies = Proxies::start(&cluster, topology(), fill).await;
    let clients = if seconds < 30 { 8 } else { 16 };
    let heard = storm(&cluster, &proxies, &Arc::new(Mix), clients, seconds).await;
    let mut client = proxies.recovered("SELECT SUM(w_ytd) FROM tp_warehouse").await;
    conditions(&mut client).await;
    acknowledged(&mut client, &heard).await;
}

async fn fill(client: &mut Client) {
    for (table, _, columns) in TABLES {
        client.must(&format!("CREATE TABLE {table} ({columns})")).await;
    }
    for w in 1..=WAREHOUSES {
        client.must(&format!("INSERT INTO tp_warehouse VALUES ({w}, 0)")).await;
        let stock: Vec<String> = (1..=ITEMS).map(|i| format!("({w}, {i}, 50, 0, 0)")).collect();
        client.must(&format!("INSERT INTO tp_stock VALUES {}", stock.join(", "))).await;
        for d in 1..=DISTRICTS {
            client.must(&format!("INSERT INTO tp_district VALUES ({w}, {d}, 0, 1)")).await;
            let customers: Vec<String> = (1..=CUSTOMERS).map(|c| format!("({w}, {d}, {c}, 0, 0)")).collect();
            client.must(&format!("INSERT INTO tp_customer VALUES {}", customers.join(", "))).await;
        }
    }
}

/// Which transaction a number stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    NewOrder,
    Payment,
    OrderStatus,
    Delivery,
    StockLevel,
}

impl Kind {
    fn of(id: u64) -> Self {
        match id % 23 {
            0..=9 => Self::NewOrder,
            10..=19 => Self::Payment,
            20 => Self::OrderStatus,
            21 => Self::Delivery,
            _ => Self::StockLevel,
        }
    }
}

struct Mix;

impl Load for Mix {
    async fn one(&self, client: &mut Client, id: u64, draw: &mut Draw) -> Told {
        let (w, d) = (1 + draw.below(WAREHOUSES), 1 + draw.below(DISTRICTS));
        let done = match Kind::of(id) {
            Kind::NewOrder => new_order(client, id, (w, d), draw).await,
            Kind::Payment => payment(client, id, (w, d), draw).await,
            Kind::OrderStatus => order_status(client, (w, d), draw).await,
            Kind::Delivery => delivery(client, w).await,
            Kind::StockLevel => stock_level(client, (w, d)).await,
        };
        match done {
            Ok(()) => commit(client).await,
            Err(told) => told,
        }
    }
}

/// Another warehouse, in one case of `often`.
fn remote(w: u64, often: u64, draw: &mut Draw) -> u64 {
    if draw.below(often) > 0 { w } else { 1 + (w + draw.below(WAREHOUSES - 1)) % WAREHOUSES }
}

/// The first cell, or nothing where there is no row or NULL.
fn cell(answer: &Answer) -> Option<&str> {
    answer.rows().first().map(|row| row[0].as_str()).filter(|cell| *cell != "NULL")
}

async fn new_order(client: &mut Client, id: u64, (w, d): (u64, u64), draw: &mut Draw) -> Result<(), Told> {
    step(client, "BEGIN").await?;
    let district = format!("d_w_id = {w} AND d_id = {d}");
    let next =
        step(client, &format!("SELECT d_next_o_id FROM tp_district WHERE {district} FOR UPDATE")).await?;
    let order: u64 = cell(&next)
        .and_then(|cell| cell.parse().ok())
        .ok_or_else(|| Told::Undone("no such district".to_owned()))?;
    step(client, &format!("UPDATE tp_district SET d_next_o_id = d_next_o_id + 1 WHERE {district}")).await?;
    let (lines, customer) = (2 + draw.below(4), 1 + draw.below(CUSTOMERS));
    let values = format!("({w}, {d}, {order}, {customer}, NULL, {lines}, {id})");
    step(client, &format!("INSERT INTO tp_orders VALUES {values}")).await?;
    step(client, &format!("INSERT INTO tp_new_order VALUES ({w}, {d}, {order})")).await?;
    for number in 1..=lines {
        let (item, supply, quantity) = (1 + draw.below(ITEMS), remote(w, 6, draw), 1 + draw.below(9));
        let other = u64::from(supply != w);
        let stock = format!(
            "UPDATE tp_stock SET s_quantity = IF(s_quantity >= {quantity} + 10, s_quantity - {quantity}, s_quantity - \
             {quantity} + 91), s_ytd = s_ytd + {quantity}, s_remote_cnt = s_remote_cnt + {other} WHERE s_w_id = {supply} AND \
             s_i_id = {item}"
        );
        step(client, &stock).await?;
        let values = format!("({w}, {d}, {order}, {number}, {item}, {supply}, {quantity}, {quantity}.50, 0)");
        step(client, &format!("INSERT INTO tp_order_line VALUES {values}")).await?;
    }
    // One of a hundred is given up by its user.
    if id % 100 == 7 { Err(Told::Undone("by the client".to_owned())) } else { Ok(()) }
}

async fn payment(client: &mut Client, id: u64, (w, d): (u64, u64), draw: &mut Draw) -> Result<(), Told> {
    let (amount, home, customer) = (1 + draw.below(500), remote(w, 4, draw), 1 + draw.below(CUSTOMERS));
    step(client, "BEGIN").await?;
    step(client, &format!("UPDATE tp_warehouse SET w_ytd = w_ytd + {amount} WHERE w_id = {w}")).await?;
    let district = format!("d_w_id = {w} AND d_id = {d}");
    step(client, &format!("UPDATE tp_district SET d_ytd = d_ytd + {amount} WHERE {district}")).await?;
    let customer = format!("c_w_id = {home} AND c_d_id = {d} AND c_id = {customer}");
    let set = format!("c_balance = c_balance - {amount}, c_ytd_payment = c_ytd_payment + {amount}");
    step(client, &format!("UPDATE tp_customer SET {set} WHERE {customer}")).await?;
    step(client, &format!("INSERT INTO tp_history VALUES ({w}, {d}, {home}, {amount}, {id})")).await.map(drop)
}

async fn order_status(client: &mut Client, (w, d): (u64, u64), draw: &mut Draw) -> Result<(), Told> {
    step(client, "BEGIN").await?;
    let customer = 1 + draw.below(CUSTOMERS);
    let place = format!("o_w_id = {w} AND o_d_id = {d} AND o_c_id = {customer}");
    let last = step(
        client,
        &format!("SELECT o_id, o_ol_cnt FROM tp_orders WHERE {place} ORDER BY o_id DESC LIMIT 1"),
    )
    .await?;
    let Some(row) = last.rows().first() else { return Ok(()) };
    let lines = format!("ol_w_id = {w} AND ol_d_id = {d} AND ol_o_id = {}", row[0]);
    let lines = step(client, &format!("SELECT ol_i_id FROM tp_order_line WHERE {lines}")).await?;
    assert_eq!(lines.rows().len().to_string(), row[1], "an order without its lines was seen");
    Ok(())
}

async fn delivery(client: &mut Client, w: u64) -> Result<(), Told> {
    step(client, "BEGIN").await?;
    for d in 1..=DISTRICTS {
        let oldest =
            format!("SELECT MIN(no_o_id) FROM tp_new_order WHERE no_w_id = {w} AND no_d_id = {d} FOR UPDATE");
        let oldest = step(client, &oldest).await?;
        let Some(order) = cell(&oldest) else { continue };
        let place = format!("no_w_id = {w} AND no_d_id = {d} AND no_o_id = {order}");
        step(client, &format!("DELETE FROM tp_new_order WHERE {place}")).await?;
        let place = format!("o_w_id = {w} AND o_d_id = {d} AND o_id = {order}");
        step(client, &format!("UPDATE tp_orders SET o_carrier_id = 1 WHERE {place}")).await?;
        let place = format!("ol_w_id = {w} AND ol_d_id = {d} AND ol_o_id = {order}");
        step(client, &format!("UPDATE tp_order_line SET ol_delivered = 1 WHERE {place}")).await?;
    }
    Ok(())
}

async fn stock_level(client: &mut Client, (w, d): (u64, u64)) -> Result<(), Told> {
    step(client, "BEGIN").await?;
    let low = format!(
        "SELECT COUNT(DISTINCT s_i_id) FROM tp_order_line JOIN tp_stock ON s_w_id = ol_w_id AND s_i_id = ol_i_id WHERE \
         ol_w_id = {w} AND ol_d_id = {d} AND s_quantity < 30"
    );
    step(client, &low).await.map(drop)
}

/// Each query returns what contradicts its condition.
async fn conditions(client: &mut Client) {
    for w in 1..=WAREHOUSES {
        let one = format!(
            "SELECT w_ytd, (SELECT SUM(d_ytd) FROM tp_district WHERE d_w_id = {w}) AS d FROM tp_warehouse WHERE w_id = {w}"
        );
        let row = client.rows(&one).await.remove(0);
        assert_eq!(row[0], row[1], "condition 1, warehouse {w}");
        for d in 1..=DISTRICTS {
            let value = async |client: &mut Client, sql: String| {
                let answer = client.run(&sql).await;
                cell(&answer).map(|cell| cell.parse::<u64>().expect("a number"))
            };
            let of = |table: &str, prefix: &str, what: &str| {
                format!("SELECT {what} FROM {table} WHERE {prefix}_w_id = {w} AND {prefix}_d_id = {d}")
            };
            let district = format!("SELECT d_next_o_id FROM tp_district WHERE d_w_id = {w} AND d_id = {d}");
            let next = value(client, district).await.expect("a district");
            let last = value(client, of("tp_orders", "o", "MAX(o_id)")).await.unwrap_or(0);
            assert_eq!(next - 1, last, "condition 2, district {w}.{d}");
            let newest = value(client, of("tp_new_order", "no", "MAX(no_o_id)")).await;
            let oldest = value(client, of("tp_new_order", "no", "MIN(no_o_id)")).await;
            let count = value(client, of("tp_new_order", "no", "COUNT(*)")).await.expect("a count");
            if let (Some(newest), Some(oldest)) = (newest, oldest) {
                assert_eq!(newest, last, "condition 2, district {w}.{d}");
                assert_eq!(newest - oldest + 1, count, "condition 3, district {w}.{d}");
            }
            let promised = value(client, of("tp_orders", "o", "SUM(o_ol_cnt)")).await.unwrap_or(0);
            let lines = value(client, of("tp_order_line", "ol", "COUNT(*)")).await.expect("a count");
            assert_eq!(promised, lines, "condition 4, district {w}.{d}");
        }
        // What spans warehouses: stock that others have ordered, customers who paid elsewhere.
        let sold = format!("SELECT SUM(ol_quantity) FROM tp_order_line WHERE ol_supply_w_id = {w}");
        let taken = format!("SELECT SUM(s_ytd) FROM tp_stock WHERE s_w_id = {w}");
        let sold = or_zero(client.value(&sold).await, "0");
        assert_eq!(sold, client.value(&taken).await, "the stock of warehouse {w}");
        let paid = format!("SELECT SUM(h_amount) FROM tp_history WHERE h_c_w_id = {w}");
        let noted = format!("SELECT SUM(c_ytd_payment) FROM tp_customer WHERE c_w_id = {w}");
        let paid = or_zero(client.value(&paid).await, "0.00");
        assert_eq!(paid, client.value(&noted).await, "the customers of warehouse {w}");
    }
}

/// The sum of no rows is NULL.
fn or_zero(sum: String, zero: &str) -> String {
    if sum == "NULL" { zero.to_owned() } else { sum }
}

/// What clients were told is true.
async fn acknowledged(client: &mut Client, heard: &Heard) {
    let mut there = BTreeSet::new();
    for sql in ["SELECT o_entry FROM tp_orders", "SELECT h_entry FROM tp_history"] {
        there.extend(client.rows(sql).await.iter().map(|row| row[0].parse::<u64>().expect("a number")));
    }
    let writes = |id: &&u64| matches!(Kind::of(**id), Kind::NewOrder | Kind::Payment);
    let lost: Vec<_> = heard.done.iter().filter(writes).filter(|id| !there.contains(id)).collect();
    assert!(lost.is_empty(), "told committed, and gone: {lost:?}");
    let kept: Vec<_> = heard.undone.iter().filter(|id| there.contains(id)).collect();
    assert!(kept.is_empty(), "told rolled back, and there: {kept:?}");
}
