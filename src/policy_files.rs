//! The policy directory → the texts that a policy set is made of.

use crate::policy::{PolicyFiles, Problem, SourceFile};
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
    let bytes = fs::read(&path).map_err(|error| {
        let what = "a policy directory holds allowlist.toml, rules.cedar and inventory.toml";
        Box::new(Problem::unreadable(&shown, format!("cannot be read: {error}"), what))
    })?;
    let text = String::from_utf8(bytes)
        .map_err(|error| Box::new(Problem::unreadable(&shown, format!("is not UTF-8: {error}"), "save it as UTF-8")))?;
    Ok(SourceFile::new(shown, text))
}

/// The files of policy cases: every `*.toml` in the directory's `tests`, by name.
pub fn cases(dir: &Path) -> Result<Vec<SourceFile>, Vec<Problem>> {
    let tests = dir.join("tests");
    let unreadable = |error: std::io::Error| {
        let what = "policy cases are files in tests/ of the policy directory, each of them NAME.toml";
        vec![Problem::unreadable(tests.display().to_string(), format!("cannot be read: {error}"), what)]
    };
    let mut names = Vec::new();
    for entry in fs::read_dir(&tests).map_err(unreadable)? {
        let name = entry.map_err(unreadable)?.file_name();
        names.extend(
            name.to_str().filter(|name| Path::new(name).extension() == Some("toml".as_ref())).map(str::to_owned),
        );
    }
    names.sort();
    names.iter().map(|name| text(&tests, name).map_err(|problem| vec![*problem])).collect()
}
