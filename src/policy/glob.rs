//! Patterns: `*` and `**`, everything else stands for itself.

/// A compiled pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Glob {
    text: String,
    tokens: Vec<Token>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    One(char),
    /// Any characters but `/` and `:`.
    Segment,
    /// Any characters at all.
    Any,
}

impl Glob {
    /// A pattern for ARNs and paths: `*` stays inside one segment, `**` crosses `/` and `:`.
    pub(crate) fn path(text: &str) -> Self {
        Self::compile(text, Token::Segment)
    }

    /// A pattern for names, which have no segments: `*` is any text.
    pub(crate) fn name(text: &str) -> Self {
        Self::compile(text, Token::Any)
    }

    fn compile(text: &str, star: Token) -> Self {
        let mut tokens: Vec<Token> = Vec::new();
        let mut chars = text.chars().peekable();
        while let Some(next) = chars.next() {
            if next != '*' {
                tokens.push(Token::One(next));
                continue;
            }
            let mut token = star;
            while chars.next_if_eq(&'*').is_some() {
                token = Token::Any;
            }
            tokens.push(token);
        }
        Self { text: text.to_owned(), tokens }
    }

    /// The pattern as written.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Whether it has no wildcard.
    pub(crate) fn is_literal(&self) -> bool {
        !self.text.contains('*')
    }

    /// Whether the whole of `value` fits. On a mismatch only the latest `*` and the latest `**` are tried again, which
    /// is enough, and keeps the cost at pattern × value however many stars there are.
    pub(crate) fn matches(&self, value: &str) -> bool {
        let chars: Vec<char> = value.chars().collect();
        let (mut token, mut at) = (0, 0);
        // Where to go on, in the pattern and in the value, if the latest star takes one character more.
        let mut segment: Option<(usize, usize)> = None;
        let mut any: Option<(usize, usize)> = None;
        loop {
            match self.tokens.get(token) {
                Some(Token::Any) => {
                    token += 1;
                    any = Some((token, at));
                    segment = None;
                    continue;
                }
                Some(Token::Segment) => {
                    token += 1;
                    segment = Some((token, at));
                    continue;
                }
                Some(Token::One(expected)) if chars.get(at) == Some(expected) => {
                    token += 1;
                    at += 1;
                    continue;
                }
                None if at == chars.len() => return true,
                Some(Token::One(_)) | None => {}
            }
            let inside = segment.filter(|(_, from)| chars.get(*from).is_some_and(|next| !matches!(next, '/' | ':')));
            if let Some((resume, from)) = inside {
                segment = Some((resume, from + 1));
                (token, at) = (resume, from + 1);
            } else if let Some((resume, from)) = any.filter(|(_, from)| *from < chars.len()) {
                any = Some((resume, from + 1));
                segment = None;
                (token, at) = (resume, from + 1);
            } else {
                return false;
            }
        }
    }

    /// Whether it fits at least all that `other` fits; may say no where it does, never yes where it does not.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        // A `**` of the other is written as characters that no `*` of ours crosses and no ARN spells out.
        self.text == other.text || self.matches(&other.text.replace("**", "\u{1}/::/\u{1}").replace('*', "\u{1}"))
    }
}

impl std::fmt::Display for Glob {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_star_stays_in_its_segment() {
        let pattern = Glob::path("arn:aws:iam::*:role/ci-*");
        assert!(pattern.matches("arn:aws:iam::1:role/ci-x"));
        assert!(pattern.matches("arn:aws:iam::1:role/ci-"));
        assert!(!pattern.matches("arn:aws:iam::1:role/ci-x/admin"));
        assert!(!pattern.matches("arn:aws:iam::1:evil:role/ci-x"));
        assert!(!pattern.matches("Arn:aws:iam::1:role/ci-x"));
    }

    #[test]
    fn two_stars_cross_segments() {
        assert!(Glob::path("role/ci/**").matches("role/ci/a/b"));
        assert!(Glob::path("role/**/x").matches("role/a/b/x"));
        assert!(!Glob::path("role/**/x").matches("role/x"));
        assert!(Glob::path("***").matches("a/b:c"));
        assert!(!Glob::path("role/ci/**").matches("role/ci"));
    }

    #[test]
    fn a_name_has_no_segments() {
        assert!(Glob::name("*Terraform*").matches("APN/1.0 Terraform/1.5"));
        assert!(Glob::name("orders-*").matches("orders-"));
        assert!(!Glob::name("orders-*").matches("xorders-a"));
        assert!(!Glob::name("").matches("x"));
        assert!(Glob::name("a?[b]").matches("a?[b]"));
    }

    #[test]
    fn covering_is_never_claimed_too_much() {
        let covers = |wide: &str, narrow: &str| Glob::path(wide).covers(&Glob::path(narrow));
        assert!(covers("role/ci/*", "role/ci/a-*"));
        assert!(covers("role/**", "role/ci/*"));
        assert!(!covers("role/*", "role/**"));
        assert!(!covers("role/*/*", "role/**"));
        assert!(!covers("role/ci/a", "role/ci/*"));
    }

    #[test]
    fn many_stars_do_not_explode() {
        let pattern = "*a".repeat(40) + "b";
        assert!(!Glob::path(&pattern).matches(&"a".repeat(2_000)));
    }

    fn naive(tokens: &[Token], value: &[char]) -> bool {
        match tokens.split_first() {
            None => value.is_empty(),
            Some((Token::One(one), rest)) => value.split_first().is_some_and(|(c, v)| c == one && naive(rest, v)),
            Some((star, rest)) => {
                naive(rest, value)
                    || value.split_first().is_some_and(|(next, v)| {
                        (*star == Token::Any || !matches!(next, '/' | ':')) && naive(tokens, v)
                    })
            }
        }
    }

    proptest! {
        #[test]
        fn agrees_with_the_naive_matcher(pattern in "[ab/:*]{0,9}", value in "[ab/:]{0,10}") {
            let chars: Vec<char> = value.chars().collect();
            for glob in [Glob::path(&pattern), Glob::name(&pattern)] {
                prop_assert_eq!(glob.matches(&value), naive(&glob.tokens, &chars), "{} on {}", pattern, value);
            }
        }

        #[test]
        fn what_is_covered_matches(wide in "[ab/*]{0,7}", narrow in "[ab/*]{0,7}", value in "[ab/]{0,8}") {
            let (wide, narrow) = (Glob::path(&wide), Glob::path(&narrow));
            if wide.covers(&narrow) && narrow.matches(&value) {
                prop_assert!(wide.matches(&value), "{} covers {} but not {}", wide, narrow, value);
            }
        }
    }
}
