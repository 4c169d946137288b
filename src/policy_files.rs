//! The policy directory → the texts that a policy set is made of.

use crate::policy::{PolicyFiles, Problem, Severity, SourceFile};
use std::fs;
use std::path::Path;

/// Reads the three files, and the schema where there is one. A file that cannot be read is a problem like any other.
pub fn read(dir: &Path) -> Result<PolicyFiles, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut file = |name: &str| text(dir, name).map_err(|problem| problems.push(*problem)).ok();
    let (allowlist, rules, inventory) = (file("allowlist.toml"), file("rules.cedar"), file("inventory.toml"));
    let schema = dir.join("sluicegate.cedarschema").exists().then(|| file("sluicegate.cedarschema")).flatten();
    match (allowlist, rules, inventory) {
        (Some(allowlist), Some(rules), Some(inventory)) if problems.is_empty() => {
            Ok(PolicyFiles { allowlist, rules, inventory, schema })
        }
        _ => Err(problems),
    }
}

/// One file, as a problem names it.
pub fn text(dir: &Path, name: &str) -> Result<SourceFile, Box<Problem>> {
    let path = dir.join(name);
    let shown = path.display().to_string();
    let problem = |message: String, suggestion: &str| {
        Box::new(Problem {
            severity: Severity::Error,
            file: shown.clone(),
            line: 1,
            column: 1,
            message,
            suggestion: suggestion.to_owned(),
        })
    };
    let bytes = fs::read(&path).map_err(|error| {
        problem(
            format!("cannot be read: {error}"),
            "a policy directory holds allowlist.toml, rules.cedar and inventory.toml",
        )
    })?;
    let text =
        String::from_utf8(bytes).map_err(|error| problem(format!("is not UTF-8: {error}"), "save it as UTF-8"))?;
    Ok(SourceFile { name: shown.clone(), text })
}
