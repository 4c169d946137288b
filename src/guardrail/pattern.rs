//! ARN patterns as IAM's operators read them: each of the six parts is compared by itself, `*` is any text and `?` any
//! character there; in the last part, the resource, both cross `/` and `:`.

/// Whether `ArnLike` holds.
pub(super) fn arn_like(pattern: &str, arn: &str) -> bool {
    both(pattern, arn).is_some_and(|(pattern, arn)| pattern.iter().zip(&arn).all(|(p, a)| like(p, a)))
}

/// Whether `StringLike` holds.
pub(super) fn like(pattern: &str, value: &str) -> bool {
    let (pattern, value) = (pattern.as_bytes(), value.as_bytes());
    let (mut at, mut seen) = (0, 0);
    // Where to go on, in the pattern and in the value, if the latest star takes one character more.
    let mut star: Option<(usize, usize)> = None;
    loop {
        match (pattern.get(at), value.get(seen)) {
            (Some(b'*'), _) => {
                at += 1;
                star = Some((at, seen));
            }
            (Some(one), Some(other)) if one == other || *one == b'?' => {
                at += 1;
                seen += 1;
            }
            (None, None) => return true,
            _ => match star {
                Some((resume, from)) if from < value.len() => {
                    star = Some((resume, from + 1));
                    (at, seen) = (resume, from + 1);
                }
                _ => return false,
            },
        }
    }
}

/// Whether some ARN is like both.
pub(super) fn overlap(one: &str, other: &str) -> bool {
    if is_literal(one) {
        return arn_like(other, one);
    }
    if is_literal(other) {
        return arn_like(one, other);
    }
    both(one, other).is_some_and(|(one, other)| one.iter().zip(&other).all(|(a, b)| meet(a, b)))
}

/// Whether all that is like `narrow` is like `wide`. It may say no where that is so, never yes where it is not.
pub(super) fn covers(wide: &str, narrow: &str) -> bool {
    // No wildcard of `wide` but a star stands for a character that no ARN has.
    let covers =
        |(wide, narrow): (&&str, &&str)| like(wide, &narrow.replace(['*', '?'], "\u{1}")) && !wide.contains('?');
    wide == narrow || both(wide, narrow).is_some_and(|(wide, narrow)| wide.iter().zip(&narrow).all(covers))
}

pub(super) fn is_literal(pattern: &str) -> bool {
    !pattern.contains(['*', '?'])
}

/// The account that a pattern names, where it names one.
pub(super) fn account(pattern: &str) -> Option<&str> {
    pattern.split(':').nth(4).filter(|account| !account.is_empty() && is_literal(account))
}

fn both<'a>(one: &'a str, other: &'a str) -> Option<([&'a str; 6], [&'a str; 6])> {
    parts(one).zip(parts(other))
}

fn parts(arn: &str) -> Option<[&str; 6]> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    parts.try_into().ok()
}

/// Whether some text is like both: every pair of places in the two patterns is looked at once.
fn meet(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let mut reached = vec![vec![false; other.len() + 1]; one.len() + 1];
    reached[0][0] = true;
    for i in 0..=one.len() {
        for j in 0..=other.len() {
            if !reached[i][j] {
                continue;
            }
            let (a, b) = (one.get(i), other.get(j));
            if a == Some(&b'*') {
                reached[i + 1][j] = true;
            }
            if b == Some(&b'*') {
                reached[i][j + 1] = true;
            }
            if let (Some(a), Some(b)) = (a, b) {
                match (a, b) {
                    (b'*', b'*') => {}
                    (b'*', _) => reached[i][j + 1] = true,
                    (_, b'*') => reached[i + 1][j] = true,
                    (a, b) if a == b || *a == b'?' || *b == b'?' => reached[i + 1][j + 1] = true,
                    _ => {}
                }
            }
        }
    }
    reached[one.len()][other.len()]
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_star_stays_in_its_part_and_crosses_slashes() {
        let roles = "arn:aws:iam::*:role/ci/*";
        assert!(arn_like(roles, "arn:aws:iam::111122223333:role/ci/a/b"));
        assert!(!arn_like(roles, "arn:aws:iam::111122223333:user/role/ci/a"));
        assert!(!arn_like("arn:*:role/x", "arn:aws:iam::1:role/x"), "five parts are no ARN");
        assert!(!arn_like(roles, "Arn:aws:iam::1:role/ci/a"));
        let function = "arn:aws:lambda:*:*:function:orders";
        assert!(!arn_like(function, "arn:aws:lambda:eu-west-1:1:function:orders:live"));
        assert!(arn_like(&format!("{function}:*"), "arn:aws:lambda:eu-west-1:1:function:orders:live"));
    }

    #[test]
    fn many_stars_do_not_explode() {
        let pattern = "*a".repeat(40) + "b";
        assert!(!like(&pattern, &"a".repeat(2_000)));
        assert!(meet(&"*a".repeat(60), &"a*".repeat(60)));
    }

    proptest! {
        #[test]
        fn whatever_is_like_both_shows_that_they_overlap(one in "[ab*?]{0,6}", other in "[ab*?]{0,6}", value in "[ab]{0,6}") {
            if like(&one, &value) && like(&other, &value) {
                prop_assert!(meet(&one, &other));
            }
            let arn = |part: &str| format!("arn:aws:iam::1:{part}");
            if covers(&arn(&one), &arn(&other)) && like(&other, &value) {
                prop_assert!(like(&one, &value));
            }
        }

        #[test]
        fn what_overlaps_has_a_text_in_common(one in "[ab*]{0,4}", other in "[ab*]{0,4}") {
            // Where two patterns meet, they do in a text no longer than both together.
            let mut found = false;
            for length in 0..=8_u32 {
                for bits in 0..(1_u32 << length) {
                    let text: String = (0..length).map(|at| if bits >> at & 1 == 0 { 'a' } else { 'b' }).collect();
                    found |= like(&one, &text) && like(&other, &text);
                }
            }
            prop_assert_eq!(meet(&one, &other), found);
        }
    }
}
