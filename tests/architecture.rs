//! The shape of the code: what is pure stays pure, files stay readable, and nothing but tests may panic on purpose.
#![allow(missing_docs, unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The domain: everything that is above `ports` in `lib.rs`.
const PURE: [&str; 16] = [
    "mapping",
    "cloudtrail",
    "detection",
    "policy",
    "containment",
    "restriction",
    "case",
    "evidence",
    "approval",
    "explanation",
    "guardrail",
    "history",
    "learn",
    "ready",
    "report",
    "scan",
];

/// What the domain must not know: runtimes, SDKs, stores, files, clocks, chance, and the modules that do.
const IMPURE: [&str; 36] = [
    "tokio::",
    "async fn",
    "aws_config",
    "aws_sdk",
    "aws_smithy",
    "rusqlite",
    "axum",
    "slack_morphism",
    "figment",
    "clap::",
    "governor",
    "fastrand",
    "tracing::",
    "std::fs",
    "std::env",
    "std::io::stdin",
    "std::io::stdout",
    "std::process",
    "std::thread",
    "println!",
    "Timestamp::now",
    "SystemTime::now",
    "Instant::now",
    "crate::ports",
    "crate::responder",
    "crate::journal",
    "crate::aws",
    "crate::intake",
    "crate::cli",
    "crate::http",
    "crate::config",
    "crate::clock",
    "crate::telemetry",
    "crate::policy_files",
    "super::super::ports",
    "super::super::aws",
];

const PANICS: [&str; 7] = [".unwrap()", ".expect(", ".unwrap_err()", "panic!(", "todo!(", "unimplemented!(", "dbg!("];

const MOST_LINES: usize = 400;

/// A source file: its text, and the same without comments, literals and test code.
struct Source {
    path: PathBuf,
    text: String,
    code: String,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display())) {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// All sources below `dir` that are no tests.
fn sources(dir: &str) -> Vec<Source> {
    let mut paths = Vec::new();
    rust_files(&root().join(dir), &mut paths);
    paths.sort();
    let mut tests = BTreeSet::new();
    let mut all = Vec::new();
    for path in paths {
        let text = fs::read_to_string(&path).unwrap();
        let code = without_tests(&text, &path, &mut tests);
        all.push(Source { path, text, code });
    }
    all.retain(|source| !tests.contains(&source.path));
    all
}

/// Blanks comments and literals, byte for byte.
fn without_words(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut code = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let end = literal_end(bytes, at);
        for byte in &mut code[at..end] {
            *byte = if *byte == b'\n' { b'\n' } else { b' ' };
        }
        at = end.max(at + 1);
    }
    String::from_utf8(code).expect("only whole literals are blanked")
}

/// Where the comment or literal that starts at `at` ends; `at` where none does.
fn literal_end(bytes: &[u8], at: usize) -> usize {
    let rest = &bytes[at..];
    let until = |pattern: &[u8]| rest.windows(pattern.len()).position(|window| window == pattern);
    let in_word = at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_');
    match rest {
        [b'/', b'/', ..] => at + until(b"\n").unwrap_or(rest.len()),
        [b'/', b'*', ..] => at + until(b"*/").map_or(rest.len(), |length| length + 2),
        [b'r', b'"' | b'#', ..] if !in_word => {
            let hashes = rest[1..].iter().take_while(|byte| **byte == b'#').count();
            if rest.get(1 + hashes) != Some(&b'"') {
                return at;
            }
            let close = [b"\"".as_slice(), &b"#".repeat(hashes)].concat();
            let body = &rest[2 + hashes..];
            let length = body.windows(close.len()).position(|window| window == close).expect("a raw string ends");
            at + 2 + hashes + length + close.len()
        }
        [b'"', ..] => {
            let mut end = 1;
            while rest[end] != b'"' {
                end += if rest[end] == b'\\' { 2 } else { 1 };
            }
            at + end + 1
        }
        // A character, not a lifetime: it ends with a quote after one character or an escape.
        [b'\'', b'\\', ..] => at + 2 + rest[3..].iter().position(|byte| *byte == b'\'').map_or(0, |length| length + 2),
        [b'\'', first, ..] => {
            let width = match first {
                0xf0.. => 4,
                0xe0.. => 3,
                0xc0.. => 2,
                _ => 1,
            };
            if rest.get(1 + width) == Some(&b'\'') { at + width + 2 } else { at }
        }
        _ => at,
    }
}

/// Blanks every item behind `#[cfg(test)]`; one that is a module of its own is noted in `tests`.
fn without_tests(text: &str, path: &Path, tests: &mut BTreeSet<PathBuf>) -> String {
    const MARK: &str = "#[cfg(test)]";
    let mut code = without_words(text);
    while let Some(start) = code.find(MARK) {
        let item = start + MARK.len();
        let (attributes, end) = item_end(&code, item);
        let name = code[attributes..end].trim().trim_end_matches(';').split_once("mod ").map(|(_, name)| name.trim());
        if let Some(name) = name.filter(|name| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')) {
            tests.insert(module(path, name, &text[item..attributes]));
        }
        let blank: String = code[start..end].bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }).collect();
        code.replace_range(start..end, &blank);
    }
    code
}

/// Where an item's attributes end, and where it does itself.
fn item_end(code: &str, start: usize) -> (usize, usize) {
    let mut at = start;
    loop {
        at += code[at..].len() - code[at..].trim_start().len();
        if !code[at..].starts_with("#[") {
            break;
        }
        at = matching(code, at + 1);
    }
    let next = at + code[at..].find([';', '{']).expect("an item ends");
    if code[next..].starts_with(';') {
        return (at, next + 1);
    }
    let close = matching(code, next);
    let used = code[at..next].contains("use ");
    (at, if used { close + code[close..].find(';').expect("an import ends") + 1 } else { close })
}

/// The place after the bracket that closes the one at `open`.
fn matching(code: &str, open: usize) -> usize {
    let mut depth = 0_usize;
    for (at, byte) in code.bytes().enumerate().skip(open) {
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
    }
    panic!("a bracket is never closed");
}

/// The file of a module that another file declares.
fn module(path: &Path, name: &str, attributes: &str) -> PathBuf {
    let dir = path.parent().unwrap();
    if let Some((_, rest)) = attributes.split_once("#[path = \"") {
        return dir.join(rest.split('"').next().unwrap());
    }
    let stem = path.file_stem().unwrap().to_str().unwrap();
    let dir = if matches!(stem, "mod" | "lib" | "main") { dir.to_owned() } else { dir.join(stem) };
    let file = dir.join(format!("{name}.rs"));
    if file.exists() { file } else { dir.join(name).join("mod.rs") }
}

/// `file:line: word` for every place where one of `words` stands in code.
fn places(sources: &[Source], words: &[&str]) -> Vec<String> {
    let mut places = Vec::new();
    for source in sources {
        for (code, text) in source.code.lines().zip(source.text.lines()).map(|(code, text)| (code, text.trim())) {
            for word in words.iter().filter(|word| code.contains(**word)) {
                places.push(format!("{}: {word}: {text}", source.path.display()));
            }
        }
    }
    places
}

#[test]
fn the_domain_is_pure() {
    for module in PURE {
        let sources = sources(&format!("src/{module}"));
        assert!(!sources.is_empty(), "{module}");
        assert_eq!(places(&sources, &IMPURE), Vec::<String>::new(), "{module}");
        // Addresses are values; sockets are not.
        for source in &sources {
            for (_, rest) in
                source.code.match_indices("std::net::").map(|(at, word)| (at, &source.code[at + word.len()..]))
            {
                let value = ["IpAddr", "Ipv4Addr", "Ipv6Addr"].iter().any(|name| rest.starts_with(name));
                assert!(value, "{}: std::net::{:.20}", source.path.display(), rest);
            }
            // `use crate::{ports, …}` would say the same in other words.
            for (at, _) in source.code.match_indices("crate::{") {
                let list = &source.code[at..matching(&source.code, at + "crate::".len())];
                for word in IMPURE.iter().filter_map(|word| word.strip_prefix("crate::")) {
                    let named = list.split(|c: char| !c.is_alphanumeric() && c != '_').any(|name| name == word);
                    assert!(!named, "{}: {list}", source.path.display());
                }
            }
        }
    }
}

/// Cards know the ports' messages, and nothing else of the world: the same case always makes the same bytes.
#[test]
fn cards_are_pure() {
    let sources = sources("src/slack/card");
    assert!(!sources.is_empty());
    let words: Vec<&str> = IMPURE.into_iter().filter(|word| *word != "crate::ports").collect();
    assert_eq!(places(&sources, &words), Vec::<String>::new());
    let uses = places(&sources, &["crate::ports"]);
    let known = ["::Message;", "::{Message, Metadata};", "::{Message, Metadata, Recorded};"];
    assert!(uses.iter().all(|used| known.iter().any(|known| used.ends_with(known))), "{uses:?}");
}

#[test]
fn the_library_lists_the_domain_above_the_ports() {
    let text = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let (above, _) = text.split_once("pub mod ports;").unwrap();
    let declared: Vec<&str> =
        above.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    assert_eq!(declared, PURE);
}

#[test]
fn files_stay_readable() {
    for source in sources("src").iter().chain(&sources("sandbox/src")) {
        let lines = source.text.lines().count();
        assert!(lines <= MOST_LINES, "{}: {lines} lines", source.path.display());
    }
}

#[test]
fn nothing_but_tests_panics_on_purpose() {
    for dir in ["src", "sandbox/src"] {
        assert_eq!(places(&sources(dir), &PANICS), Vec::<String>::new());
    }
}

#[test]
fn this_test_sees_what_it_is_to_see() {
    let text = concat!(
        "use tokio::sync; // .unwrap()\nlet a = \".unwrap()\"; let b = r#\"panic!(\"#;\nlet c = '\"'; x.unwrap();\n",
        "fn f<'a>(x: &'a str) {}\n#[cfg(test)]\n#[allow(unused)]\nmod tests { fn g() { y.unwrap(); } }\n",
        "#[cfg(test)]\nuse std::{fs, env};\n#[cfg(test)]\n#[path = \"a_tests.rs\"]\nmod more;\nz.expect(\"\");\n",
    );
    let mut tests = BTreeSet::new();
    let code = without_tests(text, Path::new("/src/a.rs"), &mut tests);
    let source = Source { path: "a.rs".into(), text: text.to_owned(), code };
    let seen = places(std::slice::from_ref(&source), &[".unwrap()", ".expect(", "panic!(", "tokio::", "std::"]);
    assert_eq!(
        seen,
        [
            "a.rs: tokio::: use tokio::sync; // .unwrap()",
            "a.rs: .unwrap(): let c = '\"'; x.unwrap();",
            "a.rs: .expect(: z.expect(\"\");",
        ]
    );
    assert_eq!(tests, BTreeSet::from([PathBuf::from("/src/a_tests.rs")]));
}
