//! User variables, as far as they say where a statement goes: `WHERE id = @id`.

use serval_types::Value;
use sqlparser::ast::Expr;

use crate::operand::Operand;

/// What a session's variables are. The statement still names them, so that each server reads its own copy.
pub trait UserVariables: std::fmt::Debug + Sync {
    /// The value of one, whose name is in lower case and begins with @; `None` where its text does not tell what a column
    /// would be compared with.
    fn value(&self, name: &str) -> Option<Value>;
}

/// The user variable that an expression is.
pub(crate) fn variable(expr: &Expr) -> Option<Operand> {
    match expr {
        Expr::Nested(inner) => variable(inner),
        Expr::Identifier(name) if name.quote_style.is_none() => {
            let plain =
                name.value.strip_prefix('@').filter(|rest| !rest.starts_with(['@', '`', '\'', '"']))?;
            (!plain.is_empty()).then(|| Operand::Variable(name.value.to_lowercase().into()))
        }
        _ => None,
    }
}
