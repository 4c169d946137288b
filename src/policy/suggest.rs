//! "Did you mean": the nearest of some known words.

/// A suggestion for a word that is none of `known`: the nearest, else what there is to choose from.
pub(super) fn instead_of<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    if let Some(near) = nearest(word, known.iter().copied()) {
        return format!("did you mean `{near}`?");
    }
    match known.len() {
        0 => String::new(),
        1..=14 => format!("known are: {}", known.join(", ")),
        more => format!("known are: {}, and {} more", known[..12].join(", "), more - 12),
    }
}

/// The known word that a typing error would most likely have come from.
pub(super) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = word.chars().count().max(3) / 3;
    known
        .into_iter()
        .map(|candidate| {
            let distance = distance(&word.to_lowercase(), &candidate.to_lowercase());
            (distance, candidate)
        })
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, candidate)| candidate)
}

/// How many characters to insert, delete, replace or swap with their neighbour.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=right.len()).collect();
    let mut previous = None;
    for (row, from) in left.chars().enumerate() {
        let mut current = vec![row + 1];
        for (column, to) in right.iter().enumerate() {
            let replaced = last[column] + usize::from(from != *to);
            let mut best = replaced.min(last[column + 1] + 1).min(current[column] + 1);
            if column > 0 && previous == Some(*to) && right[column - 1] == from {
                best = best.min(before_last[column - 1] + 1);
            }
            current.push(best);
        }
        previous = Some(from);
        before_last = std::mem::replace(&mut last, current);
    }
    last[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typing_errors_find_their_word() {
        let keys = ["principal", "functions", "sources", "expires"];
        assert_eq!(nearest("pricnipal", keys), Some("principal"));
        assert_eq!(nearest("function", keys), Some("functions"));
        assert_eq!(nearest("Expires", keys), Some("expires"));
        assert_eq!(nearest("colour", keys), None);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("abc", ""), 3);
        assert_eq!(distance("ab", "ba"), 1);
    }

    #[test]
    fn without_a_near_word_the_choice_is_listed() {
        assert_eq!(instead_of("zzz", ["a1234", "b1234"]), "known are: a1234, b1234");
        assert_eq!(instead_of("x", []), "");
    }
}
