//! Arithmetic: of which operands comes what kind of number.

use sqlparser::ast::BinaryOperator;

use super::Computed;

/// `left op right`.
pub(super) fn arithmetic(left: &Computed, op: &BinaryOperator, right: &Computed) -> Option<Computed> {
    use BinaryOperator::{
        BitwiseAnd, BitwiseOr, BitwiseXor, Divide, Minus, Modulo, Multiply, PGBitwiseShiftLeft,
        PGBitwiseShiftRight, Plus,
    };
    let of_bytes = matches!(left, Computed::Binary(_)) || matches!(right, Computed::Binary(_));
    match op {
        // MySQL has them for bytes, too, whose value is bytes.
        BitwiseAnd | BitwiseOr | BitwiseXor | PGBitwiseShiftLeft | PGBitwiseShiftRight => {
            (!of_bytes).then_some(Computed::Exact)
        }
        Plus | Minus | Multiply | Divide | Modulo => {
            Some(match (operand(left), operand(right)) {
                // How many decimals are printed follows from the operands'.
                (Computed::Short | Computed::Rounded, _) | (_, Computed::Short | Computed::Rounded) => {
                    Computed::Short
                }
                (Computed::Double, _) | (_, Computed::Double) => Computed::Double,
                (Computed::Quotient, _) | (_, Computed::Quotient) => Computed::Quotient,
                _ if *op == Divide => Computed::Quotient,
                _ => Computed::Exact,
            })
        }
        _ => None,
    }
}

/// `- value`.
pub(super) fn negated(value: &Computed) -> Option<Computed> {
    Some(match value {
        Computed::Float => Computed::Short,
        other => operand(other),
    })
}

/// FLOOR and CEILING, and ROUND and TRUNCATE to a number of decimals that is written.
pub(super) fn whole(value: &Computed) -> Option<Computed> {
    Some(match operand(value) {
        Computed::Exact | Computed::Quotient => Computed::Exact,
        _ => Computed::Rounded,
    })
}

/// What arithmetic takes a value for.
fn operand(value: &Computed) -> Computed {
    match value {
        Computed::Null | Computed::Exact | Computed::Bits => Computed::Exact,
        Computed::Date | Computed::DateTime | Computed::Time | Computed::Timestamp => Computed::Exact,
        Computed::Quotient => Computed::Quotient,
        Computed::Double | Computed::Float | Computed::Text(_) | Computed::Binary(_) => Computed::Double,
        Computed::Rounded => Computed::Rounded,
        Computed::Short => Computed::Short,
    }
}
