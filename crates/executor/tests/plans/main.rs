//! Whole plans over scripted servers: what each server is sent, what the client gets, and what is left behind.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops where it is")]

mod ddl;
mod definitions;
mod prepared;
mod reads;
mod relay;
mod scripted;
mod sequences;
mod transactions;
mod writes;
