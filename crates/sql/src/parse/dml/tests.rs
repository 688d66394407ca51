use sqlparser::ast::{Expr, SetExpr, Spanned, Statement as Ast};

use super::*;
use crate::{Problem, Statement, parse as parse_statement};

fn parsed(sql: &str) -> Box<Parsed> {
    parsed_with(sql, LexOptions::default())
}

fn parsed_with(sql: &str, options: LexOptions) -> Box<Parsed> {
    match parse_statement(sql, options) {
        Ok(Statement::Dml(parsed)) => parsed,
        other => panic!("{sql}: {other:?}"),
    }
}

/// The condition after WHERE of `SELECT 1 FROM t WHERE …`, every operator in brackets.
fn condition(condition: &str) -> String {
    condition_with(condition, LexOptions::default())
}

fn condition_with(condition: &str, options: LexOptions) -> String {
    let sql = format!("SELECT 1 FROM t WHERE {condition}");
    let parsed = parsed_with(&sql, options);
    let Ast::Query(query) = &parsed.ast else { panic!("{sql}") };
    let SetExpr::Select(select) = &*query.body else { panic!("{sql}") };
    shape(select.selection.as_ref().unwrap())
}

fn shape(expr: &Expr) -> String {
    match expr {
        Expr::BinaryOp { left, op, right } => format!("[{} {op} {}]", shape(left), shape(right)),
        Expr::UnaryOp { op, expr } => format!("[{op} {}]", shape(expr)),
        Expr::IsNull(expr) => format!("[{} IS NULL]", shape(expr)),
        Expr::InList { expr, list, negated } => {
            let list: Vec<_> = list.iter().map(shape).collect();
            format!("[{}{} IN {}]", shape(expr), if *negated { " NOT" } else { "" }, list.join(","))
        }
        Expr::Between { expr, low, high, .. } => {
            format!("[{} BETWEEN {} AND {}]", shape(expr), shape(low), shape(high))
        }
        Expr::Like { expr, pattern, .. } => format!("[{} LIKE {}]", shape(expr), shape(pattern)),
        Expr::RLike { expr, pattern, .. } => format!("[{} RLIKE {}]", shape(expr), shape(pattern)),
        Expr::Cast { expr, data_type, .. } => format!("[CAST {} AS {data_type}]", shape(expr)),
        Expr::Nested(expr) => format!("({})", shape(expr)),
        other => other.to_string(),
    }
}

#[test]
fn operators_bind_as_in_mysql() {
    assert_eq!(condition("a = 1 XOR b = 2 AND c OR d"), "[[[a = 1] XOR [[b = 2] AND c]] OR d]");
    assert_eq!(condition("id = 5 || id = 6"), "[[id = 5] OR [id = 6]]");
    assert_eq!(condition("a && b || c"), "[[a AND b] OR c]");
    assert_eq!(
        condition("id = 5 AND BINARY a = 'x' OR c = 1"),
        "[[[id = 5] AND [[CAST a AS BINARY] = 'x']] OR [c = 1]]"
    );
    assert_eq!(condition("!id = 5"), "[[! id] = 5]");
    assert_eq!(condition("NOT id = 5 AND a"), "[[NOT [id = 5]] AND a]");
    assert_eq!(condition("~a * b"), "[[~ a] * b]");
    assert_eq!(condition("-a ^ b + 1"), "[[[- a] ^ b] + 1]");
    assert_eq!(condition("1 + 2 << 3 & 4 | 5 ^ 6"), "[[[[1 + 2] << 3] & 4] | [5 ^ 6]]");
    assert_eq!(condition("a = b LIKE c"), "[a = [b LIKE c]]");
    assert_eq!(condition("a LIKE b = c"), "[[a LIKE b] = c]");
    assert_eq!(condition("a = b IS NULL"), "[[a = b] IS NULL]");
    assert_eq!(condition("id = 1 IN (1, 2)"), "[id = [1 IN 1,2]]");
    assert_eq!(condition("a BETWEEN 1 AND 2 AND b"), "[[a BETWEEN 1 AND 2] AND b]");
    assert_eq!(condition("a BETWEEN 1 AND b IN (2) OR c"), "[[a BETWEEN 1 AND [b IN 2]] OR c]");
    assert_eq!(condition("a = b NOT BETWEEN 1 AND 2"), "[a = [b BETWEEN 1 AND 2]]");
    assert_eq!(condition("a DIV 2 MOD 3 = 1"), "[[[a DIV 2] % 3] = 1]");
    assert_eq!(condition("MOD(a, 2) = 1"), "[MOD(a, 2) = 1]");
    assert_eq!(condition("id = 5 AND @a := 1 OR x = 2"), "[[id = 5] AND [@a := [1 OR [x = 2]]]]");
    assert_eq!(condition("a RLIKE NULL OR b"), "[[a RLIKE (NULL)] OR b]");
    assert_eq!(condition("a = 'x' COLLATE utf8mb4_bin AND b"), "[[a = 'x' COLLATE utf8mb4_bin] AND b]");
    assert_eq!(condition("a->'$.x' = 1 AND b->>'$.y' = 2"), "[[[a -> '$.x'] = 1] AND [[b ->> '$.y'] = 2]]");
    let concat = LexOptions { pipes_as_concat: true, ..LexOptions::default() };
    assert_eq!(condition_with("a = 'x' || 'y'", concat), "[a = ['x' || 'y']]");
}

#[test]
fn text_means_what_sql_mode_says() {
    let ansi = LexOptions { ansi_quotes: true, ..LexOptions::default() };
    assert_eq!(condition_with("\"a b\" = 'x'", ansi), "[\"a b\" = 'x']");
    assert_eq!(condition("a = \"b\""), "[a = 'b']");
    let raw = LexOptions { no_backslash_escapes: true, ..LexOptions::default() };
    assert_eq!(condition_with(r"a = '\' OR b = '\'", raw), r"[[a = '\'] OR [b = '\']]");
}

#[test]
fn positions_are_bytes() {
    let sql = "SELECT 'ü\n', `é`.`b`\nFROM `é` WHERE x = 7 -- c\n AND y";
    let parsed = parsed(sql);
    let Ast::Query(query) = &parsed.ast else { panic!() };
    let SetExpr::Select(select) = &*query.body else { panic!() };
    let table = &select.from[0].relation;
    assert_eq!(parsed.locator.span(table.span()).text(sql), "`é`");
    let Expr::BinaryOp { left, right, .. } = select.selection.as_ref().unwrap() else { panic!() };
    assert_eq!(parsed.locator.span(left.span()).text(sql), "x = 7");
    assert_eq!(parsed.locator.span(right.span()).text(sql), "y");
    assert_eq!(parsed.locator.span(select.projection[0].span()).text(sql), "'ü\n'");
}

#[test]
fn what_the_tree_does_not_show_is_noted() {
    let sql = "SELECT SQL_CACHE * FROM t LOCK IN SHARE MODE";
    let noted = parsed(sql);
    assert_eq!(noted.trailing_lock.unwrap().text(sql), "LOCK IN SHARE MODE");
    assert_eq!(noted.modifiers.len(), 1);
    let sql = "SELECT /*!40001 SQL_NO_CACHE */ a INTO @x, @y FROM t FOR UPDATE WAIT 5";
    let noted = parsed(sql);
    assert_eq!(noted.into_variables.unwrap().text(sql), "INTO @x, @y");
    let sql = "((SELECT a FROM t WHERE b IN (1) INTO @x))";
    assert_eq!(parsed(sql).into_variables.unwrap().text(sql), "INTO @x");
    assert_eq!(noted.version_comments, VersionComments::Always);
    assert_eq!(parsed("SELECT 1 /*!80000 , 2 */").version_comments, VersionComments::Conditional);
    assert_eq!(parsed("DELETE LOW_PRIORITY QUICK IGNORE FROM t").modifiers.len(), 3);
    assert_eq!(parsed("SELECT SQL_CALC_FOUND_ROWS DISTINCT 1").modifiers[0].0, Modifier::CalcFoundRows);
}

#[test]
fn what_is_left_out_leaves_the_rest_where_it_was() {
    assert_eq!(condition("a SOUNDS LIKE 'x' AND b = 1"), "[[a SOUNDS LIKE 'x'] AND [b = 1]]");
    assert_eq!(condition("a = 1 AND b SOUNDS LIKE c = d"), "[[a = 1] AND [[b SOUNDS LIKE c] = d]]");
    assert_eq!(
        condition("a = ANY ((SELECT 1) UNION (SELECT 2)) AND b = 1"),
        "[a = ANY((SELECT 1) UNION (SELECT 2)) AND [b = 1]]"
    );
    assert_eq!(condition("a IN ((SELECT 1), 2) AND b = 1"), "[[a IN (SELECT 1),2] AND [b = 1]]");
    assert_eq!(
        condition("MATCH a, t.b AGAINST ('x' IN BOOLEAN MODE) > 0 AND c"),
        "[[MATCH(a, t.b, 'x') > 0] AND c]"
    );
    assert_eq!(condition("a LIKE b ESCAPE 3 AND c = 1"), "[[a LIKE b] AND [c = 1]]");
    assert_eq!(condition("a LIKE b ESCAPE (c) AND d = 1"), "[[a LIKE b] AND [d = 1]]");
    assert_eq!(condition("a LIKE b ESCAPE CHAR(92) AND d = 1"), "[[a LIKE b] AND [d = 1]]");
    assert_eq!(condition("a = _utf8mb4 b'01' AND c"), "[[a = B'01'] AND c]");
    assert_eq!(condition("1 MEMBER ('[1]') AND c"), "[1 MEMBER OF('[1]') AND c]");
    assert_eq!(condition("f(a AS x, b) = 1 AND c"), "[[f(a, b) = 1] AND c]");
    assert_eq!(condition("CHAR(a USING utf8mb4) = b"), "[CHAR(a) = b]");
    assert_eq!(condition("a = {fn ABS(b)} AND c"), "[[a = (ABS(b))] AND c]");
}

#[test]
fn tables_are_those_that_mysql_reads() {
    let from = |sql: &str| {
        let parsed = parsed(sql);
        let Ast::Query(query) = &parsed.ast else { panic!("{sql}") };
        let SetExpr::Select(select) = &*query.body else { panic!("{sql}") };
        select.from.iter().map(ToString::to_string).collect::<Vec<_>>().join(" | ")
    };
    assert_eq!(from("SELECT 1 FROM t USE INDEX FOR JOIN (a) IGNORE KEY FOR ORDER BY (b), (u)"), "t | u");
    assert_eq!(from("SELECT 1 FROM a LEFT JOIN (b, c) ON 1, d"), "a LEFT JOIN (b CROSS JOIN c) ON 1 | d");
    assert_eq!(from("SELECT 1 FROM ((SELECT 1) x, t)"), "((SELECT 1) x CROSS JOIN t)");
    assert_eq!(from("SELECT 1 FROM ((SELECT 1) UNION (SELECT 2)) x"), "((SELECT 1) UNION (SELECT 2)) x");
    assert_eq!(from("SELECT 1 FROM {oj a LEFT JOIN b ON a.x = b.x}, c"), "(a LEFT JOIN b ON a.x = b.x) | c");
    assert_eq!(from("SELECT 1 FROM t FOR SYSTEM_TIME ALL x, u"), "t x FOR SYSTEM_TIME AS OF NULL | u");
    assert_eq!(from("SELECT 1 FROM s.t = x JOIN u = y ON x.a = y.a"), "s.t x JOIN u y ON x.a = y.a");
    assert_eq!(
        from("SELECT 1 FROM a RIGHT JOIN b STRAIGHT_JOIN c ON b.x ON b.y"),
        "a RIGHT JOIN (b JOIN c ON b.x) ON b.y"
    );
    assert_eq!(from("TABLE s.t"), "s.t");
    assert_eq!(from("SELECT 1 FROM t PARTITION (p0) JOIN u"), "t PARTITION (p0) JOIN u");
}

#[test]
fn clauses_that_the_tree_does_not_show_are_noted() {
    let noted = |sql: &str| {
        parsed(sql)
            .modifiers
            .iter()
            .map(|(kind, span)| (*kind, span.text(sql).to_owned()))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        noted("SELECT a FROM t GROUP BY a DESC ORDER BY a DESC"),
        [(Modifier::GroupDirection, "DESC".to_owned())]
    );
    assert_eq!(
        noted("SELECT a FROM t LIMIT 1 ROWS EXAMINED 5"),
        [(Modifier::RowsExamined, "ROWS EXAMINED 5".to_owned())]
    );
    assert_eq!(noted("SELECT SUM(a) OVER (ORDER BY b DESC ROWS 1 PRECEDING) FROM t"), []);
    assert_eq!(parsed("SELECT 1 UNION TABLE t").table_words.len(), 1);
    let sql = "DELETE FROM t WHERE a = 1 ORDER BY b LIMIT 2 RETURNING c";
    let Ast::Delete(delete) = &parsed(sql).ast else { panic!() };
    assert!(delete.returning.is_some() && delete.limit.is_some() && delete.order_by.len() == 1);
    let Ast::Delete(delete) = &parsed("DELETE a.*, s.b.* FROM a, b, s.b").ast else { panic!() };
    assert_eq!(delete.tables.iter().map(ToString::to_string).collect::<Vec<_>>(), ["a", "s.b"]);
}

#[test]
fn all_and_distinct_do_not_go_together() {
    let Ast::Query(query) = parsed("SELECT DISTINCT DISTINCT ALL_OF FROM t").ast else { panic!() };
    let SetExpr::Select(select) = &*query.body else { panic!() };
    assert!(select.distinct.is_some());
    parsed("SELECT ALL ALL a FROM t");
    for sql in ["SELECT ALL DISTINCT a FROM t", "SELECT DISTINCT SQL_CACHE ALL a FROM t"] {
        let error = parse_statement(sql, LexOptions::default()).unwrap_err();
        assert_eq!(error.problem, Problem::Usage("ALL and DISTINCT"), "{sql}");
    }
}

#[test]
fn statements_of_the_field_parse() {
    let mut failed = Vec::new();
    for sql in include_str!("accepted.sql").split(";\n").map(str::trim).filter(|sql| !sql.is_empty()) {
        if let Err(error) = parse_statement(sql, LexOptions::default()) {
            failed.push(format!("{sql}\n    {error}"));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn other_dialects_words_are_identifiers() {
    let mut accepted = Vec::new();
    for sql in include_str!("refused.sql").split(";\n").map(str::trim).filter(|sql| !sql.is_empty()) {
        if let Ok(parsed) = parse_statement(sql, LexOptions::default()) {
            accepted.push(format!("{sql}\n    {parsed:?}"));
        }
    }
    assert!(accepted.is_empty(), "{}", accepted.join("\n"));
}

#[test]
fn errors_point_at_the_offending_token() {
    let near = |sql: &str| {
        let error = parse_statement(sql, LexOptions::default()).unwrap_err();
        (error.near.clone(), error.line)
    };
    assert_eq!(near("SELECT * FROM\n t WHERE\n ORDER BY 1"), ("ORDER BY 1".into(), 3));
    assert_eq!(near("SELECT * FROM t WHERE"), (String::new(), 1));
    assert_eq!(near("SELECT 1; SELECT 2"), ("SELECT 2".into(), 1));
    assert_eq!(near("SELECT 'a"), ("'a".into(), 1));
    assert_eq!(near("SELECT 1 FROM t WHERE a = 1 b"), ("b".into(), 1));
    assert_eq!(near("SELECT 1 FROM t WHERE a = (SELECT 1 INTO @x)"), ("INTO @x)".into(), 1));
    assert_eq!(near("(SELECT 1) UNION (SELECT 2 INTO @x)"), ("INTO @x)".into(), 1));
    let error = parse_statement("SELECT * FORM t", LexOptions::default()).unwrap_err().to_mysql();
    assert_eq!((error.number, error.sqlstate()), (1064, "42000"));
    assert_eq!(
        error.message,
        "You have an error in your SQL syntax; check the manual that corresponds to your MySQL server version for \
         the right syntax to use near 'FORM t' at line 1"
    );
}

/// What is refused must be refused, and what is parsed must survive a walk and a drop, on the stack of a worker thread.
fn on_small_stack(sql: String) -> Result<(), ParseError> {
    let run = move || {
        let parsed = parse_statement(&sql, LexOptions::default())?;
        let Statement::Dml(parsed) = &parsed else { panic!("{sql}") };
        let _ = parsed.ast.span();
        Ok(())
    };
    std::thread::Builder::new().stack_size(2 << 20).spawn(run).unwrap().join().unwrap()
}

#[test]
fn nesting_is_bounded() {
    let cases = [
        format!("SELECT {}1{}", "(".repeat(10_000), ")".repeat(10_000)),
        format!("SELECT {}1", "- ".repeat(10_000)),
        format!("SELECT {}1", "NOT ".repeat(10_000)),
        format!("SELECT {}1", "!".repeat(10_000)),
        format!("SELECT {}1{}", "CASE WHEN ".repeat(10_000), " THEN 1 END".repeat(10_000)),
        format!("SELECT {}1", "BINARY ".repeat(10_000)),
        format!("SELECT {}1{}", "INTERVAL ".repeat(10_000), " DAY".repeat(10_000)),
        format!("SELECT 1{}", " + 1".repeat(10_000)),
        format!("SELECT 1{}", " LIKE 1".repeat(10_000)),
        format!("SELECT 1{}", " UNION SELECT 1".repeat(10_000)),
        format!("SELECT * FROM t{}", " JOIN t".repeat(10_000)),
        format!("SELECT {}1", "(1 + ".repeat(10_000)),
        format!("SELECT {}1{}", "(".repeat(50), " + 1 + 1 + 1 + 1 + 1 + 1)".repeat(50)),
        format!("SELECT * FROM {}t{}", "(".repeat(10_000), ")".repeat(10_000)),
        format!("SELECT {}1", "@a := ".repeat(10_000)),
        format!("SELECT {}1{}", "(SELECT ".repeat(10_000), ")".repeat(10_000)),
        format!("SELECT {}1{}", "f(".repeat(10_000), ")".repeat(10_000)),
    ];
    for sql in cases {
        let start: String = sql.chars().take(30).collect();
        let error = on_small_stack(sql).expect_err(&start);
        assert!(matches!(error.problem, Problem::Refused(_)), "{start}: {error}");
    }
}

#[test]
fn what_is_allowed_survives_a_small_stack() {
    let cases = [
        format!("SELECT 1 FROM t WHERE {}1=1", "a=1 AND ".repeat(50_000)),
        format!("SELECT 1 FROM t WHERE {}1=1", "a=1 OR b=2 AND ".repeat(50_000)),
        format!("SELECT {}1{}", "(".repeat(190), ")".repeat(190)),
        format!("SELECT {}1", "- ".repeat(190)),
        format!("SELECT {}1", "NOT ".repeat(190)),
        format!("SELECT {}1{}", "CASE WHEN ".repeat(190), " THEN 1 END".repeat(190)),
        format!("SELECT {}1{}", "f(".repeat(190), ")".repeat(190)),
        format!("SELECT {}1{}", "(SELECT ".repeat(35), ")".repeat(35)),
        format!("SELECT * FROM {}t{}", "(SELECT * FROM ".repeat(35), ") x".repeat(35)),
        format!("SELECT 1{}", " + 1".repeat(190)),
        format!("SELECT 1{}", " UNION ALL SELECT 1".repeat(240)),
        format!("SELECT * FROM t{}", " JOIN t ON 1".repeat(990)),
        format!("SELECT * FROM t{} {}", " JOIN t".repeat(16), " ON 1".repeat(16)),
        format!("SELECT * FROM t{}", ", t".repeat(990)),
        format!("UPDATE t{} SET a = 1", ", t".repeat(990)),
        format!("INSERT INTO t VALUES (1){}", ", (1)".repeat(50_000)),
        format!("SELECT 1 FROM t WHERE a IN (1{})", ", 2".repeat(50_000)),
    ];
    for sql in cases {
        let start: String = sql.chars().take(30).collect();
        on_small_stack(sql).unwrap_or_else(|error| panic!("{start}: {error}"));
    }
}

#[test]
fn words_that_are_not_reserved_are_names_everywhere() {
    const WORDS: &str = "against any boolean current duplicate escape expansion following language locked member mode \
        nowait preceding query returning rollup share skip some unbounded unknown year month day hour minute second \
        date time timestamp datetime offset value text trim substring position extract cast comment status type name \
        data action level format first last user role count session global local start begin commit event list names \
        option owner password path port privileges json point pivot top sample qualify final settings cluster sort \
        array map struct lambda prior connect fetch ilike similar overlaps at zone nulls filter within overlay ceil \
        floor unnest anti semi exclude rename output";
    const PLACES: [&str; 9] = [
        "SELECT ~ FROM t WHERE ~ = 1 AND t.~ = 2 AND ~.x IN (1) ORDER BY ~ DESC",
        "SELECT a ~, 1 AS ~ FROM t ~ JOIN u AS ~ ON 1",
        "SELECT * FROM ~ WHERE x.~ IS NULL AND ~ BETWEEN ~ AND ~",
        "SELECT MAX(~), ~ + 1, -~, (~), CASE ~ WHEN ~ THEN ~ ELSE ~ END FROM t GROUP BY ~ HAVING ~",
        "INSERT INTO ~ (~, b) VALUES (1, 2) ON DUPLICATE KEY UPDATE ~ = VALUES(~)",
        "INSERT INTO ~ SET ~ = 1",
        "UPDATE t SET ~ = 1, t.~ = 2 WHERE ~ > 2",
        "DELETE FROM ~ WHERE ~",
        "SELECT * FROM (SELECT 1 AS ~) ~",
    ];
    for word in WORDS.split_whitespace() {
        for place in PLACES {
            parsed(&place.replace('~', word));
        }
    }
}
