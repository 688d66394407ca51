//! schema.xml: schemas and tables.

use roxmltree::Node as Element;

use super::functions::{self, Use};
use super::rules::Rules;
use super::{Import, attribute, children, is_true, names};
use crate::draft::{Schema, Table, inline, list, quoted};

const FILE: &str = "schema.xml";

/// A sharded table, for the children that follow it. A child that holds the column which places its parent's rows has the
/// parent's rule; any other one lies where the parent's row lies.
struct Parent {
    name: String,
    /// The rule, unless it follows a parent itself.
    rule: Option<String>,
    /// The column that decides where its rows lie.
    column: String,
}

impl Import<'_> {
    pub(super) fn schemas(&mut self, root: Element<'_, '_>, rule_root: Element<'_, '_>) {
        let rules = Rules::read(rule_root);
        for host in children(root, "dataHost") {
            self.data_host(host);
        }
        for node in children(root, "dataNode") {
            self.data_node(node);
        }
        for schema in children(root, "schema") {
            self.schema(schema, &rules);
        }
    }

    fn schema(&mut self, element: Element<'_, '_>, rules: &Rules) {
        let Some(name) = attribute(element, "name") else {
            return self.draft.refuse(FILE, "<schema>", "it has no name");
        };
        let mut schema = Schema::default();
        if let Some(node) = attribute(element, "dataNode") {
            if self.draft.nodes.contains_key(node) {
                schema.default_node = Some(node.to_owned());
            } else {
                let shown = format!("<schema name=\"{name}\">");
                self.draft.refuse(FILE, shown, format!("its dataNode `{node}` is not defined, or refused"));
            }
        }
        if attribute(element, "randomDataNode").is_some() {
            schema
                .notes
                .push("randomDataNode is not kept: tables that are not named have no node.".to_owned());
        }
        if attribute(element, "sqlMaxLimit").is_some_and(|limit| limit != "-1") {
            schema.notes.push("sqlMaxLimit is not kept: results are whole, as a MySQL server's.".to_owned());
        }
        self.draft.schemas.insert(name.to_owned(), schema);
        for table in children(element, "table") {
            self.table(name, table, rules);
        }
        self.reads(name);
    }

    /// Whether the replicas of all the groups that the schema reaches take reads.
    fn reads(&mut self, schema: &str) {
        let split = self.any_server.values().filter(|&&any| any).count();
        let all = split == self.any_server.len();
        let Some(schema) = self.draft.schemas.get_mut(schema) else { return };
        schema.any_server_reads = split > 0 && all;
        if split > 0 && !all {
            schema.notes.push(
                "Only some dataHosts had a `balance` other than 0: reads go to the primaries until this says `consistency = \"any\"`.".to_owned(),
            );
        }
    }

    fn table(&mut self, schema: &str, element: Element<'_, '_>, rules: &Rules) {
        let name = attribute(element, "name").unwrap_or_default();
        let several = is_true(element, "splitTableNames");
        let names: Vec<&str> = if several { name.split(',').map(str::trim).collect() } else { vec![name] };
        for name in names {
            match self.placed(schema, name, element, rules) {
                Ok(parent) => self.child_tables(schema, element, parent.as_ref()),
                Err(reason) => {
                    self.draft.refuse_table(FILE, schema, shown(schema, name), reason);
                    self.child_tables(schema, element, None);
                }
            }
        }
    }

    /// Writes the table down; its rule, if it is sharded.
    fn placed(
        &mut self,
        schema: &str,
        name: &str,
        element: Element<'_, '_>,
        rules: &Rules,
    ) -> Result<Option<Parent>, String> {
        for (key, why) in [
            (
                "subTables",
                "tables inside a node: name them by `tables` in a rule of Serval's, if its pattern fits",
            ),
            ("nameSuffix", "tables by date: use a rule of Serval's calendar with `tables`"),
        ] {
            if attribute(element, key).is_some() {
                return Err(format!("{key}: {why}"));
            }
        }
        let nodes = attribute(element, "dataNode").unwrap_or_default();
        if nodes.starts_with("distribute(") {
            return Err(
                "distribute(…) deals nodes by host: write the nodes out in the order that Mycat logs"
                    .to_owned(),
            );
        }
        let nodes = names::expand(nodes)?;
        if let Some(unknown) = nodes.iter().find(|node| !self.draft.nodes.contains_key(*node)) {
            return Err(format!("its dataNode `{unknown}` is not defined, or refused"));
        }
        let global = attribute(element, "type").is_some_and(|kind| kind.eq_ignore_ascii_case("global"));
        match (attribute(element, "rule"), nodes.as_slice()) {
            (_, []) => Err("it has no dataNode".to_owned()),
            _ if global => self.insert(schema, name, Vec::new(), &[("global", list(&nodes))]),
            (None, [node]) => self.insert(schema, name, Vec::new(), &[("node", quoted(node))]),
            (None, _) => {
                Err("it has several dataNodes and no rule, so where a row lies is not said".to_owned())
            }
            (Some(rule), _) => self.sharded(schema, name, (rule, &nodes), element, rules).map(Some),
        }
        .map(|parent| parent.filter(|_| !global))
    }

    fn sharded(
        &mut self,
        schema: &str,
        name: &str,
        (rule_name, nodes): (&str, &[String]),
        element: Element<'_, '_>,
        rules: &Rules,
    ) -> Result<Parent, String> {
        let rule =
            rules.rules.get(rule_name).ok_or_else(|| format!("its rule `{rule_name}` is not in rule.xml"))?;
        let function = rules.functions.get(&rule.function).ok_or_else(|| {
            format!("the function `{}` of its rule `{rule_name}` is not in rule.xml", rule.function)
        })?;
        if rule.column.is_empty() || rule.column.contains(',') {
            return Err(format!(
                "the columns `{}` of its rule `{rule_name}` are not one column",
                rule.column
            ));
        }
        let slots_file = format!("{rule_name}_{schema}_{}", name.to_uppercase());
        let converted = functions::convert(&Use { function, nodes, slots_file, read: self.read })
            .map_err(|reason| format!("rule.xml <function name=\"{}\">: {reason}", function.name))?;
        let rule_name = self.draft.rule(rule_name, converted);
        let mut pairs = vec![("rule", quoted(&rule_name)), ("column", quoted(&rule.column))];
        let mut notes = Vec::new();
        if is_true(element, "autoIncrement") {
            notes.push(format!(
                "{name}: Serval fills its AUTO_INCREMENT column; the numbers must begin above those in use (serval_sequence)."
            ));
            let key = attribute(element, "primaryKey").unwrap_or_default();
            if !key.eq_ignore_ascii_case(&rule.column) {
                pairs.push(("unique", quoted("sequence")));
            }
        }
        self.insert(schema, name, notes, &pairs)?;
        let name = name.trim_matches('`').to_owned();
        Ok(Parent { name, rule: Some(rule_name), column: rule.column.clone() })
    }

    /// Tables that lie where their parent's rows lie: with the parent's rule, by a column of their own.
    fn child_tables(&mut self, schema: &str, element: Element<'_, '_>, parent: Option<&Parent>) {
        for child in children(element, "childTable") {
            let name = attribute(child, "name").unwrap_or_default();
            match self.child(schema, name, child, parent) {
                Ok(own) => self.child_tables(schema, child, Some(&own)),
                Err(reason) => {
                    let element = shown(schema, name).replace("<table", "<childTable");
                    self.draft.refuse_table(FILE, schema, element, reason);
                    self.child_tables(schema, child, None);
                }
            }
        }
    }

    fn child(
        &mut self,
        schema: &str,
        name: &str,
        element: Element<'_, '_>,
        parent: Option<&Parent>,
    ) -> Result<Parent, String> {
        let parent = parent.ok_or("its parent is refused, or not sharded")?;
        let parent_key = attribute(element, "parentKey").ok_or("it has no parentKey")?;
        let column = attribute(element, "joinKey").ok_or("it has no joinKey")?;
        let own = Parent { name: name.trim_matches('`').to_owned(), rule: None, column: column.to_owned() };
        let Some(rule) = parent.rule.as_ref().filter(|_| parent_key.eq_ignore_ascii_case(&parent.column))
        else {
            let pairs = [
                ("parent", quoted(&parent.name)),
                ("column", quoted(column)),
                ("parent_column", quoted(parent_key)),
            ];
            let note = format!(
                "{name}: `{parent_key}` must be a unique key of {}, and the rows' own parents must be there before them.",
                parent.name
            );
            self.insert(schema, name, vec![note], &pairs)?;
            return Ok(own);
        };
        self.insert(schema, name, Vec::new(), &[("rule", quoted(rule)), ("column", quoted(column))])?;
        Ok(Parent { rule: Some(rule.clone()), ..own })
    }

    fn insert(
        &mut self,
        schema: &str,
        name: &str,
        notes: Vec<String>,
        pairs: &[(&str, String)],
    ) -> Result<Option<Parent>, String> {
        // Mycat compares names in upper case.
        let name = name.trim_matches('`');
        let tables = &mut self.draft.schemas.get_mut(schema).ok_or("its schema is refused")?.tables;
        if name.is_empty() || tables.keys().any(|known| known.eq_ignore_ascii_case(name)) {
            return Err("it has no name, or one that is taken".to_owned());
        }
        let pairs: Vec<(String, String)> =
            pairs.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
        tables.insert(name.to_owned(), Table { notes, value: inline(&pairs) });
        Ok(None)
    }
}

fn shown(schema: &str, table: &str) -> String {
    format!("<schema name=\"{schema}\"> <table name=\"{table}\">")
}
