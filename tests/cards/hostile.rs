//! Whatever the strings: Slack's limits hold, and nothing from outside is live.

use crate::common::ACCOUNT;
use crate::limits::{live, problems};
use crate::renderings::{renderings, whispers};
use crate::story::Names;
use proptest::prelude::*;

/// Pieces that could do harm, and any others.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        3 => prop::sample::select(vec![
            "<!channel>", "<@U1>", "<https://evil.example|x>", "`", "```", "\n", "\r\n", "@here", "@Channel", "&lt;",
            "&", "*b*", "_i_", "~", "://", "\u{202e}", "\u{2066}", "\u{61c}", "\u{200b}", "\u{feff}", "\u{2028}",
            "\u{1fef}", ":smile:", "> ", "arn:aws:sqs:", "\u{e0041}", "\u{10ffff}", "|", "<!date^1^{x}|y>", "\\", "\"",
        ]).prop_map(str::to_owned),
        2 => any::<String>(),
        1 => (any::<char>(), 1..400_usize).prop_map(|(c, times)| c.to_string().repeat(times)),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

fn names() -> impl Strategy<Value = Names> {
    prop::collection::vec(text(), 9).prop_map(|mut texts| {
        let mut next = || texts.pop().unwrap_or_default();
        Names {
            function: next(),
            source: next(),
            role: format!("arn:aws:iam::{ACCOUNT}:role/{}", next()),
            session: next(),
            agent: next(),
            address: next(),
            reason: next(),
            person: next(),
            words: next(),
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn limits_hold_and_nothing_is_live(names in names()) {
        for (name, payload) in renderings(&names) {
            prop_assert_eq!(problems(&payload), Vec::<String>::new(), "{}: {:#}", name, payload);
        }
        for whisper in whispers(&names) {
            prop_assert_eq!(live(&whisper), Vec::<String>::new());
            prop_assert!(whisper.chars().count() <= 3_000);
        }
    }
}
