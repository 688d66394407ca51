//! TPC-H: lineitem and orders by their order, parts with what is supplied of them, customers and suppliers by
//! themselves; nations and regions everywhere. All 22 queries answer as one server does.
//!
//! `SERVAL_TPCH=0.1` takes another scale factor, and `--nocapture` prints the time of each query on the proxy and on the
//! one server.

use std::fmt::{Display, Write as _};
use std::time::Instant;

use serval_tests::{Client, Topology, World};
use tpchgen::distribution::Distributions;
use tpchgen::generators::{
    CustomerGenerator, LineItemGenerator, NationGenerator, OrderGenerator, PartGenerator, PartSuppGenerator,
    RegionGenerator, SupplierGenerator,
};
use tpchgen::text::TextPool;

const QUERIES: &str = include_str!("tpch/queries.sql");
const ROWS_PER_INSERT: usize = 400;

const PLACES: &str = r#"
lineitem = { rule = "by_order", column = "l_orderkey" }
part     = { rule = "by_part" }
partsupp = { rule = "by_part", column = "ps_partkey" }
customer = { rule = "by_customer" }
supplier = { rule = "by_supplier" }
nation   = { global = "dn[0-3]" }
region   = { global = "dn[0-3]" }

[rules.by_order]
function = "hash"
column = "o_orderkey"
nodes = "dn[0-3]"

[rules.by_part]
function = "hash"
column = "p_partkey"
nodes = "dn[0-3]"

[rules.by_customer]
function = "hash"
column = "c_custkey"
nodes = "dn[0-3]"

[rules.by_supplier]
function = "hash"
column = "s_suppkey"
nodes = "dn[0-3]"
"#;

const TABLES: [&str; 8] = [
    "CREATE TABLE region (r_regionkey INT NOT NULL PRIMARY KEY, r_name CHAR(25) NOT NULL, r_comment VARCHAR(152))",
    "CREATE TABLE nation (n_nationkey INT NOT NULL PRIMARY KEY, n_name CHAR(25) NOT NULL, n_regionkey INT NOT NULL, \
     n_comment VARCHAR(152))",
    "CREATE TABLE supplier (s_suppkey INT NOT NULL PRIMARY KEY, s_name CHAR(25) NOT NULL, s_address VARCHAR(40) NOT NULL, \
     s_nationkey INT NOT NULL, s_phone CHAR(15) NOT NULL, s_acctbal DECIMAL(15,2) NOT NULL, s_comment VARCHAR(101) NOT NULL)",
    "CREATE TABLE customer (c_custkey INT NOT NULL PRIMARY KEY, c_name VARCHAR(25) NOT NULL, c_address VARCHAR(40) NOT NULL, \
     c_nationkey INT NOT NULL, c_phone CHAR(15) NOT NULL, c_acctbal DECIMAL(15,2) NOT NULL, c_mktsegment CHAR(10) NOT NULL, \
     c_comment VARCHAR(117) NOT NULL)",
    "CREATE TABLE part (p_partkey INT NOT NULL PRIMARY KEY, p_name VARCHAR(55) NOT NULL, p_mfgr CHAR(25) NOT NULL, \
     p_brand CHAR(10) NOT NULL, p_type VARCHAR(25) NOT NULL, p_size INT NOT NULL, p_container CHAR(10) NOT NULL, \
     p_retailprice DECIMAL(15,2) NOT NULL, p_comment VARCHAR(23) NOT NULL)",
    "CREATE TABLE partsupp (ps_partkey INT NOT NULL, ps_suppkey INT NOT NULL, ps_availqty INT NOT NULL, \
     ps_supplycost DECIMAL(15,2) NOT NULL, ps_comment VARCHAR(199) NOT NULL, PRIMARY KEY (ps_partkey, ps_suppkey), \
     KEY (ps_suppkey))",
    "CREATE TABLE orders (o_orderkey INT NOT NULL PRIMARY KEY, o_custkey INT NOT NULL, o_orderstatus CHAR(1) NOT NULL, \
     o_totalprice DECIMAL(15,2) NOT NULL, o_orderdate DATE NOT NULL, o_orderpriority CHAR(15) NOT NULL, \
     o_clerk CHAR(15) NOT NULL, o_shippriority INT NOT NULL, o_comment VARCHAR(79) NOT NULL, KEY (o_custkey))",
    "CREATE TABLE lineitem (l_orderkey INT NOT NULL, l_partkey INT NOT NULL, l_suppkey INT NOT NULL, \
     l_linenumber INT NOT NULL, l_quantity DECIMAL(15,2) NOT NULL, l_extendedprice DECIMAL(15,2) NOT NULL, \
     l_discount DECIMAL(15,2) NOT NULL, l_tax DECIMAL(15,2) NOT NULL, l_returnflag CHAR(1) NOT NULL, \
     l_linestatus CHAR(1) NOT NULL, l_shipdate DATE NOT NULL, l_commitdate DATE NOT NULL, l_receiptdate DATE NOT NULL, \
     l_shipinstruct CHAR(25) NOT NULL, l_shipmode CHAR(10) NOT NULL, l_comment VARCHAR(44) NOT NULL, \
     PRIMARY KEY (l_orderkey, l_linenumber), KEY (l_partkey, l_suppkey))",
];

#[tokio::test]
async fn the_22_queries_answer_as_one_server_does() {
    let world = world().await;
    let (mut proxy, mut oracle) = (world.client().await, world.oracle().await);
    let scale = std::env::var("SERVAL_TPCH").ok().and_then(|scale| scale.parse().ok()).unwrap_or(0.001);
    tokio::join!(fill(&mut proxy, scale), fill(&mut oracle, scale));
    let text: String = QUERIES.lines().filter(|line| !line.starts_with("--")).collect::<Vec<_>>().join("\n");
    let queries: Vec<&str> = text.split(';').map(str::trim).filter(|query| !query.is_empty()).collect();
    assert_eq!(queries.len(), 22);
    let (mut wrong, mut empty, mut times) = (Vec::new(), 0, String::new());
    for (index, query) in queries.iter().enumerate() {
        let begun = Instant::now();
        let ours = proxy.run(query).await;
        let proxy_took = begun.elapsed();
        let begun = Instant::now();
        let theirs = oracle.rows(query).await;
        let _ = writeln!(times, "Q{}: {proxy_took:?}, one server {:?}", index + 1, begun.elapsed());
        empty += usize::from(theirs.is_empty() || theirs.concat().iter().all(|cell| cell == "NULL"));
        match ours {
            serval_tests::Answer::Rows { rows, .. } if rows == theirs => {}
            other => wrong.push(format!("Q{}: {other:?}\n  one server: {theirs:?}", index + 1)),
        }
    }
    println!("scale factor {scale}\n{times}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(empty <= 2, "{empty} queries have found nothing");
}

async fn world() -> World {
    let usual = World::gathering_topology("tpch").await;
    // Orders are the usual topology's, by another column here.
    World::with(Topology { more: PLACES.to_owned(), orders: "{ rule = \"by_order\" }", ..usual }).await
}

async fn fill(client: &mut Client, scale: f64) {
    for table in TABLES {
        client.must(table).await;
    }
    let words = Distributions::static_default();
    // Comments are cut from a text, of which the usual length is 300 MB.
    let text = TextPool::new(1 << 20, words);
    let (regions, nations) = (
        RegionGenerator::new_with_distributions_and_text_pool(words, &text),
        NationGenerator::new_with_distributions_and_text_pool(words, &text),
    );
    insert(client, "region", regions.iter()).await;
    insert(client, "nation", nations.iter()).await;
    let rows = SupplierGenerator::new_with_distributions_and_text_pool(scale, 1, 1, words, &text);
    insert(client, "supplier", rows.iter()).await;
    let rows = CustomerGenerator::new_with_distributions_and_text_pool(scale, 1, 1, words, &text);
    insert(client, "customer", rows.iter()).await;
    let rows = PartGenerator::new_with_distributions_and_text_pool(scale, 1, 1, words, &text);
    insert(client, "part", rows.iter()).await;
    let rows = PartSuppGenerator::new_with_text_pool(scale, 1, 1, &text);
    insert(client, "partsupp", rows.iter()).await;
    let rows = OrderGenerator::new_with_distributions_and_text_pool(scale, 1, 1, words, &text);
    insert(client, "orders", rows.iter()).await;
    let rows = LineItemGenerator::new_with_distributions_and_text_pool(scale, 1, 1, words, &text);
    insert(client, "lineitem", rows.iter()).await;
}

/// Inserts rows that print themselves as `a|b|c|`.
async fn insert(client: &mut Client, table: &str, rows: impl Iterator<Item = impl Display>) {
    let mut rows = rows.peekable();
    while rows.peek().is_some() {
        let chunk: Vec<String> =
            rows.by_ref().take(ROWS_PER_INSERT).map(|row| literals(&row.to_string())).collect();
        // With few suppliers some of them supply a part twice.
        client.must(&format!("INSERT IGNORE INTO {table} VALUES {}", chunk.join(", "))).await;
    }
}

fn literals(row: &str) -> String {
    let cells: Vec<String> =
        row.trim_end_matches('|').split('|').map(|cell| format!("'{}'", cell.replace('\'', "''"))).collect();
    format!("({})", cells.join(", "))
}
