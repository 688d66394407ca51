//! The command line as a user meets it: what is printed where, and with which exit code.

mod check;
mod explain;
mod import;
mod life;
mod passwd;
mod run;
mod support;
