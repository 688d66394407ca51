//! The public test suite of MariaDB (Debian's `mariadb-test-data`) replayed on the proxy and on one plain server.
//!
//! The suite's own expected output is not used: the one server is right. Its tables are sharded, global or on one node by
//! turns ([`place`]). `SERVAL_REPLAY="select,join"` replays all files whose names begin so and writes what it found to
//! `target/replay`; `cargo xtask replay` does this for all groups.

mod compare;
mod known;
mod lines;
mod outline;
mod place;
mod play;
mod script;
mod shuffle;
mod tally;
mod variables;

use std::fmt::Write as _;
use std::path::Path;
use std::time::Instant;

use known::Known;
use play::Play;
use serval_testkit::Flavour;
use tally::Tally;

const SUITE: &str = "/usr/share/mysql/mysql-test";
/// What every run replays.
const SLICE: [&str; 14] = [
    "group_by_innodb.test",
    "group_by_null.test",
    "order_by_innodb.test",
    "union_innodb.test",
    "subselect2.test",
    "subselect_sj2_mat.test",
    "cte_cycle.test",
    "win_min_max.test",
    "win_orderby.test",
    "func_extract.test",
    "func_json.test",
    "type_time_6065.test",
    "update_use_source.test",
    "delete_returning.test",
];

#[tokio::test]
async fn the_public_suite_answers_as_one_server_does() {
    if Flavour::from_env() != Flavour::MariaDb {
        return;
    }
    let groups = std::env::var("SERVAL_REPLAY").ok();
    let files = match &groups {
        Some(groups) => files(&groups.split(',').collect::<Vec<_>>()),
        None => SLICE.map(str::to_owned).to_vec(),
    };
    let mut known = Known::read(include_str!("mysql_test/known.txt"));
    let mut all = Tally::default();
    let mut lines = String::new();
    let mut before = None;
    for file in &files {
        let begun = Instant::now();
        let steps = script::read(Path::new(SUITE), file);
        let mut play = Play::new(file, &mut known).await;
        play.run(&steps).await;
        let (tally, trace, world) = play.end();
        // A proxy that is still ending must not be taken for the next one.
        drop(before.replace(world));
        if groups.is_some() {
            write(&format!("{file}.trace"), &trace);
        }
        let line = format!("{file}: {} ({:.1} s)", tally.line(), begun.elapsed().as_secs_f64());
        if groups.is_some() {
            println!("{line}");
            write(&format!("{file}.differences"), &(tally.different.join("\n\n") + "\n"));
        }
        let _ = writeln!(lines, "{line}");
        all.add(tally);
    }
    if groups.is_some() {
        write("summary", &format!("{lines}\n{all}"));
        write("unread", &all.unread.join("\n\n"));
    }
    let unused = known.unused(&files);
    assert!(unused.is_empty(), "known.txt explains what does not differ:\n{}", unused.join("\n"));
    let different = all.different.iter().take(20).cloned().collect::<Vec<_>>().join("\n\n");
    assert!(all.different.is_empty(), "{} differ, among them\n{different}\n\n{lines}", all.different.len());
}

/// The suite's files whose names begin with one of these.
fn files(groups: &[&str]) -> Vec<String> {
    let folder = std::fs::read_dir(Path::new(SUITE).join("main")).expect("the suite's folder");
    let names = folder.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned());
    let chosen =
        |name: &String| name.ends_with(".test") && groups.iter().any(|group| name.starts_with(group));
    let mut files: Vec<String> = names.filter(chosen).collect();
    files.sort();
    files
}

/// Writes a file of the report.
fn write(name: &str, text: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/replay");
    std::fs::create_dir_all(&folder).expect("a folder for the report");
    std::fs::write(folder.join(name), text).expect("the report is written");
}
