//! ARNs, taken apart as far as sluicegate looks into them.

/// An ARN's six parts. Region and account may be empty, the partition and the service are not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arn<'a> {
    /// `aws`, `aws-cn`, `aws-us-gov`, `aws-iso…`.
    pub partition: &'a str,
    /// `lambda`, `sqs`, `iam`, …
    pub service: &'a str,
    /// Empty for what is global.
    pub region: &'a str,
    /// Twelve digits, or empty.
    pub account: &'a str,
    /// Everything after the account; it may hold colons.
    pub resource: &'a str,
}

impl<'a> Arn<'a> {
    /// Takes `text` apart; `None` where it is no ARN of an AWS partition.
    pub fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.splitn(6, ':');
        if parts.next() != Some("arn") {
            return None;
        }
        let arn = Self {
            partition: parts.next()?,
            service: parts.next()?,
            region: parts.next()?,
            account: parts.next()?,
            resource: parts.next()?,
        };
        let known = arn.partition == "aws" || arn.partition.starts_with("aws-");
        let account = arn.account.is_empty() || is_account(arn.account);
        (known && account && !arn.service.is_empty() && !arn.resource.is_empty()).then_some(arn)
    }
}

/// Whether `text` is an account id: twelve digits, leading zeros included.
pub fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The partition that a region lies in, by the region's prefix.
pub fn partition_of(region: &str) -> &'static str {
    const PREFIXES: [(&str, &str); 8] = [
        ("cn-", "aws-cn"),
        ("us-gov-", "aws-us-gov"),
        ("us-iso-", "aws-iso"),
        ("us-isob-", "aws-iso-b"),
        ("eu-isoe-", "aws-iso-e"),
        ("us-isof-", "aws-iso-f"),
        ("eu-isof-", "aws-iso-f"),
        ("eusc-", "aws-eusc"),
    ];
    PREFIXES.iter().find(|(prefix, _)| region.starts_with(prefix)).map_or("aws", |(_, partition)| partition)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_an_arn_apart() {
        let arn = Arn::parse("arn:aws-cn:mq:cn-north-1:000123456789:broker:orders:b-1");
        let expected = Arn {
            partition: "aws-cn",
            service: "mq",
            region: "cn-north-1",
            account: "000123456789",
            resource: "broker:orders:b-1",
        };
        assert_eq!(arn, Some(expected));
    }

    #[test]
    fn refuses_what_is_no_arn() {
        for text in [
            "",
            "arn",
            "arn:aws",
            "arn:aws:sqs:eu-west-1:111122223333",
            "arn:aws:sqs:eu-west-1:111122223333:",
            "arn:awesome:sqs:eu-west-1:111122223333:q",
            "arn:aws:sqs:eu-west-1:11112222333:q",
            "arn:aws:sqs:eu-west-1:1111222233٣:q",
            "ARN:aws:sqs:eu-west-1:111122223333:q",
        ] {
            assert_eq!(Arn::parse(text), None, "{text}");
        }
    }

    #[test]
    fn knows_the_partition_of_a_region() {
        for (region, partition) in [
            ("eu-central-1", "aws"),
            ("us-gov-west-1", "aws-us-gov"),
            ("cn-northwest-1", "aws-cn"),
            ("us-isob-east-1", "aws-iso-b"),
            ("", "aws"),
        ] {
            assert_eq!(partition_of(region), partition, "{region}");
        }
    }
}
