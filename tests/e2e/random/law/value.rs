//! Expressions that are selected.

use super::Law;
use super::column::Class;
use super::schema::Table;

/// What can be shown as text, and ordered with itself.
const SHOWN: &[Class] = &[Class::Exact, Class::Huge, Class::Moment, Class::Member];

impl Law {
    /// An expression over one table's row, under a name.
    pub(super) fn value(&mut self, name: &str, table: &Table) -> String {
        let of = |column: super::column::Column| format!("{name}.{}", column.name);
        match self.dice.below(24) {
            0 => format!("{name}.k + {}", self.dice.below(5)),
            1 => format!("COALESCE({name}.k, {name}.id)"),
            2 => format!("CONCAT({}, '-')", of(table.of(&[Class::Text], &mut self.dice))),
            3 => format!("UPPER({})", of(table.of(&[Class::Text], &mut self.dice))),
            4 => format!("HEX({})", of(table.of(&[Class::Text, Class::Bytes, Class::Bit], &mut self.dice))),
            5 => format!("CHAR_LENGTH({})", of(table.of(&[Class::Text], &mut self.dice))),
            6 => format!("IF({}, 'yes', {name}.k)", self.condition(&[(name, table)], 1)),
            7 => {
                let column = of(table.of(&[Class::Exact], &mut self.dice));
                format!("CASE {name}.k WHEN 1 THEN 'one' WHEN {} THEN {column} END", self.dice.below(5))
            }
            8 => format!("CAST({} AS CHAR)", of(table.of(SHOWN, &mut self.dice))),
            9 => format!("{} IS NULL", of(table.column(&mut self.dice))),
            10 => format!("{name}.k % 3 = 0"),
            11 => format!("-{name}.k"),
            12 => format!(
                "{} {} {}",
                of(table.of(&[Class::Real], &mut self.dice)),
                self.dice.one_of(&["+", "*", "-"]),
                self.dice.below(4)
            ),
            13 => format!(
                "IFNULL({}, {})",
                of(table.of(&[Class::Exact], &mut self.dice)),
                of(table.of(&[Class::Exact], &mut self.dice))
            ),
            _ => of(table.column(&mut self.dice)),
        }
    }

    /// An aggregate over a group of rows of these tables.
    pub(super) fn aggregated(&mut self, tables: &[(&str, &Table)]) -> String {
        let (name, table) = self.dice.one_of(tables);
        if self.dice.once_in(8) {
            return self.computed(name, table);
        }
        let mut of = |classes: &[Class]| format!("{name}.{}", table.of(classes, &mut self.dice).name);
        let (exact, real) = (of(&[Class::Exact]), of(&[Class::Real]));
        let plain = of(&[Class::Exact, Class::Huge, Class::Moment]);
        let least = format!("{name}.{}", table.least(&mut self.dice).name);
        let any = format!("{name}.{}", table.column(&mut self.dice).name);
        match self.dice.below(19) {
            0 | 1 => "COUNT(*)".to_owned(),
            2 => format!("COUNT({any})"),
            3 => format!("COUNT(DISTINCT {any})"),
            4 | 5 => format!("SUM({exact})"),
            6 => format!("SUM({real})"),
            7 => format!("MIN({least})"),
            8 => format!("MAX({least})"),
            9 => format!("AVG({exact})"),
            10 => format!("AVG({real})"),
            11 => format!("MIN({real})"),
            12 => format!("GROUP_CONCAT(DISTINCT {plain} ORDER BY {plain} DESC SEPARATOR '/')"),
            13 => format!("SUM(DISTINCT {exact})"),
            14 => format!("{}({name}.k)", self.dice.one_of(&["BIT_AND", "BIT_OR", "BIT_XOR"])),
            15 => format!("{}({name}.k)", self.dice.one_of(&["STDDEV_POP", "VAR_SAMP", "VARIANCE", "STD"])),
            16 => format!("SUM({name}.k) + COUNT(*)"),
            17 => format!("MAX({name}.k) - MIN({name}.k)"),
            _ => format!("SUM(CASE WHEN {} THEN 1 ELSE 0 END)", self.condition(tables, 1)),
        }
    }
}
