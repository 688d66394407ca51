//! What the tables of information_schema describe, and in which of their columns names stand.

/// What the rows of a table are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// Schemas: one row each.
    Schemas,
    /// Tables and what belongs to them: shown of the physical table that represents a logical one.
    Tables,
    /// Routines and events: those of the schema's default node.
    Objects,
    /// MySQL's CHECK_CONSTRAINTS, which do not say whose they are.
    Checks,
    /// What every server says alike.
    Server,
    /// Variables, some of which are the proxy's own.
    Variables,
    /// Sessions: the proxy's.
    Sessions,
    /// Privileges: what the config grants.
    Grants,
    /// What a user without privileges sees nothing of.
    Nothing,
}

/// One table.
#[derive(Debug)]
pub(super) struct Shape {
    /// Its name in upper case.
    pub(super) name: &'static str,
    pub(super) scope: Scope,
    /// The column with the schema that the row belongs to.
    pub(super) schema: &'static str,
    /// The column with the table that the row belongs to; empty where there is none.
    pub(super) table: &'static str,
}

/// Columns that hold the name of a schema.
pub(super) const SCHEMA_COLUMNS: [&str; 15] = [
    "SCHEMA_NAME",
    "TABLE_SCHEMA",
    "INDEX_SCHEMA",
    "CONSTRAINT_SCHEMA",
    "UNIQUE_CONSTRAINT_SCHEMA",
    "REFERENCED_TABLE_SCHEMA",
    "ROUTINE_SCHEMA",
    "SPECIFIC_SCHEMA",
    "TRIGGER_SCHEMA",
    "EVENT_OBJECT_SCHEMA",
    "EVENT_SCHEMA",
    "F_TABLE_SCHEMA",
    "G_TABLE_SCHEMA",
    "VIEW_SCHEMA",
    "LIBRARY_SCHEMA",
];

/// Columns that hold the name of a table.
pub(super) const TABLE_COLUMNS: [&str; 5] =
    ["TABLE_NAME", "REFERENCED_TABLE_NAME", "EVENT_OBJECT_TABLE", "F_TABLE_NAME", "G_TABLE_NAME"];

/// Columns with an account, which for what was made through Serval is that of its connections.
pub(super) const ACCOUNT_COLUMNS: [&str; 1] = ["DEFINER"];

/// The shape of a table of a system schema; `None` for what is not shown.
pub(super) fn of(schema: &str, table: &str) -> Option<&'static Shape> {
    let shapes = match schema {
        "information_schema" => SHAPES,
        "performance_schema" => PERFORMANCE,
        "mysql" => MYSQL,
        _ => &[],
    };
    shapes.iter().find(|shape| table.eq_ignore_ascii_case(shape.name))
}

const fn tables(name: &'static str) -> Shape {
    Shape { name, scope: Scope::Tables, schema: "TABLE_SCHEMA", table: "TABLE_NAME" }
}

const fn of_constraints(name: &'static str, scope: Scope) -> Shape {
    Shape { name, scope, schema: "CONSTRAINT_SCHEMA", table: "TABLE_NAME" }
}

const fn objects(name: &'static str, schema: &'static str) -> Shape {
    Shape { name, scope: Scope::Objects, schema, table: "" }
}

const fn plain(name: &'static str, scope: Scope) -> Shape {
    Shape { name, scope, schema: "", table: "" }
}

const SHAPES: &[Shape] = &[
    Shape { name: "SCHEMATA", scope: Scope::Schemas, schema: "SCHEMA_NAME", table: "" },
    Shape { name: "SCHEMATA_EXTENSIONS", scope: Scope::Schemas, schema: "SCHEMA_NAME", table: "" },
    tables("TABLES"),
    tables("TABLES_EXTENSIONS"),
    tables("COLUMNS"),
    tables("COLUMNS_EXTENSIONS"),
    tables("STATISTICS"),
    tables("KEY_COLUMN_USAGE"),
    tables("TABLE_CONSTRAINTS"),
    tables("PARTITIONS"),
    tables("VIEWS"),
    tables("ST_GEOMETRY_COLUMNS"),
    of_constraints("REFERENTIAL_CONSTRAINTS", Scope::Tables),
    of_constraints("TABLE_CONSTRAINTS_EXTENSIONS", Scope::Tables),
    of_constraints("CHECK_CONSTRAINTS", Scope::Checks),
    Shape { name: "TRIGGERS", scope: Scope::Tables, schema: "TRIGGER_SCHEMA", table: "EVENT_OBJECT_TABLE" },
    Shape { name: "GEOMETRY_COLUMNS", scope: Scope::Tables, schema: "F_TABLE_SCHEMA", table: "F_TABLE_NAME" },
    objects("ROUTINES", "ROUTINE_SCHEMA"),
    objects("PARAMETERS", "SPECIFIC_SCHEMA"),
    objects("EVENTS", "EVENT_SCHEMA"),
    objects("LIBRARIES", "LIBRARY_SCHEMA"),
    objects("ROUTINE_LIBRARIES", "ROUTINE_SCHEMA"),
    plain("ENGINES", Scope::Server),
    plain("CHARACTER_SETS", Scope::Server),
    plain("COLLATIONS", Scope::Server),
    plain("COLLATION_CHARACTER_SET_APPLICABILITY", Scope::Server),
    plain("KEYWORDS", Scope::Server),
    plain("SQL_FUNCTIONS", Scope::Server),
    plain("PLUGINS", Scope::Server),
    plain("ALL_PLUGINS", Scope::Server),
    plain("ST_SPATIAL_REFERENCE_SYSTEMS", Scope::Server),
    plain("ST_UNITS_OF_MEASURE", Scope::Server),
    plain("SPATIAL_REF_SYS", Scope::Server),
    plain("SYSTEM_VARIABLES", Scope::Variables),
    plain("GLOBAL_VARIABLES", Scope::Variables),
    plain("SESSION_VARIABLES", Scope::Variables),
    plain("GLOBAL_STATUS", Scope::Variables),
    plain("SESSION_STATUS", Scope::Variables),
    plain("PROCESSLIST", Scope::Sessions),
    plain("USER_PRIVILEGES", Scope::Grants),
    plain("SCHEMA_PRIVILEGES", Scope::Grants),
    plain("TABLE_PRIVILEGES", Scope::Nothing),
    plain("COLUMN_PRIVILEGES", Scope::Nothing),
    plain("FILES", Scope::Nothing),
    plain("TABLESPACES", Scope::Nothing),
    plain("TABLESPACES_EXTENSIONS", Scope::Nothing),
    plain("COLUMN_STATISTICS", Scope::Nothing),
    plain("OPTIMIZER_TRACE", Scope::Nothing),
    plain("PROFILING", Scope::Nothing),
    plain("APPLICABLE_ROLES", Scope::Nothing),
    plain("ENABLED_ROLES", Scope::Nothing),
    plain("ADMINISTRABLE_ROLE_AUTHORIZATIONS", Scope::Nothing),
    plain("ROLE_TABLE_GRANTS", Scope::Nothing),
    plain("ROLE_COLUMN_GRANTS", Scope::Nothing),
    plain("ROLE_ROUTINE_GRANTS", Scope::Nothing),
    plain("USER_ATTRIBUTES", Scope::Nothing),
    plain("RESOURCE_GROUPS", Scope::Nothing),
];

/// What clients probe: a server lets everybody read these.
const PERFORMANCE: &[Shape] = &[
    plain("SESSION_VARIABLES", Scope::Variables),
    plain("GLOBAL_VARIABLES", Scope::Variables),
    plain("SESSION_STATUS", Scope::Variables),
    plain("GLOBAL_STATUS", Scope::Variables),
    plain("PROCESSLIST", Scope::Sessions),
    // MySQL's dump tool asks for it.
    plain("COLUMN_MASKING_POLICY", Scope::Nothing),
];

/// Time zones are looked up by frameworks to know whether CONVERT_TZ can be used.
const MYSQL: &[Shape] = &[
    plain("TIME_ZONE", Scope::Server),
    plain("TIME_ZONE_NAME", Scope::Server),
    plain("TIME_ZONE_TRANSITION", Scope::Server),
    plain("TIME_ZONE_TRANSITION_TYPE", Scope::Server),
    plain("TIME_ZONE_LEAP_SECOND", Scope::Server),
];
