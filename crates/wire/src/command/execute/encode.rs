//! COM_STMT_EXECUTE for a server.

use super::Parameters;
use crate::WireError;
use crate::binary_row;
use crate::command::code;

/// Encodes the command's payload for the statement that a server knows by this id.
///
/// `selection` says which parameters go to the server's parameters, in its order; one may go to several, or to none.
/// Types are always sent, in the form that every server knows ([`ParameterType::portable`]), so nothing depends on
/// what another session executed on the connection before. Long data goes along as a value.
///
/// # Errors
/// [`WireError::WrongArguments`] for a position that is no parameter's, [`WireError::Malformed`] for bytes that are
/// not of their type, which no decoded parameter has. `out` is then of no use.
///
/// [`ParameterType::portable`]: super::ParameterType::portable
pub fn encode_execute(
    statement: u32,
    cursor: u8,
    parameters: &Parameters,
    selection: &[u16],
    out: &mut Vec<u8>,
) -> Result<(), WireError> {
    out.push(code::COM_STMT_EXECUTE);
    out.extend_from_slice(&statement.to_le_bytes());
    out.push(cursor);
    out.extend_from_slice(&1_u32.to_le_bytes());
    if selection.is_empty() {
        return Ok(());
    }
    write_nulls(parameters, selection, out);
    out.push(1);
    for position in selection {
        let parameter_type = parameters.types.get(usize::from(*position));
        let unknown = WireError::WrongArguments { what: "selection of a parameter" };
        parameter_type.ok_or(unknown)?.portable().encode(out);
    }
    for position in selection.iter().map(|position| usize::from(*position)) {
        if let (Some(bytes), Some(parameter_type)) =
            (parameters.raw(position), parameters.types.get(position))
        {
            binary_row::write(out, parameter_type.column_type, bytes)?;
        }
    }
    Ok(())
}

fn write_nulls(parameters: &Parameters, selection: &[u16], out: &mut Vec<u8>) {
    for eight in selection.chunks(8) {
        let bits = eight.iter().enumerate().map(|(bit, position)| {
            let null = parameters.raw(usize::from(*position)).is_none();
            u8::from(null) << bit
        });
        out.push(bits.fold(0, |byte, bit| byte | bit));
    }
}
