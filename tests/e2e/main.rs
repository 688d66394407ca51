//! The end-to-end tests, one process for all so that they share their servers.

mod admin;
mod architecture;
mod bad_config;
mod clients;
mod demo;
mod disconnects;
mod explain;
mod failures;
mod hostile;
mod http;
mod limits;
mod login;
mod oracle;
mod placement;
mod prepared;
mod random;
mod reload;
mod replicas;
mod sysbench;
