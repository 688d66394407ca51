use super::*;
use crate::scan;

fn hints(sql: &str) -> Hints {
    let scan = scan(sql.as_bytes(), LexOptions::default()).unwrap();
    (*scan.hints.unwrap_or_else(|| panic!("no hints: {sql}")))
        .unwrap_or_else(|error| panic!("{sql}: {error}"))
}

fn error(sql: &str) -> String {
    let scan = scan(sql.as_bytes(), LexOptions::default()).unwrap();
    (*scan.hints.unwrap_or_else(|| panic!("no hints: {sql}"))).unwrap_err().to_string()
}

fn none(sql: &str) {
    let scan = scan(sql.as_bytes(), LexOptions::default()).unwrap();
    assert_eq!(scan.hints, None, "{sql}");
}

#[test]
fn options_are_read_before_the_statement_and_behind_its_verb() {
    let expected = Hints { node: Some("dn0".to_owned()), ..Hints::default() };
    for sql in [
        "SELECT /*+ SERVAL(node=dn0) */ 1",
        "/*+ serval ( node = 'dn0' ) */ SELECT 1",
        "insert /*+ NO_ICP(t) SERVAL(node=`dn0`) */ into t values (1)",
        "WITH c AS (SELECT 1) SELECT /*+ SERVAL(node=dn0) */ * FROM c",
        "EXPLAIN FORMAT=SERVAL SELECT /*+ SERVAL(node=dn0) */ 1",
        "/*!mycat: datanode=dn0 */ SELECT 1",
        "/*#mycat:datanode=dn0*/ SELECT 1",
        "/* mycat:datanode=dn0*/ SELECT 1",
        "/*mycat:datanode=`dn0`*/ SELECT 1",
    ] {
        assert_eq!(hints(sql), expected, "{sql}");
    }
}

#[test]
fn several_options_stand_in_one_comment_or_in_two() {
    let both = Hints {
        shard_key: Some(Value::Int(-7)),
        server: Some(HintedServer::Primary),
        timeout: Some(Duration::from_millis(1500)),
        ..Hints::default()
    };
    assert_eq!(hints("SELECT /*+ SERVAL(primary, shard_key=-7 timeout=1500ms) */ 1"), both);
    assert_eq!(
        hints("/*!mycat: db_type=master */ SELECT /*+ SERVAL(shard_key=-7, timeout=1500ms) */ 1"),
        both
    );
    let found =
        hints("/*!mycat: schema=shop, db_type=slave, sql=select 1 from t where id = 7, 8 */ CALL p()");
    assert_eq!(found.schema.as_deref(), Some("shop"));
    assert_eq!(found.server, Some(HintedServer::Replica));
    assert_eq!(found.routed_as.as_deref(), Some("select 1 from t where id = 7, 8"));
}

#[test]
fn what_is_not_understood_is_an_error() {
    for (sql, text) in [
        ("SELECT /*+ SERVAL() */ 1", "it is empty"),
        ("SELECT /*+ SERVAL */ 1", "is not understood"),
        ("SELECT /*+ SERVAL(nod=dn0) */ 1", "nod is not known; allowed is SERVAL(node=…"),
        ("SELECT /*+ SERVAL(node) */ 1", "node needs a value"),
        ("SELECT /*+ SERVAL(node=) */ 1", "a value is missing"),
        ("SELECT /*+ SERVAL(node=dn0, node=dn1) */ 1", "node is said twice"),
        ("SELECT /*+ SERVAL(primary replica) */ 1", "primary or replica is said twice"),
        ("SELECT /*+ SERVAL(timeout=5) */ 1", "timeout is a number with a unit"),
        ("SELECT /*+ SERVAL(timeout=0s) */ 1", "timeout is a number with a unit"),
        ("SELECT /*+ SERVAL(node=dn0, shard_key=7) */ 1", "in one way only"),
        ("SELECT a FROM (SELECT /*+ SERVAL(primary) */ 1 AS a) t", "right behind its first SELECT"),
        ("SELECT 1 UNION SELECT /*+ SERVAL(primary) */ 1", "right behind its first SELECT"),
        ("SELECT 1 /*+ SERVAL(primary) */", "right behind its first SELECT"),
        ("SELECT /*+ MYCAT:TARGET(c0) */ 1", "allowed is /*+ SERVAL("),
        ("/*!mycat: catlet=a.B */ SELECT 1", "a class of Mycat's own"),
        ("/*!mycat: db_type=both */ SELECT 1", "neither master nor slave"),
        ("/*!mycat: */ SELECT 1", "it is empty"),
    ] {
        let found = error(sql);
        assert!(found.contains(text), "{sql}: {found}");
    }
}

#[test]
fn hints_of_servers_and_words_in_comments_are_left_alone() {
    none("SELECT /*+ MAX_EXECUTION_TIME(1000) */ 1");
    none("SELECT /*+ NO_ICP(servals) */ 1");
    none("SELECT 1 /* serval */");
    none("SELECT '/*+ SERVAL(primary) */'");
    none("SELECT 1 /*! + 1 */");
}

#[test]
fn servers_get_no_hint_of_ours() {
    let cut = |sql: &str| String::from_utf8(without_hints(sql.as_bytes(), LexOptions::default())).unwrap();
    assert_eq!(cut("SELECT /*+ SERVAL(primary) */ 1"), "SELECT  1");
    assert_eq!(cut("/*!mycat:sql=select 1*/SELECT 1"), "SELECT 1");
    assert_eq!(cut("SELECT /*+ BKA(t) SERVAL(primary)*/ 1"), "SELECT /*+ BKA(t) */ 1");
    assert_eq!(cut("SELECT '/*+ SERVAL(primary) */'"), "SELECT '/*+ SERVAL(primary) */'");
}
