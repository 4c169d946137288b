//! `JUnit` XML, in the form that CI systems read: one suite a file, one test case a policy case.
//! <https://github.com/testmoapp/junitxml>

use super::{Coverage, FileRun};
use crate::policy::CaseResult;
use std::fmt::Write;

pub(super) fn xml(runs: &[FileRun], coverage: Option<&Coverage<'_>>) -> String {
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"sluicegate\">\n");
    for run in runs {
        suite(&mut xml, run, coverage);
    }
    xml.push_str("</testsuites>\n");
    xml
}

fn suite(xml: &mut String, run: &FileRun, coverage: Option<&Coverage<'_>>) {
    let failed = run.results.iter().filter(|result| !result.passed).count();
    let (file, tests, seconds) = (escaped(&run.file), run.results.len(), run.took.as_secs_f64());
    // Writing to a string cannot fail.
    let _ = writeln!(
        xml,
        "  <testsuite name=\"{file}\" tests=\"{tests}\" failures=\"{failed}\" errors=\"0\" skipped=\"0\" time=\"{seconds:.6}\">"
    );
    if let Some(coverage) = coverage {
        let uncovered: Vec<&str> = coverage.uncovered.iter().map(|policy| policy.id.as_str()).collect();
        let _ = writeln!(
            xml,
            "    <properties>\n      <property name=\"coverage\" value=\"{}\"/>\n      <property name=\"uncovered\" value=\"{}\"/>\n    </properties>",
            coverage.percent,
            escaped(&uncovered.join(", "))
        );
    }
    for result in &run.results {
        case(xml, result);
    }
    xml.push_str("  </testsuite>\n");
}

fn case(xml: &mut String, result: &CaseResult) {
    let (name, file) = (escaped(&result.name), escaped(&result.file));
    let _ = write!(xml, "    <testcase name=\"{name}\" classname=\"{file}\" file=\"{file}\" line=\"{}\"", result.line);
    if result.passed {
        xml.push_str("/>\n");
        return;
    }
    let lines: Vec<String> = result
        .differences
        .iter()
        .map(|difference| format!("{}: expected {}, got {}", difference.key, difference.expected, difference.got))
        .collect();
    let because = result.because.iter().map(|reason| format!("because: {reason}"));
    let all: Vec<String> = lines.iter().cloned().chain(because).collect();
    let (message, text) = (escaped(&lines.join("; ")), escaped(&all.join("\n")));
    let _ =
        writeln!(xml, ">\n      <failure message=\"{message}\" type=\"difference\">{text}</failure>\n    </testcase>");
}

/// For text and attributes alike. XML 1.0 has no way at all to write most control characters.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => {
                let _ = write!(out, "&#{};", u32::from(c));
            }
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}
