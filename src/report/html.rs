//! The whole page: what surrounds the sections, and what the browser may do.

use super::escape::{Escaped, class};
use super::{Page, Section};
use data_encoding::BASE64;
use sha2::{Digest, Sha256};
use std::io::{self, Write};

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("page.js");

impl Page {
    /// Writes the page as one HTML file. It fetches nothing, and its own policy forbids it to: the browser runs the one
    /// script and applies the one style that are named there by their hashes.
    pub fn write_html(&self, out: &mut impl Write) -> io::Result<()> {
        let (style, script) = (hash(STYLE), hash(SCRIPT));
        writeln!(out, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">")?;
        writeln!(
            out,
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src '{style}'; \
             script-src '{script}'; base-uri 'none'; form-action 'none'\">"
        )?;
        writeln!(out, "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">")?;
        writeln!(out, "<meta name=\"color-scheme\" content=\"light dark\">")?;
        writeln!(out, "<meta name=\"referrer\" content=\"no-referrer\">")?;
        writeln!(out, "<title>{}</title>\n<style>{STYLE}</style>\n</head>\n<body>", Escaped(&self.title))?;
        self.write_head(out)?;
        writeln!(out, "<main id=\"main\">")?;
        for (number, section) in self.sections.iter().enumerate() {
            match section {
                Section::Chart(chart) => chart.write_html(out, number)?,
                Section::Table(table) => table.write_html(out, number)?,
                Section::Notes { title, lines } => notes(out, number, title, lines)?,
            }
        }
        writeln!(out, "</main>\n<script>{SCRIPT}</script>\n</body>\n</html>")
    }

    fn write_head(&self, out: &mut impl Write) -> io::Result<()> {
        writeln!(out, "<a class=\"skip\" href=\"#main\">To the content</a>\n<header>")?;
        writeln!(out, "<h1>{}</h1>", Escaped(&self.title))?;
        for line in &self.lead {
            writeln!(out, "<p class=\"lead\">{}</p>", Escaped(line))?;
        }
        if !self.tiles.is_empty() {
            writeln!(out, "<dl class=\"tiles\">")?;
            for tile in &self.tiles {
                let (label, value) = (Escaped(&tile.label), Escaped(&tile.value));
                let tone = class(tile.tone);
                writeln!(out, "<div class=\"tile {tone}\"><dt>{label}</dt><dd>{value}</dd></div>")?;
            }
            writeln!(out, "</dl>")?;
        }
        if self.sections.len() > 2 {
            writeln!(out, "<nav aria-label=\"On this page\"><ul>")?;
            for (number, section) in self.sections.iter().enumerate() {
                writeln!(out, "<li><a href=\"#s{number}\">{}</a></li>", Escaped(section.title()))?;
            }
            writeln!(out, "</ul></nav>")?;
        }
        writeln!(out, "</header>")
    }
}

impl Section {
    fn title(&self) -> &str {
        match self {
            Self::Chart(chart) => &chart.title,
            Self::Table(table) => &table.title,
            Self::Notes { title, .. } => title,
        }
    }
}

/// A section's start, with its heading; the caller ends it.
pub(super) fn section(out: &mut impl Write, number: usize, kind: &str, title: &str) -> io::Result<()> {
    writeln!(
        out,
        "<section class=\"{kind}\" aria-labelledby=\"s{number}\">\n<h2 id=\"s{number}\">{}</h2>",
        Escaped(title)
    )
}

fn notes(out: &mut impl Write, number: usize, title: &str, lines: &[String]) -> io::Result<()> {
    section(out, number, "notes", title)?;
    writeln!(out, "<ul>")?;
    for line in lines {
        writeln!(out, "<li>{}</li>", Escaped(line))?;
    }
    writeln!(out, "</ul>\n</section>")
}

/// As a content security policy names a text.
fn hash(text: &str) -> String {
    format!("sha256-{}", BASE64.encode(&Sha256::digest(text)))
}
