use serval_types::{ColumnType, IntWidth};

use super::super::{ReferentialAction, TableDefinition, parse};
use super::*;

const TABLE: &str = "CREATE TABLE t (id INT NOT NULL, s VARCHAR(9), v INT, PRIMARY KEY (id, v), UNIQUE u (id, s)) \
                     CHARSET=utf8mb4 COLLATE=utf8mb4_bin";

fn alteration(sql: &str) -> Alteration {
    Alteration::parse(sql, LexOptions::default()).expect("an ALTER TABLE")
}

fn altered(sql: &str) -> TableDefinition {
    alteration(sql).applied(&parse(TABLE, LexOptions::default()).expect("a table"))
}

fn names(table: &TableDefinition) -> Vec<&str> {
    table.columns.iter().map(|column| &*column.name).collect()
}

#[test]
fn columns_come_go_and_change() {
    let table = altered(
        "ALTER IGNORE TABLE x.t ADD COLUMN w TEXT AFTER `comment`, ADD (y INT, z INT UNIQUE), DROP s, \
         CHANGE COLUMN v n BIGINT UNSIGNED NOT NULL AUTO_INCREMENT FIRST, ENGINE=InnoDB COMMENT='a, b'",
    );
    assert_eq!(names(&table), ["id", "n", "w", "y", "z"]);
    assert_eq!(table.primary_key, ["id", "n"]);
    assert_eq!(table.auto_increment().expect("a column").name, "n");
    assert_eq!(table.unique_keys[0].columns, ["id"]);
    assert_eq!(table.unique_keys[1].columns, ["z"]);
    let column_type = ColumnType::Int { width: IntWidth::Big, unsigned: true };
    assert_eq!(table.column("n").expect("a column").column_type, column_type);
    assert_eq!(
        names(&altered("ALTER TABLE t ADD COLUMN IF NOT EXISTS id TEXT, RENAME COLUMN s TO x")),
        ["id", "x", "v"]
    );
    assert_eq!(
        names(&altered("ALTER TABLE t ADD period DATE, ADD PARTITION (PARTITION p VALUES IN (1, 2))")).len(),
        4
    );
}

#[test]
fn what_displaces_a_column() {
    let displaces = |sql: &str| alteration(sql).displaces("ID");
    assert!(displaces("ALTER TABLE t DROP COLUMN id, ADD COLUMN id INT"));
    assert!(displaces("ALTER TABLE t CHANGE id key_ INT"));
    assert!(displaces("ALTER TABLE t RENAME COLUMN `id` TO i"));
    assert!(!displaces("ALTER TABLE t MODIFY id BIGINT, DROP PRIMARY KEY, DROP KEY id, DROP FOREIGN KEY id"));
    assert!(!displaces("ALTER TABLE t CHANGE id Id INT, ALTER COLUMN id SET DEFAULT (1 + 2)"));
}

#[test]
fn character_sets() {
    let collation = |sql: &str| altered(sql).column("s").and_then(|s| s.column_type.collation().cloned());
    let name = |sql: &str| collation(sql).map(|collation| collation.name().to_owned());
    assert_eq!(name("ALTER TABLE t MODIFY s VARCHAR(20)").as_deref(), Some("utf8mb4_bin"));
    assert_eq!(name("ALTER TABLE t DEFAULT CHARSET latin1").as_deref(), Some("utf8mb4_bin"));
    assert_eq!(name("ALTER TABLE t MODIFY s TEXT, CHARSET=latin1").as_deref(), Some("latin1_swedish_ci"));
    assert_eq!(name("ALTER TABLE t CONVERT TO CHARACTER SET utf8mb4"), None);
    let kept = "ALTER TABLE t CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_bin, ADD v2 INT";
    assert_eq!(name(kept).as_deref(), Some("utf8mb4_bin"));
    assert_eq!(name("ALTER TABLE t CONVERT TO CHARACTER SET binary"), None);
}

#[test]
fn keys() {
    let table = altered(
        "ALTER TABLE t DROP PRIMARY KEY, ADD CONSTRAINT IF NOT EXISTS u UNIQUE KEY (v), DROP INDEX u",
    );
    assert!(table.primary_key.is_empty() && table.unique_keys.is_empty());
    let table = altered("CREATE OR REPLACE UNIQUE INDEX w USING BTREE ON x.t (v, s(3) DESC)");
    assert_eq!((&*table.unique_keys[1].columns, table.unique_keys[1].whole), (&["v".to_owned()][..], false));
    let sql = "ALTER TABLE t ADD z INT, ADD CONSTRAINT x FOREIGN KEY (s, v) REFERENCES u (c, d) ON DELETE CASCADE ON \
               UPDATE SET NULL, ADD COLUMN w INT REFERENCES o (a)";
    let keys = alteration(sql).foreign_keys();
    assert_eq!((keys[0].columns.len(), &*keys[0].table, keys[0].referenced.len()), (2, "u", 2));
    assert_eq!(
        (keys[0].on_delete, keys[0].on_update),
        (ReferentialAction::Cascade, ReferentialAction::SetNull)
    );
    assert_eq!((&*keys[1].columns, &*keys[1].table), (&["w".to_owned()][..], "o"));
}

#[test]
fn what_is_no_alteration() {
    for sql in
        ["ALTER DATABASE x", "CREATE TABLE t (a INT)", "ALTER TABLE t ADD (a INT", "ALTER TABLE t MODIFY"]
    {
        assert!(Alteration::parse(sql, LexOptions::default()).is_err(), "{sql}");
    }
}
