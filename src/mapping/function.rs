//! The function behind a mapping, in any of the spellings that Lambda's API takes.

use super::{Arn, is_account};
use serde::{Deserialize, Serialize};

/// A function as a call or a mapping names it. Fields that are not known hold `""`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct FunctionRef {
    /// The full ARN, with the qualifier where one was named.
    pub arn: String,
    /// The bare name, without account or qualifier.
    pub name: String,
    /// The alias or version, `""` where none was named (`$LATEST` counts as none).
    pub qualifier: String,
    /// The twelve-digit account that owns the function.
    pub account: String,
}

impl FunctionRef {
    /// Reads a function's name, partial ARN or full ARN, each with or without alias or version. What the text leaves
    /// out is taken from the arguments; `""` there means not known, and the ARN stays empty then. A text that Lambda
    /// would not take names nothing: it is kept in `arn`, and `name` stays empty, so that no pattern can match it.
    pub fn parse(text: &str, partition: &str, region: &str, account: &str) -> Self {
        let text = text.trim();
        Self::try_parse(text, partition, region, account)
            .unwrap_or_else(|| Self { arn: text.to_owned(), ..Self::default() })
    }

    fn try_parse<'a>(text: &'a str, mut partition: &'a str, mut region: &'a str, mut account: &'a str) -> Option<Self> {
        let mut rest = text;
        if text.starts_with("arn:") {
            let arn = Arn::parse(text).filter(|arn| arn.service == "lambda")?;
            (partition, region, account) = (arn.partition, arn.region, arn.account);
            rest = arn.resource.strip_prefix("function:")?;
        } else {
            // Each optional part is one only while something follows it that can be the name.
            if let Some((first, after)) = rest.split_once(':')
                && first.contains('-')
                && after.split_once(':').is_some_and(|(account, _)| is_account(account))
            {
                (region, rest) = (first, after);
            }
            if let Some((first, after)) = rest.split_once(':').filter(|(first, _)| is_account(first)) {
                (account, rest) = (first, after);
            }
            rest = rest.strip_prefix("function:").unwrap_or(rest);
        }
        let (name, qualifier) = rest.split_once(':').unwrap_or((rest, "$LATEST"));
        if !is_name(name, "-_.") || !is_name(qualifier, "-_.$") {
            return None;
        }
        let qualifier = if qualifier == "$LATEST" { "" } else { qualifier };
        let known = ![partition, region, account].contains(&"");
        let tail = if qualifier.is_empty() { "" } else { ":" };
        Some(Self {
            arn: if known {
                format!("arn:{partition}:lambda:{region}:{account}:function:{name}{tail}{qualifier}")
            } else {
                String::new()
            },
            name: name.to_owned(),
            qualifier: qualifier.to_owned(),
            account: account.to_owned(),
        })
    }

    /// Whether both name the same function, alias or version. An account that either does not know is not compared;
    /// a function without a name is the same as none.
    pub fn same_target(&self, other: &Self) -> bool {
        let accounts = self.account == other.account || self.account.is_empty() || other.account.is_empty();
        !self.name.is_empty() && self.name == other.name && self.qualifier == other.qualifier && accounts
    }

    /// Whether anything is known about the function.
    pub fn is_known(&self) -> bool {
        !self.name.is_empty()
    }
}

impl std::fmt::Display for FunctionRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.arn.as_str(), self.qualifier.as_str()) {
            ("", "") => f.write_str(&self.name),
            ("", qualifier) => write!(f, "{}:{qualifier}", self.name),
            (arn, _) => f.write_str(arn),
        }
    }
}

fn is_name(text: &str, beside: &str) -> bool {
    !text.is_empty() && text.chars().all(|char| char.is_ascii_alphanumeric() || beside.contains(char))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:lambda:eu-west-1:000123456789:function:orders";

    fn parse(text: &str) -> FunctionRef {
        FunctionRef::parse(text, "aws", "eu-west-1", "000123456789")
    }

    #[test]
    fn every_spelling_is_the_same_function() {
        for text in [
            "orders",
            "orders:$LATEST",
            "function:orders",
            "000123456789:orders",
            "000123456789:function:orders",
            "eu-west-1:000123456789:function:orders",
            ARN,
            "arn:aws:lambda:eu-west-1:000123456789:function:orders:$LATEST",
        ] {
            let function = parse(text);
            assert_eq!(function.arn, ARN, "{text}");
            assert_eq!((function.name.as_str(), function.qualifier.as_str()), ("orders", ""));
            assert_eq!(function.account, "000123456789");
        }
    }

    #[test]
    fn a_qualifier_is_kept_apart() {
        for text in ["orders:live", "000123456789:function:orders:live", &format!("{ARN}:live")] {
            let function = parse(text);
            assert_eq!(function.arn, format!("{ARN}:live"), "{text}");
            assert_eq!(function.name, "orders");
            assert_eq!(function.qualifier, "live");
            assert!(!function.same_target(&parse("orders")));
        }
    }

    #[test]
    fn what_the_text_says_goes_before_the_record() {
        let function = parse("arn:aws-cn:lambda:cn-north-1:999900001111:function:f:7");
        assert_eq!(function.account, "999900001111");
        assert_eq!(function.arn, "arn:aws-cn:lambda:cn-north-1:999900001111:function:f:7");
        assert_eq!(parse("999900001111:function:f").account, "999900001111");
    }

    #[test]
    fn without_account_there_is_a_name_but_no_arn() {
        let function = FunctionRef::parse("orders", "aws", "eu-west-1", "");
        assert_eq!((function.arn.as_str(), function.name.as_str()), ("", "orders"));
        assert!(function.same_target(&parse("orders")), "an unknown account is not compared");
        assert!(!parse("111122223333:orders").same_target(&parse("orders")));
    }

    #[test]
    fn what_lambda_would_not_take_names_nothing() {
        for text in [
            "",
            ":",
            "orders:",
            "a:b:c",
            "payments-*",
            "arn:aws:sqs:eu-west-1:000123456789:function:orders",
            "arn:aws:lambda:eu-west-1:000123456789:layer:orders",
            "arn:aws:lambda:eu-west-1:000123456789:function:a:b:c",
            "ord\u{200b}ers",
        ] {
            let function = parse(text);
            assert!(!function.is_known(), "{text}");
            assert!(!function.same_target(&function), "{text}");
        }
    }

    #[test]
    fn a_name_of_twelve_digits_stays_a_name() {
        assert_eq!(parse("111122223333").name, "111122223333");
        assert_eq!(parse("my-orders:111122223333").qualifier, "111122223333");
    }
}
