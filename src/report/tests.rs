#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use super::{Bar, Cell, Chart, Column, Page, Row, Section, Table, Tile, Tone};
use proptest::prelude::*;

/// A page that shows this text wherever a page shows text.
fn page(text: &str) -> Page {
    let own = || text.to_owned();
    let cell = |tone, sort| Cell { text: own(), sort, tone };
    let row = |details: Vec<(String, String)>| Row {
        cells: vec![cell(Tone::Bad, Some(1.5)), cell(Tone::Plain, None), cell(Tone::Good, Some(f64::NAN))],
        details,
    };
    Page {
        title: own(),
        lead: vec![own(), own()],
        tiles: vec![Tile { label: own(), value: own(), tone: Tone::Warn }],
        sections: vec![
            Section::Chart(Chart {
                title: own(),
                parts: vec![(own(), Tone::Bad), (own(), Tone::Good)],
                bars: vec![
                    Bar { label: own(), values: vec![3, 0] },
                    Bar { label: own(), values: vec![0, u64::MAX] },
                    Bar { label: own(), values: vec![1, 2] },
                ],
            }),
            Section::Table(Table {
                title: own(),
                note: own(),
                columns: vec![
                    Column { name: own(), number: true },
                    Column::text(text),
                    Column::text(text),
                    Column::number(text),
                ],
                rows: vec![row(vec![(own(), own()), (String::new(), own())]), row(Vec::new())],
                empty: own(),
            }),
            Section::Table(Table { title: own(), columns: vec![Column::text(text)], empty: own(), ..Table::default() }),
            Section::Notes { title: own(), lines: vec![own(), own()] },
        ],
    }
}

fn html(page: &Page) -> String {
    let mut bytes = Vec::new();
    page.write_html(&mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

/// What a browser makes of a page: each tag with its attributes' names, and all text and attribute values that are not
/// the style's or the script's.
#[derive(Debug, Default, PartialEq)]
struct Parsed {
    tags: Vec<String>,
    texts: Vec<String>,
}

fn parse(html: &str) -> Parsed {
    let mut parsed = Parsed::default();
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        parsed.texts.push(decoded(&rest[..start]));
        rest = tag(&rest[start + 1..], &mut parsed);
        for raw in ["style", "script"] {
            if parsed.tags.last().is_some_and(|tag| tag == raw) {
                let end = rest.find(&format!("</{raw}")).expect("it ends");
                rest = &rest[end..];
            }
        }
    }
    parsed
}

/// Reads a tag after its `<`, and answers with what follows it.
fn tag<'a>(text: &'a str, parsed: &mut Parsed) -> &'a str {
    let name = text.find([' ', '>', '/', '\n']).filter(|end| *end > 0).unwrap_or(1);
    let mut told = text[..name].to_owned();
    if told.is_empty() {
        told.push('/');
    }
    if text.starts_with('/') {
        let end = text.find('>').expect("a tag ends");
        parsed.tags.push(text[..end].to_owned());
        return &text[end + 1..];
    }
    let mut rest = &text[name..];
    loop {
        rest = rest.trim_start_matches([' ', '\n']);
        if let Some(after) = rest.strip_prefix('>').or_else(|| rest.strip_prefix("/>")) {
            parsed.tags.push(told);
            return after;
        }
        let end = rest.find(['=', '>', ' ']).expect("an attribute ends");
        told.push(' ');
        told.push_str(&rest[..end]);
        rest = &rest[end..];
        if let Some(value) = rest.strip_prefix("=\"") {
            let end = value.find('"').expect("a value ends");
            parsed.texts.push(decoded(&value[..end]));
            rest = &value[end + 1..];
        }
    }
}

fn decoded(text: &str) -> String {
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&#39;", "'");
    text.replace("&amp;", "&")
}

fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("</script>".to_owned()),
        Just("<script>alert(1)</script>".to_owned()),
        Just("</style><img src=x onerror=alert(1)>".to_owned()),
        Just("\" onclick=\"x".to_owned()),
        Just("' x='".to_owned()),
        Just("<!--".to_owned()),
        Just("-->".to_owned()),
        Just("]]>".to_owned()),
        Just("&lt;&amp;&#x3c;".to_owned()),
        Just("\u{202e}\u{2066}\u{0}\r\n\t\u{1b}[31m\u{feff}\u{e0041}".to_owned()),
        "[<>&\"'/=a-z ]{1,6}",
        any::<String>(),
    ];
    prop::collection::vec(piece, 1..6)
        .prop_map(|pieces| pieces.concat())
        .prop_filter("some text", |text| !text.is_empty())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn no_text_leaves_its_element(text in hostile()) {
        let (told, plain) = (parse(&html(&page(&text))), parse(&html(&page("x"))));
        prop_assert_eq!(told.tags, plain.tags);
        let invisible = |c: char| (c.is_control() && c != '\n') || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
        prop_assert!(!told.texts.iter().any(|text| text.contains(invisible)), "{:?}", text);
    }

    #[test]
    fn what_can_be_seen_is_shown_as_it_is(text in "¶[ -~äß→日本]{1,40}") {
        let told = parse(&html(&page(&text)));
        let shown = told.texts.iter().filter(|shown| **shown == text).count();
        let plain = parse(&html(&page("plain"))).texts.iter().filter(|shown| *shown == "plain").count();
        prop_assert_eq!(shown, plain);
        prop_assert!(plain > 30, "everywhere: {}", plain);
    }
}

#[test]
fn it_fetches_nothing_and_forbids_itself_to() {
    let text = html(&page("x"));
    for word in
        ["http:", "https:", "src=", "url(", "@import", "<link", "<img", "<iframe", "style=\"", "unsafe", "javascript:"]
    {
        assert!(!text.contains(word), "{word}");
    }
    let (_, policy) = text.split_once("Content-Security-Policy\" content=\"").unwrap();
    let policy = policy.split('"').next().unwrap();
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
    assert_eq!(policy.matches("'sha256-").count(), 2);
    assert!(text.find("Content-Security-Policy").unwrap() < text.find("<style").unwrap());
    assert_eq!((text.matches("<script").count(), text.matches("<style").count()), (1, 1));
}

#[test]
fn every_link_leads_to_a_section() {
    let text = html(&page("x"));
    let targets = text.match_indices("href=\"#").map(|(at, found)| text[at + found.len()..].split('"').next().unwrap());
    for target in targets {
        assert_eq!(text.matches(&format!("id=\"{target}\"")).count(), 1, "{target}");
    }
}

#[test]
fn a_chart_scales_to_what_can_be_read() {
    let chart = |values: &[u64]| {
        let bars = values.iter().map(|value| Bar { label: "day".to_owned(), values: vec![*value] }).collect();
        let chart = Chart { title: "x".to_owned(), parts: vec![("all".to_owned(), Tone::Plain)], bars };
        html(&Page { sections: vec![Section::Chart(chart)], ..Page::default() })
    };
    for (values, top) in
        [(&[0, 0][..], "1"), (&[3], "4"), (&[7], "10"), (&[11, 2], "20"), (&[41], "50"), (&[4_001], "5000")]
    {
        let text = chart(values);
        assert!(text.contains(&format!("<span>{top}</span>")), "{values:?}");
    }
    assert!(chart(&[u64::MAX]).contains("</svg>"));
    assert!(chart(&[]).contains("Nothing to show."));
    let text = chart(&[0, 1, u64::MAX]);
    let (drawing, _) = text.split_once("</svg>").unwrap();
    assert_eq!(drawing.matches("<rect class=\"plain\"").count(), 2, "nothing is drawn for nothing");
    assert!(!drawing.contains("NaN") && !drawing.contains("inf"));
}
