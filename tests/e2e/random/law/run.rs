//! Runs a sequence on two servers and collects what differs.

use std::collections::BTreeMap;

use serval_testkit::Flavour;
use serval_tests::{Answer, Client};

use super::{Asked, Law, Order};

const NOT_SUPPORTED: u16 = 1235;
/// How many statements stand between two looks at all rows.
const BETWEEN_LOOKS: u64 = 100;
/// Doubles are equal up to this, relative to the larger one.
const NEAR: f64 = 1e-12;

/// Types that are compared as they are called.
const NUMBERS: [&str; 15] = [
    "MYSQL_TYPE_TINY",
    "MYSQL_TYPE_SHORT",
    "MYSQL_TYPE_INT24",
    "MYSQL_TYPE_LONG",
    "MYSQL_TYPE_LONGLONG",
    "MYSQL_TYPE_NEWDECIMAL",
    "MYSQL_TYPE_FLOAT",
    "MYSQL_TYPE_DOUBLE",
    "MYSQL_TYPE_BIT",
    "MYSQL_TYPE_YEAR",
    "MYSQL_TYPE_DATE",
    "MYSQL_TYPE_TIME",
    "MYSQL_TYPE_DATETIME",
    "MYSQL_TYPE_TIMESTAMP",
    "MYSQL_TYPE_JSON",
];

/// Those that differ by their width only; a year that is the key of a ROLLUP becomes one of them.
const INTEGERS: [&str; 6] = [
    "MYSQL_TYPE_TINY",
    "MYSQL_TYPE_SHORT",
    "MYSQL_TYPE_INT24",
    "MYSQL_TYPE_LONG",
    "MYSQL_TYPE_LONGLONG",
    "MYSQL_TYPE_YEAR",
];

/// What came of a sequence.
#[derive(Debug, Default)]
pub(crate) struct Counted {
    pub(crate) statements: u64,
    pub(crate) selects: u64,
    pub(crate) writes: u64,
    pub(crate) refused_selects: u64,
    pub(crate) refused_writes: u64,
    pub(crate) errors: BTreeMap<u16, u64>,
    pub(crate) wrong: Vec<String>,
    /// The refusals' texts and how often each came.
    pub(crate) refusals: BTreeMap<String, u64>,
    /// The last statement.
    last: String,
}

/// Runs `statements` of a seed on the proxy and on one server, until so many answers are wrong.
pub(crate) async fn compare(
    law: &mut Law,
    statements: u64,
    most_wrong: usize,
    proxy: &mut Client,
    oracle: &mut Client,
) -> Counted {
    let mut counted = Counted::default();
    make(law, proxy, oracle).await;
    for number in 0..statements {
        let asked = law.statement();
        let before = counted.wrong.len();
        one(&asked, number, (&mut *proxy, &mut *oracle), &mut law.in_transaction, &mut counted).await;
        let differs = counted.wrong.len() > before;
        if counted.wrong.len() >= most_wrong {
            break;
        }
        if differs || number % BETWEEN_LOOKS == BETWEEN_LOOKS - 1 {
            look(law, number, &asked.sql, proxy, oracle, &mut counted).await;
        }
    }
    counted
}

async fn make(law: &mut Law, proxy: &mut Client, oracle: &mut Client) {
    for sql in law.prepare() {
        proxy.must(&sql).await;
        oracle.must(&sql).await;
    }
}

async fn one(
    asked: &Asked,
    number: u64,
    (proxy, oracle): (&mut Client, &mut Client),
    in_transaction: &mut bool,
    counted: &mut Counted,
) {
    counted.statements += 1;
    counted.selects += u64::from(!asked.writes);
    counted.writes += u64::from(asked.writes);
    let ours = proxy.run(&asked.sql).await;
    if ours.error_number() == NOT_SUPPORTED {
        *counted.refusals.entry(ours.message().to_owned()).or_default() += 1;
        if asked.writes {
            counted.refused_writes += 1;
        } else {
            counted.refused_selects += 1;
            counted.wrong.push(format!("{number}: refused: {}\n  {}", asked.sql, ours.message()));
        }
        return;
    }
    let broken = matches!(ours, Answer::Broken(_));
    let theirs = oracle.run(&asked.sql).await;
    if broken {
        let line = format!("{number}: broke: {}; before it {:?}; {ours:?}", asked.sql, counted.last);
        counted.wrong.push(line);
    }
    counted.last = asked.sql.clone();
    if broken || matches!(theirs, Answer::Broken(_)) {
        proxy.reconnect().await;
        oracle.reconnect().await;
        *in_transaction = false;
    }
    *counted.errors.entry(theirs.error_number()).or_default() += 1;
    let (shown, expected) = (format!("{ours:?}"), format!("{theirs:?}"));
    let (ours, theirs) = if asked.sql.contains("ROLLUP") {
        (all_computed(ours), all_computed(theirs))
    } else {
        (ours, theirs)
    };
    if !equal(ours, theirs, asked.order) {
        counted.wrong.push(format!(
            "{number}: {}\n  proxy:  {}\n  oracle: {}",
            asked.sql,
            short(&shown),
            short(&expected)
        ));
    }
}

fn short(text: &str) -> String {
    text.chars().take(1500).collect()
}

/// Compares all rows, makes them equal again where they are not, and keeps them few.
async fn look(
    law: &mut Law,
    number: u64,
    last: &str,
    proxy: &mut Client,
    oracle: &mut Client,
    counted: &mut Counted,
) {
    for sql in law.contents() {
        let (ours, theirs) = (proxy.run(&sql).await, oracle.run(&sql).await);
        if ours != theirs && !equal(ours.clone(), theirs.clone(), Order::Total) {
            let row = differing(&ours, &theirs);
            counted.wrong.push(format!("{number}: behind {last}\n  {sql} differs: {row}"));
            if law.in_transaction {
                proxy.run("COMMIT").await;
                oracle.run("COMMIT").await;
                law.in_transaction = false;
            }
            make(law, proxy, oracle).await;
            return;
        }
    }
    for sql in law.shrink() {
        let (ours, theirs) = (proxy.run(&sql).await, oracle.run(&sql).await);
        if !equal(ours.clone(), theirs.clone(), Order::Any) {
            counted.wrong.push(format!("{number}: {sql}\n  proxy:  {ours:?}\n  oracle: {theirs:?}"));
        }
    }
}

fn differing(ours: &Answer, theirs: &Answer) -> String {
    let (Answer::Rows { rows: ours, .. }, Answer::Rows { rows: theirs, .. }) = (ours, theirs) else {
        return short(&format!("{ours:?} against {theirs:?}"));
    };
    let found = ours.iter().zip(theirs).find(|(one, two)| one != two);
    short(&format!("{} rows against {}, first {found:?}", ours.len(), theirs.len()))
}

fn equal(ours: Answer, theirs: Answer, order: Order) -> bool {
    if let (Answer::Done { affected: 0, info: said, .. }, Answer::Done { affected: 0, info, .. }) =
        (&ours, &theirs)
        && info.is_empty()
        && said.starts_with("Rows matched: 0")
    {
        // A server that has seen beforehand that no row can match does not say how many did.
        return true;
    }
    let [ours, theirs] = [ours, theirs]
        .map(|answer| super::super::of_values(super::super::comparable(answer, order == Order::Total)));
    if ours == theirs {
        return true;
    }
    let (Answer::Rows { columns, rows, .. }, Answer::Rows { columns: expected, rows: wanted, .. }) =
        (&ours, &theirs)
    else {
        return false;
    };
    let same = |(one, two): (&String, &String)| one == two || computed(one, two);
    if columns.len() != expected.len()
        || !columns.iter().zip(expected).all(same)
        || rows.len() != wanted.len()
    {
        return false;
    }
    let real = |column: &String| column.contains("MYSQL_TYPE_DOUBLE") || column.contains("MYSQL_TYPE_FLOAT");
    let real: Vec<bool> = columns.iter().map(real).collect();
    let cells_equal = |one: &Vec<String>, two: &Vec<String>| {
        let agree = |one, two, real| one == two || real && near(one, two) || is_cut(two);
        one.iter().zip(two).zip(&real).all(|((one, two), real)| agree(one, two, *real))
    };
    if order == Order::Total {
        return rows.iter().zip(wanted).all(|(one, two)| cells_equal(one, two));
    }
    // Sorted as text, rows with sums that differ a little may stand apart.
    let mut left: Vec<&Vec<String>> = wanted.iter().collect();
    rows.iter().all(|row| {
        let found = left.iter().position(|other| cells_equal(row, other));
        found.map(|at| left.swap_remove(at)).is_some()
    })
}

/// The columns by name and type: what a server says beside them of the keys of a ROLLUP depends on its plan.
fn all_computed(answer: Answer) -> Answer {
    let Answer::Rows { columns, rows, warnings } = answer else { return answer };
    let columns = columns.iter().map(|column| {
        let (name, kind) = parts(column);
        format!("`{name}` {kind}")
    });
    Answer::Rows { columns: columns.collect(), rows, warnings }
}

/// A column's name and type. How long a computed text may become, and so which of its types it has, depends on whether
/// it went through a temporary table.
fn parts(column: &str) -> (String, &'static str) {
    let name = column.split('`').nth(1).unwrap_or_default().to_owned();
    let kind = column.split(' ').find(|word| word.starts_with("MYSQL_TYPE")).unwrap_or_default();
    let kinds = [("BLOB", "text"), ("STRING", "text"), ("MYSQL_TYPE_NULL", "null")];
    // On MySQL the same goes for how wide a computed integer is.
    if Flavour::from_env() == Flavour::MySql97 && INTEGERS.contains(&kind) {
        return (name, "integer");
    }
    let known = kinds.iter().find(|(part, _)| kind.ends_with(part)).map(|(_, known)| *known);
    (name, known.unwrap_or_else(|| NUMBERS.iter().find(|known| **known == kind).copied().unwrap_or("other")))
}

/// Whether a column that one server says is computed has the same name and type on both: what a server says of the
/// keys of a ROLLUP depends on whether it has seen beforehand that there are no rows.
fn computed(one: &str, two: &str) -> bool {
    let is_computed = |column: &str| !column.contains(" of ") || column.contains(" of . (");
    (is_computed(one) || is_computed(two)) && parts(one) == parts(two)
}

/// Whether a sum has more digits than a DECIMAL, or had on its way. A server that collects groups in a temporary table makes 65
/// nines of it, and goes on from these with the rows that follow, in whatever order they come; one that reads them in the order of
/// an index does not, and neither does the proxy. What the sum is then nobody can say by it.
fn is_cut(theirs: &str) -> bool {
    let digits = theirs.bytes().filter(u8::is_ascii_digit).count();
    digits == 65 && theirs.bytes().all(|byte| matches!(byte, b'9' | b'.' | b'-'))
}

fn near(one: &str, two: &str) -> bool {
    let number = |text: &str| {
        text.trim_start_matches(|letter: char| letter.is_alphabetic() || letter == '(')
            .trim_end_matches(')')
            .parse::<f64>()
    };
    match (number(one), number(two)) {
        (Ok(one), Ok(two)) => (one - two).abs() <= NEAR * one.abs().max(two.abs()),
        _ => false,
    }
}
