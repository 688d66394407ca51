//! Each file of `slt/` through the proxy and on one plain server.

use serval_tests::{World, slt};

macro_rules! files {
    ($($name:ident),* $(,)?) => {
        $(
            #[tokio::test]
            async fn $name() {
                let world = World::new(concat!("slt_", stringify!($name))).await;
                let report = slt::run(&world, concat!(stringify!($name), ".slt")).await;
                assert!(report.is_empty(), "{report}");
            }
        )*

        /// The same with every statement prepared.
        mod prepared {
            use super::*;
            $(
                #[tokio::test]
                async fn $name() {
                    let world = World::new(concat!("sltps_", stringify!($name))).await;
                    let report = slt::run_prepared(&world, concat!(stringify!($name), ".slt")).await;
                    assert!(report.is_empty(), "{report}");
                }
            )*
        }

        /// Every file gives the same answers on two plain servers, so what differs on the proxy is the proxy's doing.
        #[tokio::test]
        async fn files_are_determined() {
            let mut reports = Vec::new();
            for name in [$(stringify!($name)),*] {
                reports.push(slt::run_on_oracles(&format!("{name}.slt"), &format!("two_{name}")).await);
            }
            reports.retain(|report| !report.is_empty());
            assert!(reports.is_empty(), "{}", reports.iter().map(ToString::to_string).collect::<String>());
        }

        /// A file that nobody runs tests nothing. Those of gathered statements are run by the file of that name.
        #[test]
        fn every_file_is_named_here() {
            let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("slt");
            for entry in std::fs::read_dir(folder).expect("the folder of files") {
                let name = entry.expect("an entry").file_name();
                let name = name.to_string_lossy();
                let named = [$(concat!(stringify!($name), ".slt")),*].contains(&name.as_ref())
                    || name.starts_with("gather");
                assert!(named, "{name} is not in oracle.rs");
            }
        }
    };
}

files! {
    aggregates,
    atomic,
    charsets,
    comments,
    composite,
    computed,
    create_select,
    crud,
    databases,
    ddl,
    errors,
    events_month,
    family,
    global,
    information_schema,
    insert,
    insert_ids,
    insert_select,
    insert_values,
    joins_colocated,
    law_definitions,
    law_joins,
    law_leaks,
    law_names,
    law_writes,
    law_values,
    limited_writes,
    limits,
    long_statements,
    lock_tables,
    maintenance,
    moving_rows,
    named_locks,
    parser,
    rename,
    returning,
    routing,
    scatter_order,
    session,
    session_functions,
    show,
    stored,
    temporary,
    text_keys,
    transactions,
    two_levels,
    update_delete,
    user_variables,
    variables,
    views,
    warnings,
    weights,
}
