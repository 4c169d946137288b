//! Times as CloudTrail and Lambda write them.

use super::json;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};
use serde_json::value::RawValue;

/// An ISO time with its offset, as `eventTime` has it.
pub(super) fn iso(raw: Option<&RawValue>) -> Option<Timestamp> {
    json::text(raw)?.trim().parse().ok()
}

/// `lastModified` in any form met: `May 9, 2024, 9:05:41 PM` (UTC; the space before PM may be a narrow no-break one),
/// ISO, seconds or milliseconds since 1970, the numbers also as texts.
pub(super) fn any(raw: Option<&RawValue>) -> Option<Timestamp> {
    let raw = json::present(raw)?;
    let Some(text) = json::text(Some(raw)) else {
        return epoch(raw.get());
    };
    let text = text.replace(['\u{202f}', '\u{a0}'], " ");
    let text = text.trim();
    text.parse().ok().or_else(|| spelt_out(text)).or_else(|| epoch(text))
}

fn spelt_out(text: &str) -> Option<Timestamp> {
    let time = DateTime::strptime("%b %d, %Y, %I:%M:%S %p", text).ok()?;
    Offset::UTC.to_timestamp(time).ok()
}

fn epoch(text: &str) -> Option<Timestamp> {
    let number: f64 = text.parse().ok()?;
    // In seconds this is the year 5138, in milliseconds 1973, before there was a Lambda.
    let seconds = if number.abs() >= 1e11 { number / 1000.0 } else { number };
    let since = SignedDuration::try_from_secs_f64(seconds).ok()?;
    Timestamp::from_duration(since).ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn read(json: &str) -> Option<Timestamp> {
        any(Some(serde_json::from_str(json).unwrap()))
    }

    #[test]
    fn reads_every_form_of_last_modified() {
        let expected: Timestamp = "2024-05-09T21:05:41Z".parse().unwrap();
        for form in [
            r#""May 9, 2024, 9:05:41 PM""#,
            "\"May 9, 2024, 9:05:41\u{202f}PM\"",
            r#""May 09, 2024, 09:05:41 PM""#,
            r#""2024-05-09T21:05:41Z""#,
            r#""2024-05-09T21:05:41.000+00:00""#,
            r#""2024-05-09T21:05:41.000+0000""#,
            "1715288741",
            "1715288741.0",
            "1.715288741E9",
            "1715288741000",
            r#""1715288741""#,
        ] {
            assert_eq!(read(form), Some(expected), "{form}");
        }
        assert_eq!(read(r#""May 10, 2024, 12:00:00 AM""#), "2024-05-10T00:00:00Z".parse().ok());
    }

    #[test]
    fn what_is_no_time_is_none() {
        for form in ["null", r#""""#, r#""yesterday""#, "1e308", "true", "[]", r#""NaN""#, r#""inf""#] {
            assert_eq!(read(form), None, "{form}");
        }
        let number = serde_json::from_str("1715288741").unwrap();
        assert_eq!(iso(Some(number)), None);
    }
}
