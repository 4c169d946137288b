#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;
use proptest::collection::vec;
use proptest::prelude::*;
use std::fmt::Write as _;

/// The units of a text that is fed in pieces of so many bytes, or that it is not regular.
fn split(text: &[u8], piece: usize, splitter: Splitter) -> Result<Vec<(usize, usize)>, Irregular> {
    let (units, end) = told(text, piece, splitter);
    end.map(|()| units.iter().map(|unit| (unit.start, unit.end)).collect())
}

/// All kinds of vectors that this machine has, and the ones that every machine like it has.
fn levels() -> Vec<Level> {
    let best = Level::new();
    let mut levels = vec![Level::baseline(), best];
    #[cfg(target_arch = "x86_64")]
    {
        levels.extend(best.as_sse4_2().map(Level::Sse4_2));
        levels.extend(best.as_avx2().map(Level::Avx2));
    }
    levels
}

/// Everything that is told of a text that is fed in pieces.
fn told(text: &[u8], piece: usize, mut splitter: Splitter) -> (Vec<Unit>, Result<(), Irregular>) {
    let mut units = Vec::new();
    let mut take = |unit: Unit| {
        units.push(unit);
        true
    };
    let end = text.chunks(piece.max(1)).try_for_each(|piece| splitter.feed(piece, &mut take));
    (units, end.and_then(|()| splitter.finish()))
}

/// What every kind of vectors tells of a text: the same.
fn told_alike(text: &[u8], piece: usize) -> (Vec<Unit>, Result<(), Irregular>) {
    let mut all = levels()
        .into_iter()
        .map(|level| [false, true].map(|strict| told(text, piece, Splitter { strict, ..Splitter::with(level) })));
    let first = all.next().unwrap();
    assert!(all.all(|other| other == first), "in pieces of {piece}: {}", String::from_utf8_lossy(text));
    let [plain, _] = first;
    plain
}

fn texts(text: &str) -> Option<Vec<&str>> {
    let units = split(text.as_bytes(), usize::MAX, Splitter::whole()).ok()?;
    Some(units.into_iter().map(|(start, end)| &text[start..end]).collect())
}

/// How units are put together.
#[derive(Debug, Clone, Copy)]
enum Glue {
    Records,
    List,
    Lines,
    Beside,
}

fn glue() -> impl Strategy<Value = Glue> {
    prop::sample::select(vec![Glue::Records, Glue::List, Glue::Lines, Glue::Beside])
}

/// The text, and where each of the units is in it.
fn glued(units: &[String], glue: Glue, blank: &str) -> (String, Vec<(usize, usize)>) {
    let (before, between, after) = match glue {
        Glue::Records => (format!("{{{blank}\"Records\"{blank}:{blank}["), ",", "]}"),
        Glue::List => ("[".to_owned(), ",", "]"),
        Glue::Lines => (String::new(), "\n", "\n"),
        Glue::Beside => (String::new(), "", ""),
    };
    let mut text = format!("{blank}{before}{blank}");
    let mut places = Vec::new();
    for (number, unit) in units.iter().enumerate() {
        if number > 0 {
            write!(text, "{between}{blank}").unwrap();
        }
        places.push((text.len(), text.len() + unit.len()));
        write!(text, "{unit}{blank}").unwrap();
    }
    let (records, tail) = after.split_at(after.len().min(1));
    write!(text, "{records}{blank}{tail}{blank}").unwrap();
    (text, places)
}

/// A JSON string that is as nasty as may be.
fn string() -> impl Strategy<Value = String> {
    let part = prop::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\\\"",
        "\\\\",
        "\\n",
        "\\u0022",
        "\\u007b",
        "\\u003d",
        "a",
        "ä",
        "\u{1f600}",
        " ",
        "|~y",
        "{\\\"Records\\\":[",
        "\\/",
        "eventName",
    ]);
    vec(part, 0..30).prop_map(|parts| format!("\"{}\"", parts.concat()))
}

fn value() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![string(), Just("null".to_owned()), Just("-1.5e3".to_owned()), Just("true".to_owned())];
    leaf.prop_recursive(5, 40, 5, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(|values| format!("[{}]", values.join(" , "))),
            vec((string(), inner), 0..5).prop_map(object),
        ]
    })
}

fn object(members: Vec<(String, String)>) -> String {
    let members: Vec<String> = members.into_iter().map(|(key, value)| format!("{key}: {value}")).collect();
    format!("{{{}}}", members.join(","))
}

fn unit() -> impl Strategy<Value = String> {
    vec((string(), value()), 0..6).prop_map(object)
}

proptest! {
    #[test]
    fn units_are_found_whatever_is_in_them(
        units in vec(unit(), 0..12), glue in glue(), blank in "[ \n\r\t]{0,3}", piece in 1_usize..200,
    ) {
        let (text, places) = glued(&units, glue, &blank);
        prop_assert_eq!(split(text.as_bytes(), usize::MAX, Splitter::whole()), Ok(places.clone()), "{}", text);
        prop_assert_eq!(split(text.as_bytes(), piece, Splitter::whole()), Ok(places.clone()), "{}", text);
        prop_assert_eq!(split(text.as_bytes(), piece, Splitter::strict(0)), Ok(places.clone()), "{}", text);
    }

    #[test]
    fn a_loose_splitter_takes_up_anywhere_between_units(units in vec(unit(), 1..8), glue in glue(), from in any::<prop::sample::Index>()) {
        let (text, places) = glued(&units, glue, " ");
        let from = from.index(places.len());
        let at = places[from].0;
        let mut found = Vec::new();
        let mut splitter = Splitter::resume(at);
        splitter.feed(&text.as_bytes()[at..], &mut |unit: Unit| { found.push((unit.start, unit.end)); true }).unwrap();
        splitter.finish().unwrap();
        prop_assert_eq!(&found[..], &places[from..]);
    }

    #[test]
    fn what_is_cut_off_is_irregular(units in vec(unit(), 1..5), cut in any::<prop::sample::Index>()) {
        let (text, places) = glued(&units, Glue::Records, "");
        let cut = cut.index(text.len() - 1) + 1;
        if let Ok(found) = split(&text.as_bytes()[..cut], 7, Splitter::whole()) {
            prop_assert!(false, "{} units of {} in {}", found.len(), places.len(), &text[..cut]);
        }
    }

    #[test]
    fn any_bytes_are_survived_and_pieces_make_no_difference(bytes in vec(any::<u8>(), 0..300), piece in 1_usize..100) {
        prop_assert_eq!(split(&bytes, usize::MAX, Splitter::whole()).ok(), split(&bytes, piece, Splitter::whole()).ok());
    }

    #[test]
    fn any_text_like_json_is_survived_and_pieces_make_no_difference(text in "[\\[\\]{}:,\"\\\\ \nu04y|]{0,200}", piece in 1_usize..100) {
        let whole = split(text.as_bytes(), usize::MAX, Splitter::strict(0));
        prop_assert_eq!(whole.ok(), split(text.as_bytes(), piece, Splitter::strict(0)).ok());
    }

    #[test]
    fn any_vectors_tell_the_same_of_any_bytes(bytes in vec(any::<u8>(), 0..1000), piece in 1_usize..1000) {
        let _ = told_alike(&bytes, piece);
    }

    #[test]
    fn any_vectors_tell_the_same_of_any_text(
        parts in vec(prop_oneof![
            "[\\[\\]{}:,\"\\\\ \nu04y|äM]{0,40}",
            Just("\"CreateEventSourceMapping".to_owned()),
            Just("{}".repeat(40)),
        ], 0..40),
        piece in 1_usize..300,
    ) {
        let _ = told_alike(parts.concat().as_bytes(), piece);
    }

    #[test]
    fn any_vectors_tell_the_same_of_units(units in vec(unit(), 0..12), glue in glue(), piece in 1_usize..9000) {
        let (text, places) = glued(&units, glue, " ");
        let (told, end) = told_alike(text.as_bytes(), piece);
        prop_assert_eq!(end, Ok(()));
        prop_assert_eq!(told.iter().map(|unit| (unit.start, unit.end)).collect::<Vec<_>>(), places);
    }
}

#[test]
fn every_size_of_piece_gives_the_same() {
    let units: Vec<String> = (0..9)
        .map(|n| format!("{{\"a\":\"{}\\\\\",\"b\":{{\"c\":\"}}\\\"{{\"}},\"d\":[{{}}]}}", "\\\"x".repeat(n * 7)))
        .collect();
    for glue in [Glue::Records, Glue::List, Glue::Lines, Glue::Beside] {
        let (text, places) = glued(&units, glue, " ");
        for piece in 1..=text.len() {
            assert_eq!(split(text.as_bytes(), piece, Splitter::strict(0)), Ok(places.clone()), "{glue:?}, {piece}");
        }
    }
}

#[test]
fn any_vectors_tell_the_same_of_what_was_recorded() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/cloudtrail");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read(&path).unwrap();
        for piece in [13, 18, 63, 64, 65, 81, 82, 83, 1000, 4095, 4096, 4097, usize::MAX] {
            let (units, _) = told_alike(&text, piece);
            for unit in units {
                let whole = &text[unit.start..unit.end];
                let names = [&b"\"CreateEventSourceMapping"[..], b"\"UpdateEventSourceMapping"];
                let named = names.iter().any(|name| memchr::memmem::find(whole, name).is_some());
                assert!(unit.mentions || !named, "{path:?} in pieces of {piece}");
            }
        }
    }
}

#[test]
fn names_of_calls_are_seen_wherever_they_stand() {
    for before in 0..140 {
        for (name, is_one) in [
            ("\"CreateEventSourceMapping20150331\"", true),
            ("\"x\\\"UpdateEventSourceMapping\"", true),
            ("\"CreateEventSourceMappin\"", false),
            ("\"DeleteEventSourceMapping\"", false),
            ("\"createEventSourceMapping\"", false),
            ("\"UpdateEventSourceMapqing\"", false),
            ("\" CreateEventSourceMapping\"", false),
        ] {
            let text = format!("[{{}},{{\"{}\":{name}}},{{}}]", "x".repeat(before));
            for piece in [5, 17, 18, 19, 64, 65, usize::MAX] {
                let (units, end) = told(text.as_bytes(), piece, Splitter::whole());
                assert_eq!((units.len(), end), (3, Ok(())));
                // Where a piece ends within a name it may be told although it is none.
                let told = units[1].mentions;
                assert!(
                    if piece > text.len() { told == is_one } else { told || !is_one },
                    "{text} in pieces of {piece}"
                );
                assert!(piece < text.len() || !units[2].mentions);
            }
        }
    }
}

#[test]
fn escapes_at_the_border_of_a_block_are_seen() {
    for before in 0..200 {
        for backslashes in 0..6 {
            let escapes = "\\".repeat(backslashes * 2);
            let text = format!("{{\"{}{escapes}\\\"}}{{\":1}}", "x".repeat(before));
            assert_eq!(texts(&text), Some(vec![text.as_str()]));
            let text = format!("{{\"{}{escapes}\":{{}}}}", "x".repeat(before));
            assert_eq!(texts(&text), Some(vec![text.as_str()]));
        }
    }
}

#[test]
fn escaped_letters_are_told_wherever_they_stand() {
    for before in 0..200 {
        for (escape, letter) in
            [("\\u0041", true), ("\\u007a", true), ("\\u003d", false), ("\\\\u0041", false), ("\\u00e4", false)]
        {
            let text = format!("[{{}},{{\"{}{escape}\":1}}]", "x".repeat(before));
            for piece in [1, 2, 3, 64, 1000] {
                let mut last = None;
                let mut splitter = Splitter::whole();
                for piece in text.as_bytes().chunks(piece) {
                    splitter
                        .feed(piece, &mut |unit| {
                            last = Some(unit);
                            true
                        })
                        .unwrap();
                }
                // Where a piece ends within an escape it may be told although it spells no letter.
                let told = last.unwrap().escaped;
                assert!(if piece == 1000 { told == letter } else { told || !letter }, "{text} in pieces of {piece}");
            }
        }
    }
}

#[test]
fn the_first_inner_object_is_told() {
    let text = r#"{"Records":[{"a":"}{","b":{"c":{}},"d":{}},{"a":1}]}"#;
    let mut inner = Vec::new();
    Splitter::whole()
        .feed(text.as_bytes(), &mut |unit| {
            inner.push(unit.inner);
            true
        })
        .unwrap();
    assert_eq!(inner, [text.find(",\"d\"").unwrap(), 0]);
}

#[test]
fn long_and_deep_units_are_units() {
    let long = format!("{{\"a\":\"{}\"}}", "{\\\"".repeat(300_000));
    let deep = format!("{}1{}", "{\"a\":[".repeat(50_000), "]}".repeat(50_000));
    let (text, places) = glued(&[long, deep], Glue::Records, "");
    for piece in [1000, 65_536, usize::MAX] {
        assert_eq!(split(text.as_bytes(), piece, Splitter::strict(0)), Ok(places.clone()));
    }
}

#[test]
fn what_is_not_regular_is_not_split() {
    for text in [
        "{",
        "}",
        "[",
        "]",
        "{}}",
        "[{}",
        "[{},]",
        "[,{}]",
        "[{}{}]",
        "[{}]]",
        "[[{}]]",
        "[1]",
        "[{},null]",
        "1",
        "null",
        "\"{}\"",
        "x{}",
        "{}x",
        "{},{}",
        "{\"Records\":[{}]",
        "{\"Records\":[{}],\"a\":1}",
        "{\"Records\":[{}]}}",
        "{\"Records\":[null]}",
        "{\"Records\":[[{}]]}",
        "{\"a\":\"}",
        "{\"a\":\"\\\"}",
        "{|}",
        "{}\u{0}",
        "{}\u{c}",
        "\u{feff}{}",
        "{\"a\":~{}}",
    ] {
        assert_eq!(texts(text), None, "{text}");
    }
    for (text, units) in [
        ("", 0),
        (" \n", 0),
        ("[]", 0),
        ("[ ]", 0),
        ("{}", 1),
        ("{ }", 1),
        ("{}{}\n{}", 3),
        ("[{}][{}]", 2),
        ("{\"Records\":[]}", 0),
        ("{\"Records\":{}}", 1),
        ("{\"Records\":1}", 1),
        ("{\"records\":[{}]}", 1),
        ("{\"Record\":[{}]}", 1),
        ("{\"Records \":[{}]}", 1),
        ("{\"a\":[1,{},[{}]]}", 1),
        ("{\"Records\" : [ {} , {} ] } {\"Records\":[{}]}", 3),
        ("[{}]{\"Records\":[{}]}{}", 3),
        // Neither is JSON; that is for a parser to say, which no unit gets past that might matter.
        ("{{}}", 1),
        ("{\"Records\"}", 1),
    ] {
        assert_eq!(texts(text).map(|units| units.len()), Some(units), "{text}");
    }
}

#[test]
fn a_strict_splitter_notices_a_broken_line_in_it_or_right_behind() {
    for broken in ["{\"a\":\"", "{\"a\":1", "{\"a\":\"b\"", "{\"a\":{\"b\":2}", "{\"a", "{\"a\":[1,{}"] {
        let text = format!("{{\"a\":1}}\n{broken}\n{{\"b\":2}}\n{{\"c\":3}}\n");
        let irregular = split(text.as_bytes(), 16, Splitter::strict(0)).unwrap_err();
        assert_eq!(irregular.from, 8, "{broken}");
        assert!(irregular.at <= 8 + broken.len() + 1, "{broken}: {irregular:?}");
    }
}
