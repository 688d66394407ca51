//! Every shard function, with each way in which a client can write a value: all of them lie in one table of one node,
//! and each of them finds all of them.

use mysql_async::Value;
use serval_tests::{Topology, World};

/// A rule, by its function and options, and the columns of tables under it.
struct Case {
    name: &'static str,
    rule: &'static str,
    columns: &'static [Column],
}

/// What a sharding column is.
#[derive(Clone, Copy)]
enum Column {
    Int,
    Unsigned,
    Decimal,
    Text,
    Bytes,
    Date,
    DateTime,
    Timestamp,
}

use Column::{Bytes, Date, DateTime, Decimal, Int, Text, Timestamp, Unsigned};

const NUMBERS: &[Column] = &[Int, Unsigned, Decimal];
const SPELT: &[Column] = &[Int, Unsigned, Decimal, Text];
const DATES: &[Column] = &[Date, DateTime, Timestamp];

/// All functions. 12 is the number that is written.
const CASES: [Case; 24] = [
    Case {
        name: "hash",
        rule: "function = \"hash\"",
        columns: &[Int, Unsigned, Decimal, Text, Bytes, Date, DateTime],
    },
    Case {
        name: "consistent",
        rule: "function = \"consistent\"",
        columns: &[Int, Unsigned, Decimal, Text, Bytes, Date, DateTime],
    },
    Case { name: "mod", rule: "function = \"mod\"", columns: NUMBERS },
    Case {
        name: "range",
        rule: "function = \"range\"\nranges = { dn0 = \"min to 11\", dn2 = \"12 to max\" }",
        columns: SPELT,
    },
    Case {
        name: "range_mod",
        rule: "function = \"range_mod\"\ngroups = { \"0-9\" = 1, \"10 to max\" = 3 }",
        columns: NUMBERS,
    },
    Case { name: "list", rule: "function = \"list\"\nvalues = { dn0 = [1], dn3 = [12] }", columns: SPELT },
    Case { name: "segments", rule: "function = \"segments\"\ncounts = [4]\nlengths = [256]", columns: SPELT },
    Case {
        name: "string_hash",
        rule: "function = \"string_hash\"\ncounts = [4]\nlengths = [256]",
        columns: SPELT,
    },
    Case { name: "murmur", rule: "function = \"murmur\"\ncumulative = true", columns: SPELT },
    Case { name: "jump", rule: "function = \"jump\"", columns: SPELT },
    Case { name: "wang_mod", rule: "function = \"wang_mod\"", columns: SPELT },
    Case { name: "crc32_slots", rule: "function = \"crc32_slots\"", columns: SPELT },
    Case {
        name: "crc32_mod",
        rule: "function = \"crc32_mod\"\ntables = \"{table}_{nn}\"\ntables_per_node = 3",
        columns: SPELT,
    },
    Case {
        name: "pattern",
        rule: "function = \"pattern\"\nmodulus = 16\nranges = { dn0 = \"0-7\", dn1 = \"8-15\" }",
        columns: SPELT,
    },
    Case {
        name: "prefix_pattern",
        rule: "function = \"prefix_pattern\"\nlength = 2\nmodulus = 4\nranges = { dn0 = \"0-1\", dn1 = \"2-3\" }",
        columns: SPELT,
    },
    Case { name: "substring", rule: "function = \"substring\"\nstart = 1\nsize = 1", columns: SPELT },
    Case { name: "text_mod", rule: "function = \"mod\"\ntext = \"java_hash\"", columns: SPELT },
    Case {
        name: "hour",
        rule: "function = \"hour\"\nfrom = \"2026-03-05 00\"\nto = \"2026-03-06 23\"\ntables = \"{table}_{yyyymmdd}_{hh}\"",
        columns: &[DateTime, Timestamp],
    },
    Case {
        name: "day",
        rule: "function = \"day\"\nfrom = \"2026-03-01\"\nto = \"2026-03-31\"\ntables = \"{table}_{yyyymmdd}\"",
        columns: DATES,
    },
    Case {
        name: "date",
        rule: "function = \"date\"\nfrom = \"2026-03-01\"\nto = \"2026-03-31\"\ndays = 3",
        columns: DATES,
    },
    Case {
        name: "week",
        rule: "function = \"week\"\nfrom = \"2026-W01\"\nto = \"2026-W20\"\ntables = \"{table}_{yyyyww}\"",
        columns: DATES,
    },
    Case {
        name: "month",
        rule: "function = \"month\"\nfrom = \"2026-01\"\nto = \"2026-12\"\ntables = \"{table}_{yyyymm}\"",
        columns: DATES,
    },
    Case { name: "year", rule: "function = \"year\"\nfrom = \"2020\"\nto = \"2030\"", columns: DATES },
    Case {
        name: "nested",
        rule: "function = \"hash\"\ninside = { function = \"mod\", column = \"n\", tables = \"{table}_{n}\", tables_per_node = 2 }",
        columns: &[Int, Text, DateTime],
    },
];

impl Column {
    const fn word(self) -> &'static str {
        match self {
            Int => "int",
            Unsigned => "unsigned",
            Decimal => "decimal",
            Text => "text",
            Bytes => "bytes",
            Date => "date",
            DateTime => "datetime",
            Timestamp => "timestamp",
        }
    }

    const fn definition(self) -> &'static str {
        match self {
            Int => "INT",
            Unsigned => "BIGINT UNSIGNED",
            Decimal => "DECIMAL(20,0)",
            Text => "VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
            Bytes => "VARBINARY(40)",
            Date => "DATE",
            DateTime => "DATETIME",
            Timestamp => "TIMESTAMP NULL",
        }
    }

    /// One value as SQL text can write it.
    const fn literals(self) -> &'static [&'static str] {
        match self {
            Int | Unsigned | Decimal => {
                &["12", "'12'", "12.0", "' 12'", "+12", "1.2e1", "0x0C", "b'1100'", "TRUE + 11"]
            }
            Text | Bytes => &["'12'", "\"12\"", "12", "_utf8mb4'12'", "x'3132'", "'1' '2'"],
            Date => {
                &["'2026-03-05'", "20260305", "'20260305'", "'2026/3/5'", "'26-03-05'", "DATE '2026-03-05'"]
            }
            DateTime | Timestamp => &[
                "'2026-03-05 10:11:12'",
                "20260305101112",
                "'20260305101112'",
                "'2026/03/05 10:11:12'",
                "'2026-03-05T10:11:12'",
                "TIMESTAMP '2026-03-05 10:11:12'",
            ],
        }
    }

    /// The same as a parameter of every type that clients bind.
    fn parameters(self) -> Vec<Value> {
        let date = |hour, minute, second| Value::Date(2026, 3, 5, hour, minute, second, 0);
        match self {
            Int | Unsigned | Decimal => vec![
                Value::Int(12),
                Value::UInt(12),
                Value::Bytes(b"12".to_vec()),
                Value::Bytes(b"12.0".to_vec()),
                Value::Double(12.0),
                Value::Float(12.0),
            ],
            Text | Bytes => vec![Value::Bytes(b"12".to_vec()), Value::Int(12), Value::UInt(12)],
            Date => vec![date(0, 0, 0), Value::Bytes(b"2026-03-05".to_vec()), Value::Int(20_260_305)],
            DateTime | Timestamp => vec![
                date(10, 11, 12),
                Value::Bytes(b"2026-03-05 10:11:12".to_vec()),
                Value::Int(20_260_305_101_112),
            ],
        }
    }
}

fn topology(schema: &str) -> Topology {
    let (mut tables, mut rules) = (String::new(), String::new());
    for case in &CASES {
        for column in case.columns {
            tables += &format!("f_{}_{} = {{ rule = \"f_{}\" }}\n", case.name, column.word(), case.name);
        }
        rules += &format!(
            "[rules.f_{}]\nnodes = \"dn[0-3]\"\ncolumn = \"k\"\ntime_zone = \"+00:00\"\n{}\n",
            case.name, case.rule
        );
    }
    let mut topology = Topology::new(schema);
    topology.more = tables + &rules;
    topology
}

/// How many rows each physical table of a logical one has, where it has any.
async fn places(world: &World, table: &str) -> Vec<(String, usize)> {
    let mut places = Vec::new();
    for node in 0..4 {
        let names = format!(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = '$db' AND (table_name = '{table}' \
             OR table_name REGEXP '^{table}_[0-9_]+$')"
        );
        for name in world.on_node(node, &names).await {
            let rows = world.on_node(node, &format!("SELECT COUNT(*) FROM $db.{name}")).await;
            let rows: usize = rows[0].parse().expect("a number");
            places.extend((rows > 0).then(|| (format!("dn{node}.{name}"), rows)));
        }
    }
    places
}

#[tokio::test]
async fn every_form_of_a_value_lies_in_one_place() {
    let world = World::with(topology("place_forms")).await;
    let mut client = world.client().await;
    let mut wrong = Vec::new();
    for (case, column) in CASES.iter().flat_map(|case| case.columns.iter().map(move |column| (case, *column)))
    {
        let table = format!("f_{}_{}", case.name, column.word());
        client.must(&format!("CREATE TABLE {table} (k {}, n INT NOT NULL)", column.definition())).await;
        let mut stored = 0;
        let mut refused = Vec::new();
        for literal in column.literals() {
            let answer = client.run(&format!("INSERT INTO {table} (k, n) VALUES ({literal}, 4)")).await;
            match answer.error_number() {
                0 => stored += 1,
                1235 | 1526 => refused.push((*literal).to_owned()),
                other => wrong.push(format!("{table}: {literal} gets {other}")),
            }
        }
        for value in column.parameters() {
            let answer = client
                .execute(&format!("INSERT INTO {table} (n, k) VALUES (4, ?)"), std::slice::from_ref(&value))
                .await;
            match answer.error_number() {
                0 => stored += 1,
                1235 | 1526 => refused.push(format!("{value:?}")),
                other => wrong.push(format!("{table}: {value:?} gets {other}")),
            }
        }
        let answer = client.run(&format!("INSERT INTO {table} (k, n) VALUES (NULL, 4)")).await;
        if answer.error_number() != 1048 {
            wrong.push(format!("{table}: NULL gets {answer:?}"));
        }
        let places = places(&world, &table).await;
        if places.len() != 1 || places[0].1 != stored || stored < 6.min(column.literals().len() - 1) {
            wrong.push(format!("{table}: {stored} rows lie in {places:?}, refused {refused:?}"));
        }
        for literal in column.literals() {
            let found = client.rows(&format!("SELECT COUNT(*) FROM {table} WHERE k = {literal}")).await;
            if found != [[stored.to_string()]] && !literal.starts_with("x'") {
                wrong.push(format!("{table}: {literal} finds {found:?} of {stored}"));
            }
        }
        for value in column.parameters() {
            let sql = format!("SELECT COUNT(*) FROM {table} WHERE k = ?");
            let answer = client.execute(&sql, std::slice::from_ref(&value)).await;
            if answer.error_number() != 0 || answer.rows() != [[format!("Int({stored})")]] {
                wrong.push(format!("{table}: {value:?} finds {answer:?} of {stored}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
