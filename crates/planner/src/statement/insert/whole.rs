//! An INSERT whose text is not split.

use std::sync::Arc;

use serval_sql::Template;
use sqlparser::ast::Insert;

use super::refused::refuse_unequal_copies;
use crate::analysis::Analysis;
use crate::destination::Destination;
use crate::error::PlanError;
use crate::physical::{Renaming, name_slots};
use crate::plan::{Kind, Plan};
use crate::statement::Planning;
use crate::statement::routed::{RoutedPlan, Several, copies};

/// An INSERT whose text is not split: into a table that is not sharded, or from a SELECT.
pub(super) fn plan_whole(
    planning: Planning<'_>,
    insert: &Insert,
    analysis: &Analysis,
) -> Result<Plan, PlanError> {
    let target = &analysis.refs[0];
    let (edits, names) = name_slots(planning.sql, analysis, Renaming::Qualifiers);
    let several = match copies(&target.table.table.placement) {
        Some(nodes) => {
            refuse_unequal_copies(planning, insert, analysis)?;
            match insert.returning {
                Some(_) => Several::CopiesReturning(nodes.to_vec()),
                None => Several::Copies(nodes.to_vec()),
            }
        }
        None => Several::Refused(format!(
            "INSERT … SELECT into or from several shards is no single step; SELECT the rows and insert them into {} \
             with VALUES",
            target.exposed
        )),
    };
    let kind = Kind::Routed(RoutedPlan {
        destination: Destination::of(&analysis.refs, planning.home())?,
        single: Template::build(planning.sql, planning.scan, &edits),
        names,
        several,
        counts_all: false,
        replica_safe: false,
        single_notes: Arc::new([]),
    });
    Ok(planning.planned(analysis, Vec::new(), kind))
}
