//! What of a namespace's JSON is read.

use indexmap::IndexMap;
use serde::Deserialize;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Namespace {
    pub name: String,
    pub is_encrypt: bool,
    pub read_only: bool,
    pub allowed_dbs: IndexMap<String, bool>,
    pub default_phy_dbs: IndexMap<String, String>,
    pub allowed_ip: Vec<String>,
    pub black_sql: Vec<String>,
    pub slices: Vec<Slice>,
    pub shard_rules: Vec<Shard>,
    pub users: Vec<User>,
    pub default_slice: String,
    pub global_sequences: Vec<serde_json::Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Slice {
    pub name: String,
    pub user_name: String,
    pub master: String,
    pub slaves: Vec<String>,
    pub statistic_slaves: Vec<String>,
    pub max_capacity: u32,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Shard {
    pub db: String,
    pub table: String,
    pub parent_table: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub key: String,
    pub locations: Vec<u32>,
    pub slices: Vec<String>,
    pub date_range: Vec<String>,
    pub table_row_limit: i64,
    pub databases: Vec<String>,
    pub partition_count: String,
    pub partition_length: String,
    pub hash_slice: String,
    pub seed: String,
    pub virtual_bucket_times: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct User {
    pub user_name: String,
    pub password: String,
    pub rw_flag: i64,
    pub rw_split: i64,
}
