#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;
use crate::cloudtrail::fixtures;
use crate::detection::Finding;
use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::collection::vec;
use proptest::prelude::*;
use std::io::Write;

#[path = "../../benches/archive/generator.rs"]
#[allow(dead_code, reason = "the benchmark uses all of it")]
mod generator;

const MOST: usize = 1 << 20;

fn gz(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn tally(bytes: &[u8], most: usize, thorough: bool) -> Tally {
    let mut all = Tally::default();
    let mut reader = FileReader::new(most, thorough);
    reader
        .read(bytes, &mut |tally, _| {
            all.records += tally.records;
            all.findings.extend(tally.findings);
            all.damage.extend(tally.damage);
        })
        .unwrap();
    all
}

fn ids(findings: &[Finding]) -> Vec<&str> {
    let mut ids: Vec<&str> = findings.iter().map(|finding| finding.event.id.as_str()).collect();
    ids.sort_unstable();
    ids
}

/// All that `those` holds, `these` holds too, as often.
fn holds(these: &[Finding], those: &[Finding]) -> bool {
    let mut these = ids(these);
    ids(those).into_iter().all(|id| these.iter().position(|other| *other == id).map(|at| these.remove(at)).is_some())
}

/// A record: ordinary, speaking of mappings, a mapping call in any spelling, or one of the fixtures.
fn record() -> impl Strategy<Value = String> {
    let made =
        (any::<u64>(), prop::sample::select(vec![1_u32, 2, 1000]), 1_u32..4).prop_map(|(seed, mapping, mention)| {
            let mut generator = generator::Generator::new(seed);
            (generator.one_mapping_in, generator.one_mention_in) = (mapping, mention);
            generator.record(&mut Vec::new(), "111122223333", "eu-west-1", "2024-05-09T21")
        });
    let fixture = prop::sample::select(vec![
        "create-sqs.json",
        "create-denied.json",
        "create-kafka.json",
        "update-repoint.json",
        "update-disable.json",
        "envelope-create.json",
        "envelope-forged-source.json",
        "envelope-replay.json",
        "other-call.json",
        "log-file.json",
        "deep-nesting.json",
    ]);
    let fixture = (fixture, any::<bool>()).prop_map(|(name, compact)| {
        let text = String::from_utf8(fixtures::bytes(name)).unwrap();
        if compact { text.lines().map(str::trim_start).collect() } else { text }
    });
    let odd = prop::sample::select(vec![
        r#"{"eventID":"1"}"#,
        r#"{"eventName":"ListFunctions"}"#,
        "{}",
        r#"{"a":{"eventName":"x"}}"#,
        r#"{"userIdentity":{"type":"x}{"},"eventTime":"2024-05-09T21:05:41Z","eventSource":"a","eventName":"b"}"#,
        r#"{"userIdentity":{},"eventTime":"2024-05-09T21:05:41Z","eventSource":"a","eventName":"b","Detail":{"eventName":"UpdateEventSourceMapping"}}"#,
        r#"{"userIdentity":{},"eventTime":"2024-05-09T21:05:41Z","eventSource":"a","eventName":"b","reCords":[{"eventName":"UpdateEventSourceMapping"}]}"#,
        r#"{"eventName":"UpdateEventSourceMapping20150331","eventName":"UpdateEventSourceMapping20150331"}"#,
        r#"{"eventName":"UpdateEventSourceMapping20150331","eventSource":"lambda.amazonaws.com"}"#,
        "{\"eventID\":\"\u{e4}\u{1f600}\"}",
        r#"{"Records":[{"eventID":"1"},{"eventID":"2"}]}"#,
        r#"{"records":[{"eventID":"1"}]}"#,
        r#"{"detail":{"eventID":"1"}}"#,
        r#"{"detail":[]}"#,
        "[]",
        "null",
        "7",
        r#""CreateEventSourceMapping""#,
    ]);
    prop_oneof![6 => made, 2 => fixture, 2 => odd.prop_map(str::to_owned)]
}

/// Records in one of the shapes of a log file.
fn text() -> impl Strategy<Value = String> {
    shaped(0..6)
}

/// The last of the shapes has lists in lists.
fn shaped(shapes: std::ops::Range<u32>) -> impl Strategy<Value = String> {
    let blank = prop::sample::select(vec!["", " ", "\n", "\r\n  "]);
    (vec(record(), 0..8), shapes, blank, any::<bool>()).prop_map(|(records, shape, blank, mark)| {
        let list = records.join(&format!("{blank},{blank}"));
        let text = match shape {
            0 | 1 => format!("{{\"Records\":{blank}[{list}{blank}]}}"),
            2 => format!("[{list}]{blank}"),
            3 => format!("{{\"Records\":[{list}]}}\n{{\"Records\":[{list}]}}"),
            4 => records.iter().map(|record| record.replace('\n', " ") + blank).collect::<Vec<_>>().join("\n"),
            _ => format!("[{{\"Records\":[{list}]}},[{list}]]"),
        };
        if mark { format!("\u{feff}{text}") } else { text }
    })
}

/// Bytes of a text changed, dropped, doubled or put in, or the text cut off.
fn spoilt() -> impl Strategy<Value = Vec<u8>> {
    let change = (any::<prop::sample::Index>(), 0..5, prop::sample::select(b"{}[]\",:\\\n u0a\xff\0".to_vec()));
    (text(), vec(change, 1..4)).prop_map(|(text, changes)| {
        let mut bytes = text.into_bytes();
        for (at, what, byte) in changes {
            if bytes.is_empty() {
                break;
            }
            let at = at.index(bytes.len());
            match what {
                0 => drop(bytes.remove(at)),
                1 => bytes.insert(at, byte),
                2 => bytes.truncate(at),
                _ => bytes[at] = byte,
            }
        }
        bytes
    })
}

proptest! {
    #[test]
    fn splitting_finds_and_counts_what_parsing_does(text in text()) {
        let packed = gz(text.as_bytes());
        let (fast, thorough) = (tally(&packed, MOST, false), tally(&packed, MOST, true));
        prop_assert_eq!(fast.records, thorough.records, "{}", text);
        prop_assert_eq!(fast.findings, thorough.findings, "{}", text);
        prop_assert_eq!(fast.damage, thorough.damage, "{}", text);
    }

    #[test]
    fn splitting_loses_nothing_of_a_spoilt_text(text in spoilt()) {
        let packed = gz(&text);
        let (fast, thorough) = (tally(&packed, MOST, false), tally(&packed, MOST, true));
        prop_assert!(holds(&fast.findings, &thorough.findings), "{}", String::from_utf8_lossy(&text));
        if regular(&text).is_none() {
            prop_assert_eq!(&fast.findings, &thorough.findings);
            prop_assert_eq!((fast.records, &fast.damage), (thorough.records, &thorough.damage));
        }
        // Nothing vouches for a plain file: it is parsed.
        let plain = tally(&text, MOST, false);
        prop_assert_eq!(plain.findings, thorough.findings);
        prop_assert_eq!(plain.damage, thorough.damage);
    }

    #[test]
    fn a_damaged_file_is_read_up_to_there(text in text(), at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>()) {
        let mut packed = gz(text.as_bytes());
        let at = at.index(packed.len());
        if cut { packed.truncate(at.max(2)); } else { packed[at] = byte; }
        let (fast, thorough) = (tally(&packed, MOST, false), tally(&packed, MOST, true));
        prop_assert_eq!(fast.findings, thorough.findings);
        prop_assert_eq!(fast.damage, thorough.damage);
    }

    #[test]
    fn a_window_shows_what_the_whole_does(texts in vec(shaped(0..5), 1..4), parse in any::<bool>(), window in 8000_usize..30_000) {
        let text: String = texts.iter().map(|text| text.trim_start_matches('\u{feff}')).collect::<Vec<_>>().join("\n");
        let whole = tally(text.as_bytes(), MOST, true);
        let packed = if parse { text.clone().into_bytes() } else { gz(text.as_bytes()) };
        let through = windowed(&packed, window);
        prop_assert!(holds(&through.findings, &whole.findings), "{}", text);
        prop_assert!(holds(&whole.findings, &through.findings), "{}", text);
    }

    #[test]
    fn a_window_loses_no_line_of_a_spoilt_text(
        records in vec(record(), 1..12), at in any::<prop::sample::Index>(), byte in prop::sample::select(b"{}[]\",\n".to_vec()), cut in any::<bool>(),
    ) {
        let lines: Vec<String> = records.iter().map(|record| record.replace('\n', " ")).collect();
        let mut text = lines.join("\n").into_bytes();
        let at = at.index(text.len());
        if cut { text.drain(at..(at + 40).min(text.len())); } else { text[at] = byte; }
        let whole = tally(&text, MOST, true);
        let window = lines.iter().map(String::len).max().unwrap_or_default() + 100;
        let through = windowed(&text, window.max(3000));
        prop_assert!(holds(&through.findings, &whole.findings), "{}", String::from_utf8_lossy(&text));
        prop_assert!(whole.damage.is_empty() || !through.damage.is_empty());
    }
}

/// Reads a file, packed or not, through a window, however small it is.
fn windowed(bytes: &[u8], window: usize) -> Tally {
    let mut all = Tally::default();
    let mut sink = |tally: Tally, _: u64| {
        all.records += tally.records;
        all.findings.extend(tally.findings);
        all.damage.extend(tally.damage);
    };
    let plain = !bytes.starts_with(MAGIC);
    let mut stream = Stream { window, parse_all: plain, plain, sink: &mut sink };
    if plain {
        stream.read(bytes);
    } else {
        stream.read(MultiGzDecoder::new(bytes));
    }
    all
}

fn file(seed: u64, size: usize) -> generator::File {
    let mut generator = generator::Generator::new(seed);
    (generator.one_mapping_in, generator.one_mention_in) = (40, 20);
    generator.file(size)
}

fn assert_found(file: &generator::File, tally: &Tally) {
    let mut known: Vec<&str> = file.known.iter().map(|known| known.event_id.as_str()).collect();
    known.sort_unstable();
    assert_eq!(ids(&tally.findings), known);
    assert_eq!(tally.records, file.records);
    assert_eq!(tally.damage, []);
}

#[test]
fn everything_known_is_found_in_every_way_of_reading() {
    let file = file(1, 700_000);
    assert!(file.known.len() > 5);
    let packed = gz(&file.raw);
    for most in [MOST, 200_000, 20_000] {
        for thorough in [false, true] {
            assert_found(&file, &tally(&packed, most, thorough));
            assert_found(&file, &tally(&file.raw, most, thorough));
        }
    }
}

#[test]
fn an_ordinary_log_file_is_split_and_not_parsed() {
    let mut generator = generator::Generator::new(3);
    (generator.one_mapping_in, generator.one_mention_in) = (u32::MAX, u32::MAX);
    let file = generator.file(300_000);
    let mut splitter = super::super::split::Splitter::whole();
    let mut plain = 0;
    let sink = &mut |unit: super::super::split::Unit| {
        let speaks = super::super::split::Unit { mentions: true, ..unit };
        plain += u64::from(super::super::judge::is_of_no_account(&file.raw[unit.start..unit.end], &speaks));
        true
    };
    splitter.feed(&file.raw, sink).unwrap();
    assert_eq!(plain, file.records);
}

#[test]
fn members_one_after_the_other_are_all_read() {
    let (one, two) = (file(1, 30_000), file(2, 30_000));
    let both = [gz(&one.raw), gz(&two.raw)].concat();
    assert_eq!(tally(&both, MOST, false).records, one.records + two.records);
    // Twice the same, so that the end of the file fits the first of them too.
    let twice = gz(&one.raw).repeat(2);
    assert_eq!(tally(&twice, MOST, false).records, 2 * one.records);
    // Cut in the middle of a record.
    let (head, tail) = one.raw.split_at(9000);
    assert_found(&one, &tally(&[gz(head), gz(tail)].concat(), MOST, false));
}

#[test]
fn an_end_that_lies_is_not_believed() {
    let file = file(1, 50_000);
    let packed = gz(&file.raw);
    for size in [0, 1, u32::MAX, 10 << 20, u32::try_from(file.raw.len()).unwrap() - 1] {
        let mut lying = packed.clone();
        let end = lying.len() - 4;
        lying[end..].copy_from_slice(&size.to_le_bytes());
        let found = tally(&lying, MOST, false);
        assert_eq!((found.records, found.damage.len()), (file.records, 1), "{:?}", found.damage);
        assert!(found.damage[0].0.starts_with("broken gzip"), "{:?}", found.damage);
    }
    let padded = [&packed[..], &[0; 40]].concat();
    assert_eq!(tally(&padded, MOST, false).records, file.records);
    assert_eq!(tally(&padded, MOST, false).damage, tally(&padded, MOST, true).damage);
}

#[test]
fn a_bomb_is_read_to_its_end_and_held_by_no_one() {
    let text = [b"{\"eventID\":\"1\"}\n".as_slice(), &b" ".repeat(30 << 20), b"{\"eventID\":\"2\"}"].concat();
    let found = tally(&gz(&text), MOST, false);
    assert_eq!((found.records, found.damage), (2, Vec::new()));
    let text = [b"{\"eventID\":\"".as_slice(), &b"x".repeat(30 << 20), b"\"}\n{\"eventID\":\"2\"}"].concat();
    let found = tally(&gz(&text), MOST, false);
    assert_eq!(found.records, 1);
    assert!(
        found.damage.iter().any(|(error, _)| error.contains("a line of more than 1048576 bytes")),
        "{:?}",
        found.damage
    );
}

#[test]
fn what_is_packed_twice_or_is_no_utf8_is_damage() {
    let file = file(1, 20_000);
    let twice = gz(&gz(&file.raw));
    for (bytes, most) in [(&twice, MOST), (&gz(b"\xff\xfe{\0}\0"), MOST)] {
        let found = tally(bytes, most, false);
        assert_eq!(found.records, 0);
        assert!(!found.damage.is_empty());
    }
    let mut raw = file.raw.clone();
    let at = raw.windows(9).position(|part| part == b"userAgent").unwrap() + 14;
    raw[at] = 0xff;
    let packed = gz(&raw);
    for most in [MOST, 10_000] {
        let found = tally(&packed, most, false);
        assert_eq!((found.records, found.damage.len()), (file.records, 1), "{:?}", found.damage);
    }
}

#[test]
fn many_small_objects_are_not_parsed_at_once() {
    let text = format!("[{}{{\"eventID\":\"1\"}}]", "{\"a\":1},".repeat(MOST_OBJECTS));
    for bytes in [text.clone().into_bytes(), gz(text.as_bytes())] {
        let found = tally(&bytes, MOST, true);
        assert_eq!((found.records, found.damage.len()), (1, MOST_OBJECTS));
    }
}

/// Both ways of reading tell of a text that ends where another record could still follow.
#[test]
fn a_text_that_breaks_off_between_records_is_damage() {
    let record = String::from_utf8(fixtures::bytes("other-call.json")).unwrap();
    let records = [record.as_str(); 3].join(",");
    for (begun, ended) in [("{\"Records\":[", "]}"), ("[", "]")] {
        let whole = format!("{begun}{records}{ended}");
        for end in ["", ",", " , \n", "]"].into_iter().filter(|end| *end != ended) {
            let broken = format!("{begun}{records}{end}");
            for bytes in [broken.clone().into_bytes(), gz(broken.as_bytes())] {
                let (held, through) = (tally(&bytes, MOST, false), windowed(&bytes, 8000));
                assert_eq!((held.records, through.records), (3, 3), "{broken}");
                assert_eq!((held.damage.len(), through.damage.len()), (1, 1), "{broken}: {:?}", through.damage);
            }
        }
        assert!(windowed(whole.as_bytes(), 8000).damage.is_empty());
    }
    assert_eq!(windowed(b"{\"Records\":[", 8000).damage.len(), 1);
}

#[test]
fn blank_files_are_no_damage() {
    for text in [&b""[..], b" \n", b"\xef\xbb\xbf", b"\xef\xbb\xbf \n", b"{\"Records\":[]}", b"[]"] {
        for bytes in [text.to_vec(), gz(text)] {
            let found = tally(&bytes, MOST, false);
            assert_eq!((found.records, found.damage.len()), (0, 0), "{text:?}");
            let found = windowed(&bytes, 100);
            assert_eq!((found.records, found.damage.len()), (0, 0), "{text:?}");
        }
    }
}

/// Gives a few bytes at a time, and is disturbed in between.
struct Haltingly<'b>(&'b [u8], usize);

impl Read for Haltingly<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.1 += 1;
        if self.1.is_multiple_of(3) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let length = into.len().min(1 + self.1 % 1000);
        self.0.read(&mut into[..length])
    }
}

#[test]
fn nothing_is_left_of_the_file_before() {
    let (long, short) = (file(1, 400_000), file(2, 20_000));
    for most in [MOST, 300_000, 30_000] {
        let mut reader = FileReader::new(most, false);
        for file in [&long, &short, &long, &short] {
            for bytes in [gz(&file.raw), file.raw.clone()] {
                let mut records = 0;
                let sink = &mut |tally: Tally, _| {
                    assert_eq!(tally.damage, []);
                    records += tally.records;
                };
                reader.read(Haltingly(&bytes, 0), sink).unwrap();
                assert_eq!(records, file.records);
            }
        }
    }
}
