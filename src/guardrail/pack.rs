//! Statements into policies. Each statement denies by itself, so that it does not matter which policy holds it.

use super::statement::{Condition, FRAME, Statement};

/// Puts statements into policies of at most `most` characters, at most `count` of them, the first that has room; gives
/// those that found none.
pub(super) fn pack(statements: Vec<Statement>, most: usize, count: usize) -> (Vec<Vec<Statement>>, Vec<Statement>) {
    let mut policies: Vec<(usize, Vec<Statement>)> = Vec::new();
    let mut left_out = Vec::new();
    for statement in statements.into_iter().flat_map(|statement| pieces(statement, most)) {
        let size = statement.size();
        // A comma stands before all but the first.
        if let Some((used, policy)) = policies.iter_mut().find(|(used, _)| used + 1 + size <= most) {
            *used += 1 + size;
            policy.push(statement);
        } else if policies.len() < count && FRAME + size <= most {
            policies.push((FRAME + size, vec![statement]));
        } else {
            left_out.push(statement);
        }
    }
    (policies.into_iter().map(|(_, policy)| policy).collect(), left_out)
}

/// A statement that narrows several principals says the same as one for each half of them.
fn pieces(statement: Statement, most: usize) -> Vec<Statement> {
    let principals = statement.narrows().map_or(0, |principals| principals.values.len());
    if FRAME + statement.size() <= most || principals < 2 {
        return vec![statement];
    }
    let half = |name: &str, take: std::ops::Range<usize>| {
        let mut piece = statement.clone();
        piece.sid.push_str(name);
        if let Some(Condition { values, .. }) = piece.narrows_mut() {
            *values = values.get(take).unwrap_or_default().to_vec();
        }
        piece
    };
    let halves = [half("A", 0..principals / 2), half("B", principals / 2..principals)];
    halves.into_iter().flat_map(|piece| pieces(piece, most)).collect()
}
